"""The running account of places: whether the best hold, and how far candidates are off."""

from __future__ import annotations

import numpy as np
from rganet_ros.candidates import CandidateOptions, find_candidates
from rganet_ros.mixture import DataSet
from rganet_ros.report import percentiles
from rganet_ros.top_precision import precision_at_ranks, RANKS, THRESHOLDS
from rganet_ros.training.surface import errors
from rganet_ros.types import SUCTIONABLE

RANKED = CandidateOptions(limit=RANKS, min_affordance=0.1, min_score=0.1)
PUBLISHED = CandidateOptions()  # what the node publishes if nothing else is asked


class Places:
    """Counts frames one at a time."""

    def __init__(self, frames: DataSet):
        """Take a data set of our classes."""
        self._frames = frames
        self._ranked: list[np.ndarray] = []
        self._sources: set[str] = set()
        self._errors: list[np.ndarray] = []
        self._right: list[bool] = []

    def add(self, index: int, frame: tuple, affordance: np.ndarray) -> None:
        """Count a frame (rgb, depth, label): affordance (H, W) is what was answered to it."""
        _, depth, label = frame
        suctionable = label == SUCTIONABLE
        holds, true = self._frames.holds(index), self._frames.surface(index)
        self._sources.add('label' if holds is None else 'score')
        holds = suctionable if holds is None else holds
        ranked = find_candidates(affordance, None, None, RANKED)
        self._ranked.append(precision_at_ranks([holds[round(c.v), round(c.u)] for c in ranked]))
        if true is not None:
            camera = self._frames.camera(index)
            found = find_candidates(affordance, depth, camera, PUBLISHED)
            self._errors.append(errors(found, true, camera, PUBLISHED.cup_radius))
            self._right += [bool(suctionable[round(c.v), round(c.u)]) for c in found]

    def summary(self) -> dict:
        """
        Sum up.

        average_precision, precision_1, precision_5   see `precision_at_ranks`; by threshold
        places_from  what those are measured by: the data set's score, or its label
        candidates   where the data set has the true surface: their count, the share that the
                     label calls suctionable (NaN where there is none), and median and 95th
                     percentile of `errors`: point_mm, normal_degrees
        """
        precision = np.mean(self._ranked, 0)
        found = {
            'places_from': ' and '.join(sorted(self._sources, reverse=True)),
            'average_precision': round(float(precision.mean()), 4),
        }
        for rank in (1, 5):
            shares = np.round(precision[:, rank - 1], 4).tolist()
            found[f'precision_{rank}'] = dict(zip(map(str, THRESHOLDS), shares))
        if self._errors:
            known = np.concatenate(self._errors)
            known = known[np.isfinite(known).all(1)]
            share = float(np.mean(self._right)) if self._right else float('nan')
            found['candidates'] = {
                'count': len(self._right),
                'suctionable': round(share, 4),
                'point_mm': percentiles(known[:, 0]),
                'normal_degrees': percentiles(known[:, 1]),
            }
        return found
