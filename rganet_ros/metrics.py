"""Scores of a segmentation, from its confusion matrix."""

from __future__ import annotations

import numpy as np


def confusion(labels: np.ndarray, truth: np.ndarray, classes: int) -> np.ndarray:
    """
    Count pixels by true class (row) and said class (column): (K, K) int64.

    labels  any shape, class ids that a network said
    truth   the same shape, class ids; pixels of K and above (255: unlabelled) are not counted
    """
    counted = truth < classes
    pairs = truth[counted].astype(np.int64) * classes + labels[counted]
    return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)


def scores(matrix: np.ndarray) -> dict[str, np.ndarray | float]:
    """
    Give iou, precision, recall, dice, mcc and class_accuracy, (K,) each, and accuracy.

    matrix  (K, K), see `confusion`

    Those of a class set it against the rest; all are in 0..1 but mcc (Matthews), in -1..1. NaN
    where a score has no pixels to stand on: a class that is neither there nor said.
    """
    matrix = np.asarray(matrix, float)
    hit, said, true, total = np.diag(matrix), matrix.sum(0), matrix.sum(1), matrix.sum()
    with np.errstate(invalid='ignore', divide='ignore'):
        spread = np.sqrt(said * (total - said)) * np.sqrt(true * (total - true))
        return {
            'iou': hit / (said + true - hit),
            'precision': hit / said,
            'recall': hit / true,
            'dice': 2 * hit / (said + true),
            'mcc': (hit * total - said * true) / spread,
            'class_accuracy': (total - said - true + 2 * hit) / total,
            'accuracy': float(hit.sum() / total),
        }


def warp(before: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """
    Bring the frame before's pixels to where they are now, the nearest of them.

    before  (H, W) anything
    flow    (H, W, 2) pixels, right and down, from now to where it was
    """
    height, width = before.shape
    row, column = np.indices(before.shape)
    column = np.clip(np.rint(column + flow[..., 0]), 0, width - 1).astype(int)
    row = np.clip(np.rint(row + flow[..., 1]), 0, height - 1).astype(int)
    return before[row, column]


def flicker(labels, truth=None, flow: np.ndarray | None = None, seen=None) -> tuple[int, int]:
    """
    Count the pixels whose class changes between two frames though the true class does not.

    labels  (before, now): (H, W) uint8 class ids
    truth   the same of the true ones; None: nothing is known to have changed
    flow    (H, W, 2) of the known motion, see `warp`; None: the camera stood still
    seen    (H, W) bool: whether a pixel was in the frame before; None: all

    Returns how many changed, of how many.
    """
    pairs = (labels,) if truth is None else (labels, truth)
    unchanged, *true = (
        (before if flow is None else warp(before, flow)) == now for before, now in pairs
    )
    steady = true[0] if true else np.ones_like(unchanged)
    if seen is not None:
        steady = steady & seen
    return int((~unchanged & steady).sum()), int(steady.sum())
