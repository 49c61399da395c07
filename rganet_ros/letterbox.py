"""Bring a picture to a model's size with its shape kept, and bring the answer back."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

GREY = 114


class Placement(NamedTuple):
    """Where a picture (height, width) lies in the model's: at left, top, this large, in pixels."""

    height: int
    width: int
    left: int
    top: int
    inner_height: int
    inner_width: int


def place(shape: tuple[int, int], size: tuple[int, int]) -> Placement:
    """Put a picture of a shape (height, width) in the middle of a size, as large as it fits."""
    (height, width), (full_height, full_width) = shape, size
    scale = min(full_height / height, full_width / width)
    inner_height = min(max(round(height * scale), 1), full_height)
    inner_width = min(max(round(width * scale), 1), full_width)
    left, top = (full_width - inner_width) // 2, (full_height - inner_height) // 2
    return Placement(height, width, left, top, inner_height, inner_width)


def letterbox(
    picture: np.ndarray, size: tuple[int, int], *, nearest=False
) -> tuple[np.ndarray, Placement]:
    """
    Scale a picture into a size (height, width); what is left over is grey, or 0 where nearest.

    picture  (H, W) or (H, W, C); colours are averaged when they shrink
    nearest  take pixels as they are, as depth and class ids want it: no hole is smeared
    returns  (h, w) or (h, w, C), the picture itself where the sizes agree
    """
    spot = place(picture.shape[:2], size)
    if picture.shape[:2] == tuple(size):
        return picture, spot
    shrinks = spot.inner_height < spot.height
    smooth = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    inner = cv2.resize(
        picture,
        (spot.inner_width, spot.inner_height),
        interpolation=cv2.INTER_NEAREST if nearest else smooth,
    )
    full = np.full((*size, *picture.shape[2:]), 0 if nearest else GREY, picture.dtype)
    full[_inner(spot)] = inner
    return full, spot


def model_inputs(
    rgb: np.ndarray, depth: np.ndarray | None, size: tuple[int, int]
) -> tuple[dict[str, np.ndarray], Placement]:
    """
    Bring a frame to what a model file of a size (height, width) takes.

    rgb, depth  (H, W, 3) uint8 and (H, W) metres; None for a model that takes no depth
    returns     image (1, h, w, 3) and depth (1, h, w), by name
    """
    image, spot = letterbox(rgb, size)
    arrays = {'image': np.ascontiguousarray(image)[None]}
    if depth is not None:
        arrays['depth'] = np.ascontiguousarray(letterbox(depth, size, nearest=True)[0])[None]
    return arrays, spot


def undo(answer: np.ndarray, spot: Placement, *, nearest=False) -> np.ndarray:
    """Cut (h, w) to where the picture lies and scale it to the picture's own pixels (H, W)."""
    inner = answer[_inner(spot)]
    if inner.shape == (spot.height, spot.width):
        return inner
    return cv2.resize(
        inner,
        (spot.width, spot.height),
        interpolation=cv2.INTER_NEAREST if nearest else cv2.INTER_LINEAR,
    )


def _inner(spot: Placement) -> tuple[slice, slice]:
    rows = slice(spot.top, spot.top + spot.inner_height)
    return rows, slice(spot.left, spot.left + spot.inner_width)
