"""What probabilities are worth: how often what is said to hold does, and its drawing."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

BINS = 10
SIDE, MARGIN = 300, 40  # of the drawing, pixels
COLOURS = '#c44', '#282'


class Curve(NamedTuple):
    """Of each bin that has pixels: what is said of them, how many of them hold, the count."""

    said: np.ndarray
    true: np.ndarray
    count: np.ndarray


def curve(p: np.ndarray, holds: np.ndarray, bins: int = BINS) -> Curve:
    """
    Sort pixels into equal bins by what is said of them.

    p      (N,) in 0..1
    holds  (N,) bool, whether it is true
    """
    place = np.minimum((p * bins).astype(int), bins - 1)
    count = np.bincount(place, minlength=bins)
    there = count > 0
    said, true = (np.bincount(place, x, bins)[there] / count[there] for x in (p, holds))
    return Curve(said, true, count[there])


def error(of: Curve) -> float:
    """Give the mean distance from the diagonal: Guo et al., 2017, expected calibration error."""
    return float((np.abs(of.said - of.true) * of.count).sum() / of.count.sum())


def drawing(curves: dict[float, Curve]) -> str:
    """Draw curves by temperature as SVG; the diagonal is what they should be."""
    size = SIDE + 2 * MARGIN

    def at(x, y):
        return f'{MARGIN + x * SIDE:.1f},{MARGIN + (1 - y) * SIDE:.1f}'

    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}" width="{size}" '
        f'height="{size}" font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="white"/>',
        f'<rect x="{MARGIN}" y="{MARGIN}" width="{SIDE}" height="{SIDE}" fill="none" '
        'stroke="#888"/>',
        f'<polyline points="{at(0, 0)} {at(1, 1)}" stroke="#bbb" stroke-dasharray="4"/>',
        f'<text x="{size / 2}" y="{size - 12}" text-anchor="middle">affordance that is said'
        '</text>',
        f'<text transform="translate(16 {size / 2}) rotate(-90)" text-anchor="middle">share of '
        'those pixels that hold</text>',
    ]
    for colour, row, (temperature, each) in zip(COLOURS, (0, 1), curves.items()):
        points = ' '.join(at(x, y) for x, y in zip(each.said, each.true))
        lines += [
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>',
            f'<text x="{MARGIN + 10}" y="{MARGIN + 18 + 16 * row}" fill="{colour}">temperature '
            f'{temperature:.2f}: error {error(each):.4f}</text>',
        ]
    return '\n'.join([*lines, '</svg>', ''])
