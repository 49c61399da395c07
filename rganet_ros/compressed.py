"""
Pictures of sensor_msgs/CompressedImage, as image_transport's plugins write them.

The transport `compressed` holds a JPEG or PNG file; `compressedDepth` 12 bytes of header and a
PNG file of 16 bits: millimetres, or metres as quantised inverses.
"""

from __future__ import annotations

import struct

import cv2
import numpy as np

from .encodings import COLOURS, to_rgb, Undecodable

MOST_PIXELS = 2**26  # a small file can claim to be a huge picture
PNG, JPEG = b'\x89PNG\r\n\x1a\n', b'\xff\xd8\xff'
HEADER = 12  # bytes of compressedDepth's: int32 kind, float32 a, float32 b
SIZES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}  # JPEG's markers of frames, that have a size
BARE = {0x01, *range(0xD0, 0xD9)}  # its markers without a length


def rgb(message) -> np.ndarray:
    """
    Decode a colour picture: (H, W, 3) uint8 RGB.

    The colours are the file's own; a Bayer mosaic in a file of one channel is interpolated.
    Raises Undecodable: 'encoding' (neither JPEG nor PNG), 'size', 'length' (cut off), 'damaged'.
    """
    pixels = _unpack(np.frombuffer(message.data, np.uint8))
    if pixels.ndim == 3:
        colour = cv2.COLOR_BGRA2RGB if pixels.shape[2] == 4 else cv2.COLOR_BGR2RGB
        pixels = cv2.cvtColor(pixels, colour)
        return pixels if pixels.dtype == np.uint8 else cv2.convertScaleAbs(pixels, alpha=1 / 257)
    raw = message.format.partition(';')[0].strip()
    encoding = 'mono8' if pixels.dtype == np.uint8 else 'mono16'
    if raw in COLOURS and raw.startswith('bayer') and not any(side % 2 for side in pixels.shape):
        encoding = raw
    return to_rgb(pixels, encoding)


def depth(message) -> tuple[np.ndarray, str]:
    """
    Decode a depth picture: (H, W) uint16 and '16UC1', or float32 and '32FC1', units as those.

    Raises Undecodable, as `rgb`: 'encoding' too where the file is not exact, as JPEG.
    """
    raw, _, how = (part.strip() for part in message.format.partition(';'))
    data = np.frombuffer(message.data, np.uint8)
    kinds = ('compressedDepth', 'compressedDepth png', 'png compressed')
    if raw not in ('16UC1', '32FC1') or how not in kinds or (raw, how) == ('32FC1', kinds[2]):
        raise Undecodable(
            'encoding',
            f"format {message.format!r} is not read as depth: expected '16UC1; compressedDepth "
            "png', '32FC1; compressedDepth png' or '16UC1; png compressed'",
        )
    header, file = (b'', data) if how == kinds[2] else (data[:HEADER].tobytes(), data[HEADER:])
    if not file[:8].tobytes() == PNG:
        raise Undecodable('encoding', f'{message.format!r} does not hold a PNG file')
    pixels = _unpack(file)
    if pixels.ndim != 2 or pixels.dtype != np.uint16:
        raise Undecodable(
            'encoding', f'{message.format!r} holds no picture of one channel, 16 bits'
        )
    if raw == '16UC1':
        return pixels, raw
    _, a, b = struct.unpack('<iff', header)
    known = pixels > 0
    with np.errstate(all='ignore'):  # what no encoder writes becomes unknown
        metres = np.float32(a) / (pixels.astype(np.float32) - np.float32(b))
    return np.where(known, metres, np.float32(np.nan)).astype(np.float32, copy=False), raw


def _unpack(data: np.ndarray) -> np.ndarray:
    """Decode a PNG or JPEG file as it is: (H, W) or (H, W, C) in OpenCV's order, 8 or 16 bits."""
    start = data[:8].tobytes()
    if start == PNG:
        sides, whole = _png_size(data), b'IEND' in data[-12:].tobytes()
    elif start[:3] == JPEG:
        sides = _jpeg_size(data)
        # Some cameras fill up with zeros.
        whole = data[-4096:].tobytes().rstrip(b'\0').endswith(b'\xff\xd9')
    else:
        raise Undecodable('encoding', f'a file that begins {start!r} is neither JPEG nor PNG')
    if sides is None or not whole:
        raise Undecodable('length', f'{data.size} bytes: the picture is cut off')
    if not 0 < sides[0] * sides[1] <= MOST_PIXELS:
        raise Undecodable('size', f'a picture of {sides[1]} x {sides[0]} pixels is not read')
    try:
        pixels = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
    except cv2.error:
        pixels = None
    if pixels is None or pixels.dtype not in (np.uint8, np.uint16):
        raise Undecodable('damaged', f'a file of {data.size} bytes cannot be decoded')
    return pixels


def _png_size(data: np.ndarray) -> tuple[int, int] | None:
    if data.size < 24:
        return None
    width, height = struct.unpack('>II', data[16:24].tobytes())
    return height, width


def _jpeg_size(data: np.ndarray) -> tuple[int, int] | None:
    at = 2
    while at + 9 <= data.size:
        if data[at] != 0xFF:
            return None
        marker = int(data[at + 1])
        if marker in SIZES:
            return struct.unpack('>HH', data[at + 5 : at + 9].tobytes())
        filling = marker == 0xFF
        at += 1 if filling else 2
        if not filling and marker not in BARE:
            at += struct.unpack('>H', data[at : at + 2].tobytes())[0]
    return None
