"""
Pictures as cameras lay them out in bytes (sensor_msgs/image_encodings.hpp), to arrays and RGB.

Colour encodings are those whose name says what the numbers are: 8UC3 does not say the order of
its colours and is refused, as cv_bridge refuses to convert it.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np


class Undecodable(ValueError):
    """A message that cannot be used; `reason` is short, one of a few; the text is a sentence."""

    def __init__(self, reason: str, sentence: str):
        super().__init__(sentence)
        self.reason = reason


class Layout(NamedTuple):
    """
    How the bytes of an encoding lie.

    dtype, channels  of a pixel
    to_rgb           OpenCV's conversion; None where the channels are RGB already, or no colour
    pair             pixels across, and down, that share colour or a pattern: sides are multiples
    rows             rows of bytes for each row of pixels: 1.5 where colour lies below
    """

    dtype: type
    channels: int
    to_rgb: int | None = None
    pair: tuple[int, int] = (1, 1)
    rows: float = 1


UYVY = Layout(np.uint8, 2, cv2.COLOR_YUV2RGB_UYVY, (2, 1))
YUYV = Layout(np.uint8, 2, cv2.COLOR_YUV2RGB_YUY2, (2, 1))
COLOURS = {
    'rgb8': Layout(np.uint8, 3),
    'bgr8': Layout(np.uint8, 3, cv2.COLOR_BGR2RGB),
    'rgba8': Layout(np.uint8, 4, cv2.COLOR_RGBA2RGB),
    'bgra8': Layout(np.uint8, 4, cv2.COLOR_BGRA2RGB),
    'mono8': Layout(np.uint8, 1, cv2.COLOR_GRAY2RGB),
    'mono16': Layout(np.uint16, 1, cv2.COLOR_GRAY2RGB),
    'yuv422': UYVY,
    'uyvy': UYVY,
    'yuv422_yuy2': YUYV,
    'yuyv': YUYV,
    'nv12': Layout(np.uint8, 1, cv2.COLOR_YUV2RGB_NV12, (2, 2), 1.5),
    'nv21': Layout(np.uint8, 1, cv2.COLOR_YUV2RGB_NV21, (2, 2), 1.5),
    **{
        f'bayer_{pattern.lower()}{bits}': Layout(
            dtype, 1, getattr(cv2, f'COLOR_Bayer{pattern}2RGB'), (2, 2)
        )
        for pattern in ('RGGB', 'BGGR', 'GBRG', 'GRBG')
        for bits, dtype in ((8, np.uint8), (16, np.uint16))
    },
}
DEPTHS = {'16UC1': Layout(np.uint16, 1), '32FC1': Layout(np.float32, 1)}


def view(message, accepted: dict[str, Layout]) -> np.ndarray:
    """
    View a sensor_msgs/Image: (rows, W) or (rows, W, C), of the encoding's dtype.

    A copy is made only where the rows of wide numbers are padded or not aligned. Raises
    Undecodable: 'encoding', 'size', 'step', 'length'.
    """
    encoding, height, width = message.encoding, message.height, message.width
    if encoding not in accepted:
        raise Undecodable(
            'encoding', f'encoding {encoding!r} is not read here: expected {", ".join(accepted)}'
        )
    layout = accepted[encoding]
    if not height or not width:
        raise Undecodable('size', f'the picture is {width} x {height}: it has no pixels')
    across, down = layout.pair
    if width % across or height % down:
        raise Undecodable(
            'size', f'{encoding} of {width} x {height} pixels: sides must be whole pairs of pixels'
        )
    dtype = np.dtype(layout.dtype)
    row, lines = width * layout.channels * dtype.itemsize, int(height * layout.rows)
    if message.step < row:
        raise Undecodable(
            'step',
            f'step {message.step} is less than {row} bytes, {width} pixels of {encoding}',
        )
    data = np.frombuffer(message.data, np.uint8)
    if data.size < message.step * (lines - 1) + row:
        raise Undecodable(
            'length', f'{data.size} bytes are fewer than {lines} rows of step {message.step}'
        )
    shape, strides = (lines, row), (message.step, 1)
    rows = np.lib.stride_tricks.as_strided(data, shape, strides, writeable=False)
    if dtype.itemsize > 1:
        order = '>' if message.is_bigendian else '<'
        if message.step != row or data.ctypes.data % dtype.itemsize:
            rows = np.ascontiguousarray(rows)
        rows = rows.view(dtype.newbyteorder(order)).astype(dtype, copy=False)
    return rows if layout.channels == 1 else rows.reshape(lines, width, layout.channels)


def to_rgb(pixels: np.ndarray, encoding: str) -> np.ndarray:
    """
    Convert what `view` gave to (H, W, 3) uint8 RGB.

    YUV is BT.601, Bayer is interpolated between neighbours, of 16 bits 0..65535 becomes 0..255:
    all as OpenCV, and thus cv_bridge, does it.
    """
    code = COLOURS[encoding].to_rgb
    if code is None:
        return pixels
    if pixels.dtype == np.uint16:
        pixels = cv2.convertScaleAbs(np.ascontiguousarray(pixels), alpha=255 / 65535)
    return cv2.cvtColor(np.ascontiguousarray(pixels), code)
