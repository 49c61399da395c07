"""The running account of answers against labels: picture by picture, and pooled."""

from __future__ import annotations

from collections.abc import Sequence
import warnings

import numpy as np

from .metrics import confusion, scores
from .mgrid import cells, DEFAULT, Grid, mean
from .top_precision import top_counts, TOPS
from .types import CLASSES, SUCTIONABLE

BY_CLASS = ('iou', 'precision', 'recall', 'dice', 'mcc')


class Tally:
    """
    Counts pictures one at a time.

    frames  a mapping for each picture so far: accuracy, and of the suctionable class iou,
            precision, recall, dice, mcc and mgrid, NaN where a picture has nothing to score; only
            accuracy, of all classes, where no class is the suctionable one
    """

    def __init__(self, classes: Sequence[str] = CLASSES, grid: Grid = DEFAULT):
        """Take the names of the classes by id, and the constants of MGRID."""
        self._count, self._grid = len(classes), grid
        self._suction = list(classes[SUCTIONABLE : SUCTIONABLE + 1]) == [CLASSES[SUCTIONABLE]]
        self._pooled = np.zeros((self._count, self._count), np.int64)
        self._cells: list[np.ndarray] = []
        self._top = np.zeros((len(TOPS), 2), np.int64)
        self._best = np.zeros(2, np.int64)
        self._iou: list[np.ndarray] = []
        self.frames: list[dict[str, float]] = []

    def add(self, labels: np.ndarray, truth: np.ndarray, affordance=None) -> dict[str, float]:
        """
        Count a picture; returns its own figures.

        labels      (H, W) class ids that were said
        truth       (H, W) class ids, 255 not counted
        affordance  (H, W) 0..1; None: the picture does not count for Top-1 and the like
        """
        matrix = confusion(labels, truth, self._count)
        found = scores(matrix)
        self._pooled += matrix
        self._iou.append(found['iou'])
        own = {'accuracy': found['accuracy']}
        if self._suction:
            own = {'accuracy': float(found['class_accuracy'][SUCTIONABLE])}
            own |= {name: float(found[name][SUCTIONABLE]) for name in BY_CLASS}
            each = cells(labels == SUCTIONABLE, truth == SUCTIONABLE, truth != 255, self._grid)
            self._cells.append(each)
            own['mgrid'] = mean(each, self._grid)
            if affordance is not None:
                counts = top_counts(affordance, truth)
                self._top += counts
                self._best += counts[0] * (truth == SUCTIONABLE).any()
        self.frames.append(own)
        return own

    def summary(self) -> dict:
        """
        Sum up; NaN where there is nothing to stand on.

        iou, precision, recall, dice, mcc  by class, pooled over the pixels of all pictures
        accuracy, mean_iou                 of all classes, pooled likewise
        frame_iou                          by class, mean over the pictures that have it or say it
        per_frame                          name -> (mean, standard deviation) over pictures, see
                                           `frames`
        mgrid, pooled_mgrid                mean over pictures; over all cells of all pictures
        top_1, top_1_percent, ...          see `top_precision.top_counts`
        best_pixel                         top_1 over the pictures that have a suctionable pixel:
                                           an empty tote has no best pixel to be right about
        frames                             how many
        """
        pooled = scores(self._pooled)
        found = {name: pooled[name] for name in (*BY_CLASS, 'accuracy')}
        with warnings.catch_warnings(), np.errstate(invalid='ignore'):
            warnings.simplefilter('ignore', RuntimeWarning)  # the mean of nothing is NaN
            found['mean_iou'] = np.nanmean(pooled['iou'])
            found['frame_iou'] = np.nanmean(np.reshape(self._iou, (-1, self._count)), 0)
            found['per_frame'] = {
                name: (np.nanmean(values), np.nanstd(values))
                for name in (self.frames[0] if self.frames else ())
                for values in [[frame[name] for frame in self.frames]]
            }
            if self._suction and self.frames:
                found['mgrid'] = found['per_frame']['mgrid'][0]
                found['pooled_mgrid'] = mean(np.concatenate(self._cells), self._grid)
                found |= dict(zip(TOPS, self._top[:, 0] / self._top.sum(1)))
                found['best_pixel'] = self._best[0] / self._best.sum()
        return _rounded(found) | {'frames': len(self.frames)}


def _rounded(found: dict) -> dict:
    return {
        name: _rounded(value) if isinstance(value, dict) else np.round(value, 4).tolist()
        for name, value in found.items()
    }
