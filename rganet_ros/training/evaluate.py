"""Score a model on a data set, against the labels."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from rganet_ros import metrics
from rganet_ros.types import CLASSES, SUCTIONABLE


def evaluate(answer: Callable, frames) -> dict:
    """
    Score answer(rgb, depth) -> (affordance, labels) on frames of (rgb, depth, label).

    iou, precision, recall: by class, pooled over all pixels of all frames; accuracy likewise;
    frame_iou: suctionable, mean over the frames that have or are said to have any;
    frames: how many.
    """
    pooled, single = np.zeros((len(CLASSES), len(CLASSES)), np.int64), []
    for index in range(len(frames)):
        rgb, depth, label = frames[index]
        matrix = metrics.confusion(answer(rgb, depth)[1], label, len(CLASSES))
        pooled += matrix
        single.append(metrics.scores(matrix)['iou'][SUCTIONABLE])
    found = metrics.scores(pooled)
    rounded = {key: np.round(value, 4).tolist() for key, value in found.items()}
    return rounded | {'frame_iou': round(float(np.nanmean(single)), 4), 'frames': len(frames)}


def save_sheet(path, answer, frames, count=6):
    pass
