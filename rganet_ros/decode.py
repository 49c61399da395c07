"""
ROS messages, read by field, to arrays and frames.

The same code serves rclpy's messages and rosbags', raw and compressed. Pictures are views of the
message's own bytes where the encoding allows it. What cannot be used is refused with a short
reason to count by and a sentence to log.
"""

from __future__ import annotations

import cv2
import numpy as np
from rganet_ros import compressed
from rganet_ros.encodings import COLOURS, DEPTHS, to_rgb, Undecodable, view
from rganet_ros.rectify import camera, rectified
from rganet_ros.registration import onto
from rganet_ros.types import Frame

MILLIMETRE = np.float32(0.001)


def stamp(header) -> int:
    """Nanoseconds of a std_msgs/Header."""
    return header.stamp.sec * 1_000_000_000 + header.stamp.nanosec


def encoding(message) -> str:
    """Name what an Image or CompressedImage holds: its encoding, before it was compressed."""
    return message.format.partition(';')[0] if _is_file(message) else message.encoding


def _is_file(message) -> bool:
    return hasattr(message, 'format')


def rgb(message) -> np.ndarray:
    """
    Decode a colour picture, raw or compressed: (H, W, 3) uint8 RGB.

    Raises Undecodable: 'encoding', 'size' (a side of 0, or half a pair), 'step', 'length',
    'damaged'.
    """
    if _is_file(message):
        return compressed.rgb(message)
    return to_rgb(view(message, COLOURS), message.encoding)


def depth(message) -> np.ndarray:
    """
    Decode a depth picture (REP 118): (H, W) float32 metres, 0 where unknown.

    16UC1 holds millimetres, 0 unknown; 32FC1 metres, NaN, Inf and what is not positive unknown.
    Raises Undecodable, as `rgb`.
    """
    if _is_file(message):
        picture, unit = compressed.depth(message)
    else:
        picture, unit = view(message, DEPTHS), message.encoding
    if unit == '16UC1':
        return picture * MILLIMETRE
    # NaN compares false; no arithmetic on it, so no warnings.
    known = (picture > 0) & (picture < np.inf)
    return cv2.copyTo(picture, known.view(np.uint8))  # 0 elsewhere


def mask(message) -> np.ndarray:
    """Decode a picture (mono8) of what is inside: (H, W) bool. Raises Undecodable, as `rgb`."""
    return view(message, {'mono8': COLOURS['mono8']}) > 0


def frame(
    image_message, depth_message=None, info_message=None, depth_info_message=None,
    rectify: bool = False, depth_pose: np.ndarray | None = None,
) -> Frame:  # fmt: skip
    """
    Put together what belongs to one moment; stamp and frame_id are those of the colour picture.

    Depth of other pixels than colour's is brought onto them (`registration.onto`).

    rectify     whether the pictures are raw: they are undistorted, and all that follows is on the
                pixels of the rectified picture
    depth_pose  (4, 4), of depth's optical frame in colour's, where it has one of its own

    Raises Undecodable: as `rgb`; 'depth_size', 'depth_frame', 'depth_camera_info', 'camera_info',
    'rectify'.
    """
    colour = rgb(image_message)
    height, width = colour.shape[:2]
    lens = camera(info_message) if info_message is not None else None
    if lens is not None and (lens.width, lens.height) != (width, height):
        raise Undecodable(
            'camera_info',
            f'camera_info is for {lens.width} x {lens.height} pixels, colour has {width} x '
            f"{height}: use the colour camera's",
        )
    if rectify and info_message is None:
        raise Undecodable('rectify', 'parameter rectify is true and no camera_info came')
    header, distances = image_message.header, None
    if depth_message is not None:
        distances = depth(depth_message)
        source = camera(depth_info_message) if depth_info_message is not None else None
        if source is not None and (source.height, source.width) != distances.shape:
            raise Undecodable(
                'depth_camera_info',
                f'depth_camera_info is for {source.width} x {source.height} pixels, depth has '
                f"{distances.shape[1]} x {distances.shape[0]}: use the depth camera's",
            )
        if rectify and source is not None:
            distances = rectified(distances, depth_info_message, is_depth=True)
        frames = (depth_message.header.frame_id, header.frame_id)
        distances = onto(distances, source, lens, colour.shape, frames, depth_pose)
        if rectify and source is None:  # it is on colour's raw pixels
            distances = rectified(distances, info_message, is_depth=True)
    if rectify:
        colour = rectified(colour, info_message)
    return Frame(colour, distances, lens, stamp(header), header.frame_id)
