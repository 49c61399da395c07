"""Where a candidate may be: inside a mask, and where the picture is not that of the empty tote."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np

from .encodings import Undecodable
from .options import Range
from .types import Frame


@dataclass(frozen=True)
class RegionOptions:
    """What was there before anything was put in, and how far it must have changed."""

    background_depth: Annotated[
        str,
        "path of a PNG of 16 bits, the empty tote's depth in millimetres on colour's pixels: no "
        "candidates where it did not change; '': none",
    ] = ''
    background_change: Annotated[
        float, Range(0.001, 1), 'depth differs from background_depth by more, metres'
    ] = 0.01


def read_background(path: str) -> np.ndarray | None:
    """Read a depth PNG (16 bits, millimetres): (H, W) float32 metres, 0 unknown; None for ''."""
    if not path:
        return None
    pixels = _read('background_depth', path)
    if pixels is None or pixels.dtype != np.uint16 or pixels.ndim != 2:
        raise ValueError(
            f'background_depth = {path!r} must be a PNG of one channel and 16 bits, the depth of '
            'the empty tote in millimetres'
        )
    return pixels * np.float32(0.001)


def read_mask(path: str) -> np.ndarray | None:
    """Read a mask PNG (8 bits, 0 outside): (H, W) bool; None for ''."""
    if not path:
        return None
    pixels = _read('mask', path)
    if pixels is None or pixels.dtype != np.uint8 or pixels.ndim != 2:
        raise ValueError(f'mask {path!r} must be a PNG of one channel and 8 bits, 0 outside')
    return pixels > 0


def _read(what: str, path: str) -> np.ndarray | None:
    if not Path(path).is_file():  # of which OpenCV warns in words of its own
        raise FileNotFoundError(f'{what} = {path!r} is no file: make it, or correct the path')
    return cv2.imread(path, cv2.IMREAD_UNCHANGED)


def changed(depth: np.ndarray, background: np.ndarray, change: float) -> np.ndarray:
    """
    Tell where something lies that did not: (H, W) bool.

    depth, background  (H, W) float32 metres, 0 unknown; what is unknown in either may have changed
    change             metres
    """
    if depth.shape != background.shape:
        raise Undecodable(
            'background',
            f'background_depth has {background.shape[1]} x {background.shape[0]} pixels, the '
            f'picture {depth.shape[1]} x {depth.shape[0]}: make it with this camera and size',
        )
    return (np.abs(depth - background) > change) | (depth == 0) | (background == 0)


def fit(mask: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Scale a mask (h, w) bool to a picture (H, W) of the same view, by nearest pixels."""
    (height, width), (rows, columns) = mask.shape, shape
    if abs(height * columns - width * rows) > max(rows, columns):
        raise Undecodable(
            'workspace_mask',
            f'workspace_mask has {width} x {height} pixels, the picture {columns} x {rows}, '
            'another view: publish a mask of the same picture',
        )
    down = (np.arange(rows) + 0.5) * height // rows
    across = (np.arange(columns) + 0.5) * width // columns
    return mask[down.astype(int)[:, None], across.astype(int)]


@dataclass(frozen=True, eq=False)
class Region:
    """
    Where candidates may be, as far as anything limits that.

    mask        (h, w) bool, of the same view as the pictures
    background  (H, W) float32 metres, 0 unknown: the depth of the empty tote
    change      metres
    """

    mask: np.ndarray | None = None
    background: np.ndarray | None = None
    change: float = RegionOptions.background_change

    def inside(self, frame: Frame) -> np.ndarray | None:
        """Find it in a frame: (H, W) bool; None where nothing limits it. Raises Undecodable."""
        found = None if self.mask is None else fit(self.mask, frame.rgb.shape[:2])
        if self.background is None:
            return found
        if frame.depth is None:
            raise Undecodable('background', 'background_depth needs depth, the frame has none')
        new = changed(frame.depth, self.background, self.change)
        return new if found is None else found & new
