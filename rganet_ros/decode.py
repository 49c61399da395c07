"""
ROS messages, read by field, to arrays and frames.

The same code serves rclpy's messages and rosbags'. Pictures are views of the message's own bytes
where the encoding allows it; row padding (`step`) and big-endian numbers are honoured. What cannot
be used is refused with a short reason to count by and a sentence to log.
"""

from __future__ import annotations

import cv2
import numpy as np
from rganet_ros.types import Camera, Frame

MILLIMETRE = np.float32(0.001)

# Encoding: (dtype, channels), as in sensor_msgs/image_encodings.hpp.
LAYOUTS = {
    'rgb8': (np.uint8, 3),
    'bgr8': (np.uint8, 3),
    'rgba8': (np.uint8, 4),
    'bgra8': (np.uint8, 4),
    'mono8': (np.uint8, 1),
    '16UC1': (np.uint16, 1),
    '32FC1': (np.float32, 1),
}
TO_RGB = {
    'bgr8': cv2.COLOR_BGR2RGB,
    'rgba8': cv2.COLOR_RGBA2RGB,
    'bgra8': cv2.COLOR_BGRA2RGB,
    'mono8': cv2.COLOR_GRAY2RGB,
}


class Undecodable(ValueError):
    """A message that cannot be used; `reason` is short, one of a few; the text is a sentence."""

    def __init__(self, reason: str, sentence: str):
        super().__init__(sentence)
        self.reason = reason


def stamp(header) -> int:
    """Nanoseconds of a std_msgs/Header."""
    return header.stamp.sec * 1_000_000_000 + header.stamp.nanosec


def image(message, accepted=tuple(LAYOUTS)) -> np.ndarray:
    """
    View a sensor_msgs/Image: (H, W) or (H, W, C), of the encoding's dtype.

    Raises Undecodable: 'encoding', 'size' (a side of 0), 'step', 'length'.
    """
    encoding, height, width = message.encoding, message.height, message.width
    if encoding not in accepted or encoding not in LAYOUTS:
        raise Undecodable(
            'encoding', f'encoding {encoding!r} is not read here: expected {", ".join(accepted)}'
        )
    if not height or not width:
        raise Undecodable('size', f'the picture is {width} x {height}: it has no pixels')
    dtype, channels = LAYOUTS[encoding]
    row = width * channels * np.dtype(dtype).itemsize
    if message.step < row:
        raise Undecodable(
            'step',
            f'step {message.step} is less than {row} bytes, {width} pixels of {encoding}',
        )
    data = np.frombuffer(message.data, np.uint8)
    if data.size < message.step * (height - 1) + row:
        raise Undecodable(
            'length', f'{data.size} bytes are fewer than {height} rows of step {message.step}'
        )
    shape, strides = (height, row), (message.step, 1)
    rows = np.lib.stride_tricks.as_strided(data, shape, strides, writeable=False)
    if np.dtype(dtype).itemsize > 1:
        order = '>' if message.is_bigendian else '<'
        if message.step != row or data.ctypes.data % np.dtype(dtype).itemsize:
            rows = np.ascontiguousarray(rows)
        rows = rows.view(np.dtype(dtype).newbyteorder(order)).astype(dtype, copy=False)
    return rows if channels == 1 else rows.reshape(height, width, channels)


def rgb(message) -> np.ndarray:
    """Decode a colour picture: (H, W, 3) uint8 RGB. Raises Undecodable, as `image`."""
    picture = image(message, ('rgb8', *TO_RGB))
    if message.encoding == 'rgb8':
        return picture
    return cv2.cvtColor(np.ascontiguousarray(picture), TO_RGB[message.encoding])


def depth(message) -> np.ndarray:
    """
    Decode a depth picture (REP 118): (H, W) float32 metres, 0 where unknown.

    16UC1 holds millimetres, 0 unknown; 32FC1 metres, NaN, Inf and what is not positive unknown.
    Raises Undecodable, as `image`.
    """
    picture = image(message, ('16UC1', '32FC1'))
    if message.encoding == '16UC1':
        return picture * MILLIMETRE
    # NaN compares false; no arithmetic on it, so no warnings.
    known = (picture > 0) & (picture < np.inf)
    return np.where(known, picture, np.float32(0))


def camera(message) -> Camera | None:
    """
    Read a sensor_msgs/CameraInfo: the pinhole of a rectified picture, or None if uncalibrated.

    P describes the rectified picture and is taken where it is filled; else K.
    """
    names = ('p', 'k') if hasattr(message, 'p') else ('P', 'K')
    p, k = (np.asarray(getattr(message, name), np.float64) for name in names)
    fx, fy, cx, cy = (p[0], p[5], p[2], p[6]) if p[0] > 0 else (k[0], k[4], k[2], k[5])
    if not (fx > 0 and fy > 0):
        return None
    return Camera(float(fx), float(fy), float(cx), float(cy), message.width, message.height)


def frame(image_message, depth_message=None, info_message=None) -> Frame:
    """
    Put together what belongs to one moment; stamp and frame_id are those of the colour picture.

    Raises Undecodable: as `image`; 'depth_size', 'camera_info' where a size is not the colour's.
    """
    colour = rgb(image_message)
    height, width = colour.shape[:2]
    distances = None
    if depth_message is not None:
        distances = depth(depth_message)
        if distances.shape != (height, width):
            raise Undecodable(
                'depth_size',
                f'depth has {distances.shape[1]} x {distances.shape[0]} pixels, colour {width} x '
                f'{height}: '
                'use the depth that is aligned to colour',
            )
    lens = camera(info_message) if info_message is not None else None
    if lens is not None and (lens.width, lens.height) != (width, height):
        raise Undecodable(
            'camera_info',
            f'camera_info is for {lens.width} x {lens.height} pixels, colour has {width} x '
            f'{height}: '
            "use the colour camera's",
        )
    header = image_message.header
    return Frame(colour, distances, lens, stamp(header), header.frame_id)
