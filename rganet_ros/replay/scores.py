"""How good a model's answers are, frame after frame: against labels, and against themselves."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from rganet_ros import metrics
from rganet_ros.types import Candidate, CLASSES, Detection, Frame, SUCTIONABLE

GAP = 1_000_000_000  # ns; frames further apart do not follow each other
NEAR = 0.015  # metres: a candidate this near to one of the frame before is the same
NEAR_PIXELS = 16.0


class _Past(NamedTuple):
    stamp: int
    labels: np.ndarray
    truth: np.ndarray | None
    candidates: tuple[Candidate, ...]


class Scores:
    """
    The running account of one model.

    Without labels the camera and the scene are taken to stand still: then flicker and stability
    also count what moved.
    """

    def __init__(self):
        self.frames = self.found = self.nothing = 0
        self._past: dict[str, _Past] = {}  # by camera
        self._confusion = np.zeros((len(CLASSES), len(CLASSES)), np.int64)
        self._labelled = 0
        self._changed, self._steady = 0, 0
        self._kept: list[float] = []
        self._moved: list[float] = []
        self._first: list[bool] = []
        self._five: list[float] = []

    def add(
        self, camera: str, frame: Frame, detection: Detection, truth: np.ndarray | None
    ) -> dict:
        """
        Count a frame; returns its own figures: iou, best_holds, flicker, kept.

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
        now = _Past(frame.stamp, detection.labels, truth, candidates)
        if past is not None and _follows(past, now):
            own |= self._since(past, now)
        self._past[camera] = now
        return own

    def _against(self, truth: np.ndarray, detection: Detection) -> dict:
        matrix = metrics.confusion(detection.labels, truth, len(CLASSES))
        self._confusion += matrix
        self._labelled += 1
        holds = [truth[round(c.v), round(c.u)] for c in detection.candidates[:5]]
        holds = [label == SUCTIONABLE for label in holds if label != 255]
        own = {'iou': _rounded(metrics.scores(matrix)['iou'][SUCTIONABLE])}
        if holds:
            self._first.append(holds[0])
            self._five.append(float(np.mean(holds)))
            own['best_holds'] = bool(holds[0])
        return own

    def _since(self, past: _Past, now: _Past) -> dict:
        truth = (past.truth, now.truth)
        if any(each is None for each in truth):
            truth = (np.zeros_like(past.labels),) * 2
        changed, steady = metrics.flicker((past.labels, now.labels), truth)
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
        scores = metrics.scores(self._confusion) if self._labelled else {}
        return {
            'frames': self.frames,
            'candidates_per_frame': round(self.found / self.frames, 2) if self.frames else None,
            'frames_with_nothing_to_pick': self.nothing,
            'labelled_frames': self._labelled,
            'iou': _rounded(scores['iou'][SUCTIONABLE]) if scores else None,
            'precision': _rounded(scores['precision'][SUCTIONABLE]) if scores else None,
            'recall': _rounded(scores['recall'][SUCTIONABLE]) if scores else None,
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
    return past.labels.shape == now.labels.shape and 0 <= now.stamp - past.stamp <= GAP


def _mean(values) -> float | None:
    return _rounded(np.mean(values)) if values else None


def _rounded(value) -> float | None:
    return round(float(value), 4) if np.isfinite(value) else None
