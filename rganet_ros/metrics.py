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
    Give iou, precision and recall, (K,) each, and accuracy, all in 0..1.

    NaN where a score has no pixels to stand on: a class that is neither there nor said.
    """
    matrix = np.asarray(matrix, float)
    hit, said, true = np.diag(matrix), matrix.sum(0), matrix.sum(1)
    with np.errstate(invalid='ignore', divide='ignore'):
        return {
            'iou': hit / (said + true - hit),
            'precision': hit / said,
            'recall': hit / true,
            'accuracy': float(hit.sum() / matrix.sum()),
        }
