"""How far a model file in another precision answers as the one in fp32 does, on given frames."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from rganet_ros import metrics
from rganet_ros.predictor import Predictor
from rganet_ros.types import CLASSES, Frame, SUCTIONABLE

LEAST_EQUAL = 0.99  # share of labels
MOST_LOST = 0.005  # change of the suctionable IoU


def compare(
    reference: Predictor, other: Predictor, frames: Iterable[tuple[np.ndarray, ...]]
) -> dict:
    """
    Compare two models on frames of (rgb, depth, label); label None where it is not known.

    largest_difference, mean_difference  of the affordance
    equal_labels                         share of all pixels
    iou, iou_reference, iou_change       of the suctionable class; None without labels
    frames                               how many
    """
    largest, total, equal, pixels, count = 0.0, 0.0, 0, 0, 0
    pooled = np.zeros((2, len(CLASSES), len(CLASSES)), np.int64)
    for rgb, depth, label in frames:
        frame = Frame(rgb, depth, None, 0, 'parity')  # a memory of past frames goes on
        expected, found = reference.predict(frame), other.predict(frame)
        away = np.abs(found.affordance - expected.affordance)
        away = np.where(np.isfinite(away), away, np.inf)
        largest, total = max(largest, float(away.max())), total + float(away.sum())
        equal += int((found.labels == expected.labels).sum())
        pixels, count = pixels + away.size, count + 1
        for index, answer in enumerate((expected, found) if label is not None else ()):
            pooled[index] += metrics.confusion(answer.labels, label, len(CLASSES))
    if not count:
        raise ValueError('there is no frame to compare precisions on: give --check DATA')
    report = {
        'frames': count,
        'largest_difference': largest,
        'mean_difference': total / pixels,
        'equal_labels': equal / pixels,
        'iou_reference': None,
        'iou': None,
        'iou_change': None,
    }
    if pooled.any():
        before, after = (float(metrics.scores(each)['iou'][SUCTIONABLE]) for each in pooled)
        report |= {'iou_reference': before, 'iou': after, 'iou_change': after - before}
    return report


def faults(report: dict, tolerance: float = MOST_LOST) -> list[str]:
    """Say, a sentence part each, what is past the tolerance."""
    found = []
    if report['equal_labels'] < LEAST_EQUAL:
        found.append(f'{report["equal_labels"]:.2%} of labels are equal, at least 99 % must be')
    change = report['iou_change']
    if change is not None and not change >= -tolerance:
        found.append(f'the suctionable IoU changes by {change:+.4f}, more than {tolerance:g}')
    if not np.isfinite(report['mean_difference']):
        found.append('the affordance has values that are not finite')
    return found
