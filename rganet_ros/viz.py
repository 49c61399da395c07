"""
Pictures for people: affordance as a tint, classes as outlines, candidates as numbered discs.

Colours are viridis (dark violet 0, green 0.5, yellow 1), which is in order for colour-blind eyes
and on paper, and for what must be told apart the palette of Okabe and Ito (2008): sky blue what is
suctionable, reddish purple what is not, orange the best candidate. All pictures are (H, W, 3)
uint8 RGB; sheets and GIFs are made of them.
"""

from __future__ import annotations

from collections.abc import Sequence
import os
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from .types import Candidate, Detection, NOT_SUCTIONABLE, SUCTIONABLE

ORANGE, WHITE, BLACK = (230, 159, 0), (255, 255, 255), (0, 0, 0)
OUTLINES = {NOT_SUCTIONABLE: (204, 121, 167), SUCTIONABLE: (86, 180, 233)}
FONT = cv2.FONT_HERSHEY_SIMPLEX
# Share of tint in 1/256 for affordance 0..255: none below 0.2, because most of a picture is no
# place for a cup and stays itself; less than half at most, so that the thing below stays visible.
TINT = np.round(110 * np.clip(np.linspace(-0.25, 1, 256), 0, 1) ** 0.5).astype(np.uint16)

DISC = 0.002  # metres: how thick the marker of a cup is


def marker_colour(rank: int) -> tuple[float, float, float, float]:
    """Colour of a candidate's markers, red green blue opacity in 0..1: the best is orange."""
    return (0.9, 0.9, 0.9, 0.8) if rank else (0.9, 0.62, 0.0, 0.8)


def _grey(affordance: np.ndarray) -> np.ndarray:
    return (np.clip(np.nan_to_num(affordance), 0, 1) * 255).astype(np.uint8)


def _viridis(grey: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(cv2.applyColorMap(grey, cv2.COLORMAP_VIRIDIS), cv2.COLOR_BGR2RGB)


def colormap(affordance: np.ndarray) -> np.ndarray:
    """(H, W) float32 in 0..1 to RGB, viridis; NaN is 0."""
    return _viridis(_grey(affordance))


def overlay(rgb: np.ndarray, detection: Detection) -> np.ndarray:
    """
    Draw what was detected on the picture it was detected in.

    The tint shows the affordance, from 0.2 on; lines go round what is labelled. A disc is at a
    candidate's pixel and bears its rank, its score stands below; its spoke leans as the surface's
    normal does, and is absent where that is towards the camera or unknown. The best is larger and
    orange. Without candidates the picture says so.
    """
    grey = _grey(detection.affordance)
    share = TINT[grey][..., None]
    picture = ((rgb * (256 - share) + _viridis(grey) * share) >> 8).astype(np.uint8)
    size = max(rgb.shape[0] / 480, 0.5)
    for label, colour in OUTLINES.items():
        region = (detection.labels == label).astype(np.uint8)
        lines, _ = cv2.findContours(region, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
        cv2.drawContours(picture, lines, -1, colour, max(1, round(size)))
    for rank, candidate in reversed(list(enumerate(detection.candidates, start=1))):
        _disc(picture, candidate, rank, size)
    if not detection.candidates:
        _label(picture, 'nothing to pick', 0.8 * size)
    return picture


def _disc(picture: np.ndarray, candidate: Candidate, rank: int, size: float) -> None:
    """Draw a candidate in place; the best comes last, so that nothing covers it."""
    best = rank == 1
    radius = round((13 if best else 9) * size)
    centre = np.array([candidate.u, candidate.v])
    lean = np.nan_to_num([candidate.normal_x, candidate.normal_y]) * 2.5 * radius
    at, tip = (tuple(np.rint(point).astype(int).tolist()) for point in (centre, centre + lean))
    for colour, edge in ((BLACK, max(1, round(size))), (ORANGE if best else WHITE, 0)):
        if np.hypot(*lean) > radius:
            cv2.line(picture, at, tip, colour, round(2 * size) + 2 * edge, cv2.LINE_AA)
        cv2.circle(picture, at, radius + edge, colour, -1, cv2.LINE_AA)
    text, scale = str(rank), (0.65 if best else 0.42) * size
    (width, height), _ = cv2.getTextSize(text, FONT, scale, 1)
    corner = (at[0] - width // 2, at[1] + height // 2)
    cv2.putText(picture, text, corner, FONT, scale, BLACK, max(1, round(size)), cv2.LINE_AA)
    text, scale = f'{candidate.score:.2f}'.lstrip('0'), 0.85 * scale
    (width, height), _ = cv2.getTextSize(text, FONT, scale, 1)
    corner = (at[0] - width // 2, at[1] + radius + height + round(3 * size))
    for colour, thick in ((BLACK, 3), (ORANGE if best else WHITE, 1)):
        thick = max(1, round(thick * size))
        cv2.putText(picture, text, corner, FONT, scale, colour, thick, cv2.LINE_AA)


def _label(picture: np.ndarray, text: str, scale: float) -> None:
    """Write white on black in the upper left corner, in place."""
    (width, height), below = cv2.getTextSize(text, FONT, scale, 2)
    cv2.rectangle(picture, (0, 0), (width + height, 2 * height + below), BLACK, -1)
    at = (height // 2, height + height // 2)
    cv2.putText(picture, text, at, FONT, scale, WHITE, 2, cv2.LINE_AA)


def sheet(
    pictures: Sequence[np.ndarray], columns: int, captions: Sequence[str] | None = None
) -> np.ndarray:
    """
    Lay pictures out in rows, each in a cell of the first one's size, with captions below them.

    Others are scaled to fit, whole. Raises ValueError when there are no pictures, or not as many
    captions.
    """
    if not pictures or columns < 1:
        raise ValueError(f'a sheet needs pictures and columns, not {len(pictures)} and {columns}')
    if captions is not None and len(captions) != len(pictures):
        raise ValueError(f'{len(captions)} captions do not fit {len(pictures)} pictures')
    height, width = pictures[0].shape[:2]
    gap, strip = max(2, width // 100), 0 if captions is None else max(14, height // 16)
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    page = np.full(
        (rows * (height + strip + gap) + gap, columns * (width + gap) + gap, 3), 255, np.uint8
    )
    for number, picture in enumerate(pictures):
        row, column = divmod(number, columns)
        top, left = gap + row * (height + strip + gap), gap + column * (width + gap)
        scale = min(height / picture.shape[0], width / picture.shape[1])
        shape = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
        if scale != 1:
            picture = cv2.resize(picture, shape, interpolation=cv2.INTER_AREA)
        y, x = top + (height - shape[1]) // 2, left + (width - shape[0]) // 2
        page[y : y + shape[1], x : x + shape[0]] = picture
        if captions is not None:
            _caption(
                page[top + height : top + height + strip, left : left + width], captions[number]
            )
    return page


def _caption(strip: np.ndarray, text: str) -> None:
    """Write black on the strip, in place, as large as fits."""
    (width, height), below = cv2.getTextSize(text, FONT, 1, 1)
    scale = min(0.9 * strip.shape[0] / (height + below), strip.shape[1] / max(width, 1))
    at = (0, round((strip.shape[0] + (height - below) * scale) / 2))
    canvas = strip.copy()  # a view into the page is not what cv2 draws on
    cv2.putText(canvas, text, at, FONT, scale, BLACK, 1, cv2.LINE_AA)
    strip[:] = canvas


def write_gif(path: str | os.PathLike, pictures: Sequence[np.ndarray], seconds: float) -> None:
    """
    Write pictures of one size as a GIF that repeats, each shown for `seconds`.

    Raises ValueError when there are none or their sizes differ.
    """
    sizes = sorted({picture.shape[:2] for picture in pictures})
    if len(sizes) != 1:
        raise ValueError(f'a GIF needs pictures of one size, not {sizes or "none"}')
    images = []
    for picture in pictures:
        image = Image.fromarray(picture)
        images.append(image.quantize(palette=image.quantize(), dither=Image.Dither.FLOYDSTEINBERG))
    part = Path(f'{os.fspath(path)}.part')
    images[0].save(
        part,
        'GIF',
        save_all=True,
        append_images=images[1:],
        duration=round(seconds * 1000),
        loop=0,
    )
    os.replace(part, path)
