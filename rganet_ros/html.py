"""What pages of results are made of: one file, pictures inside it, no script."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from html import escape

import cv2
import numpy as np

STYLE = """
 body { font: 15px/1.4 system-ui, sans-serif; margin: 1.5em; color: #222 }
 table { border-collapse: collapse; margin: 1em 0 }
 td, th { padding: .2em .8em; text-align: right }
 th { border-bottom: 1px solid #999 } td:first-child, th:first-child { text-align: left }
 figure { display: inline-block; margin: 0 1em 1em 0; vertical-align: top } img { max-width: 100% }
"""


def page(title: str, body: str, style: str = '') -> str:
    """Make a whole page of a title and what is below it."""
    return (
        f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>\n'
        f'<style>{STYLE}{style}</style>\n<h1>{escape(title)}</h1>\n{body}\n</html>\n'
    )


def table(head: Iterable, rows: Iterable[Iterable]) -> str:
    """Make a table; None is shown as -."""

    def line(cells, tag):
        words = ('-' if cell is None else escape(str(cell)) for cell in cells)
        return '<tr>' + ''.join(f'<{tag}>{word}</{tag}>' for word in words) + '</tr>'

    return f'<table>{line(head, "th")}{"".join(line(row, "td") for row in rows)}</table>'


def image(rgb: np.ndarray, said: str, width: int) -> str:
    """Make an image of (H, W, 3) uint8 RGB, so wide, held in the page itself."""
    height = round(rgb.shape[0] * width / rgb.shape[1])
    small = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA)
    data = cv2.imencode('.jpg', small[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes()
    return (
        f'<img alt="{escape(said)}" loading="lazy" '
        f'src="data:image/jpeg;base64,{base64.b64encode(data).decode()}">'
    )


def scatter(points: list[tuple[float, float, str]], across: str, up: str) -> str:
    """Draw named points (x, y) from 0 on, but for NaN, with the names of the axes: SVG."""
    width, height, left, below = 640, 400, 60, 45
    points = [point for point in points if np.isfinite(point[:2]).all()]
    most = [1.15 * max((point[axis] for point in points), default=0) or 1 for axis in (0, 1)]

    def place(x: float, y: float) -> tuple[float, float]:
        return (
            left + x / most[0] * (width - left - 20),
            height - below - y / most[1] * (height - below - 20),
        )

    drawn = [f'<rect width="{width}" height="{height}" fill="white"/>']
    steps = [_step(each / 5) for each in most]
    for number in range(1 + int(most[0] / steps[0])):
        value = number * steps[0]
        x, bottom = place(value, 0)
        drawn += [
            f'<path d="M{x:.1f} 20 V{bottom:.1f}" stroke="#ddd"/>',
            f'<text x="{x:.1f}" y="{bottom + 16:.1f}" text-anchor="middle">{value:g}</text>',
        ]
    for number in range(1 + int(most[1] / steps[1])):
        value = number * steps[1]
        _, y = place(0, value)
        drawn += [
            f'<path d="M{left} {y:.1f} H{width - 20}" stroke="#ddd"/>',
            f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{value:g}</text>',
        ]
    places = [place(x, y) for x, y, _ in points]
    taken = [(x - 6, x + 6, y) for x, y in places]
    middle = width / 2
    outwards = sorted(zip(places, points), key=lambda each: abs(each[0][0] - middle))
    for (x, y), (*_, name) in outwards:
        # On the right half a name stands left of its point, so that it stays in the picture.
        side, anchor = (-8, 'end') if x > middle else (8, 'start')
        first, last = sorted((x + side, x + side * (1 + len(name))))
        line = y
        while any(first < b and a < last and abs(line - at) < 14 for a, b, at in taken):
            line += 2  # below what is there already
        taken.append((first, last, line))
        drawn += [
            f'<path d="M{x:.1f} {y:.1f} L{x + side * 0.7:.1f} {line:.1f}" stroke="#999"/>',
            f'<text x="{x + side:.1f}" y="{line + 4:.1f}" text-anchor="{anchor}">'
            f'{escape(name)}</text>',
        ]
    drawn += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="#31688e"/>' for x, y in places]
    drawn += [
        f'<text x="{(width + left) / 2}" y="{height - 8}" text-anchor="middle">'
        f'{escape(across)}</text>',
        f'<text transform="translate(16 {(height - below) / 2}) rotate(-90)" '
        f'text-anchor="middle">{escape(up)}</text>',
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'font-family="sans-serif" font-size="13">{"".join(drawn)}</svg>'
    )


def _step(least: float) -> float:
    """Give the next round number from `least` on: 1, 2 or 5 times a power of ten."""
    power = 10.0 ** np.floor(np.log10(least))
    return float(next(power * each for each in (1, 2, 5, 10) if power * each >= least))
