"""How good a model's answers are, frame after frame: against labels, and against themselves."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from rganet_ros import metrics, motion
from rganet_ros.tally import Tally
from rganet_ros.types import Candidate, Detection, Frame, SUCTIONABLE

GAP = 1_000_000_000  # ns; frames further apart do not follow each other
NEAR = 0.015  # metres: a candidate this near to one of the frame before is the same
NEAR_PIXELS = 16.0


class _Past(NamedTuple):
    frame: Frame
    labels: np.ndarray
    truth: np.ndarray | None
    candidates: tuple[Candidate, ...]


class Scores:
    """
    The running account of one model.

    Flicker follows the camera where the frames have poses and depth. Else camera and scene are
    taken to stand still, and flicker also counts what moved, as stability always does.
    """

    def __init__(self):
        self.frames = self.found = self.nothing = 0
        self._past: dict[str, _Past] = {}  # by camera
        self._tally = Tally()
        self._changed, self._steady = 0, 0
        self._kept: list[float] = []
        self._moved: list[float] = []
        self._first: list[bool] = []
        self._five: list[float] = []

    def add(
        self, camera: str, frame: Frame, detection: Detection, truth: np.ndarray | None
    ) -> dict:
        """
        Count a frame; returns its own figures: iou, mgrid, best_holds, flicker, kept.

        truth  (H, W) uint8 class ids, 255 not counted; None without a label
        """
        own: dict[str, float | bool | None] = {}
        candidates = detection.candidates
        self.frames += 1
        self.found += len(candidates)
        self.nothing += not candidates
        if truth is not None:
            own |= self._against(truth, detection)
        past = self._past.get(camera)
        now = _Past(frame, detection.labels, truth, candidates)
        if past is not None and _follows(past, now):
            own |= self._since(past, now)
        self._past[camera] = now
        return own

    def _against(self, truth: np.ndarray, detection: Detection) -> dict:
        found = self._tally.add(detection.labels, truth, detection.affordance)
        holds = [truth[round(c.v), round(c.u)] for c in detection.candidates[:5]]
        holds = [label == SUCTIONABLE for label in holds if label != 255]
        own = {name: _rounded(found[name]) for name in ('iou', 'mgrid')}
        if holds:
            self._first.append(holds[0])
            self._five.append(float(np.mean(holds)))
            own['best_holds'] = bool(holds[0])
        return own

    def _since(self, past: _Past, now: _Past) -> dict:
        labelled = past.truth is not None and now.truth is not None
        truth = (past.truth, now.truth) if labelled else None
        moved = motion.flow(now.frame, past.frame) or ()
        changed, steady = metrics.flicker((past.labels, now.labels), truth, *moved)
        self._changed, self._steady = self._changed + changed, self._steady + steady
        own = {'flicker': _rounded(changed / steady) if steady else None}
        if past.candidates and now.candidates:
            kept, moved = stability(past.candidates, now.candidates)
            self._kept.append(kept)
            self._moved.append(moved)
            own |= {'kept': _rounded(kept)}
        return own

    def forget(self) -> None:
        """Forget the frames before: another input begins."""
        self._past.clear()

    def summary(self) -> dict:
        """Sum up; what there was nothing for is None."""
        tally = self._tally.summary()
        scores = {name: tally[name][SUCTIONABLE] for name in ('iou', 'precision', 'recall')} | {
            name: tally.get(name, np.nan) for name in ('mgrid', 'top_1')
        }
        return {
            'frames': self.frames,
            'candidates_per_frame': round(self.found / self.frames, 2) if self.frames else None,
            'frames_with_nothing_to_pick': self.nothing,
            'labelled_frames': tally['frames'],
            **{name: _rounded(value) for name, value in scores.items()},
            'best_holds': _mean(self._first),
            'first_five_hold': _mean(self._five),
            'flicker': _rounded(self._changed / self._steady) if self._steady else None,
            'candidates_kept': _mean(self._kept),
            'best_moved_p50': _rounded(np.median(self._moved)) if self._moved else None,
        }


def stability(before: tuple[Candidate, ...], now: tuple[Candidate, ...]) -> tuple[float, float]:
    """
    Say which share of the candidates before is still there, and how far away the best one is.

    Metres where all have depth, else pixels.
    """
    spatial = all(np.isfinite(c.z) for c in (*before, *now))
    places = [np.array([c[:3] if spatial else (c.u, c.v) for c in each]) for each in (before, now)]
    apart = np.linalg.norm(places[0][:, None] - places[1][None], axis=2)
    kept = (apart.min(axis=1) <= (NEAR if spatial else NEAR_PIXELS)).mean()
    return float(kept), float(apart[0, 0])


def _follows(past: _Past, now: _Past) -> bool:
    between = now.frame.stamp - past.frame.stamp
    return past.labels.shape == now.labels.shape and 0 <= between <= GAP


def _mean(values) -> float | None:
    return _rounded(np.mean(values)) if values else None


def _rounded(value) -> float | None:
    return round(float(value), 4) if np.isfinite(value) else None
