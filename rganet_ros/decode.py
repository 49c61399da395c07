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
from rganet_ros.geometry import resample
from rganet_ros.types import Camera, Frame

MILLIMETRE = np.float32(0.001)
SAME = 0.5  # pixels at the border that two cameras may differ by and still be one


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
    return np.where(known, picture, np.float32(0))


def mask(message) -> np.ndarray:
    """Decode a picture (mono8) of what is inside: (H, W) bool. Raises Undecodable, as `rgb`."""
    return view(message, {'mono8': COLOURS['mono8']}) > 0


def camera(message) -> Camera | None:
    """
    Read a sensor_msgs/CameraInfo: the pinhole of a rectified picture, or None if uncalibrated.

    P describes the rectified picture and is taken where it is filled; else K. Both are of the
    whole sensor: a region of interest moves the centre, binning divides, as image_geometry does.
    """
    names = ('p', 'k') if hasattr(message, 'p') else ('P', 'K')
    p, k = (np.asarray(getattr(message, name), np.float64) for name in names)
    fx, fy, cx, cy = (p[0], p[5], p[2], p[6]) if p[0] > 0 else (k[0], k[4], k[2], k[5])
    if not (fx > 0 and fy > 0 and np.isfinite([fx, fy, cx, cy]).all()):
        return None
    roi, across, down = message.roi, max(1, message.binning_x), max(1, message.binning_y)
    width, height = roi.width or message.width, roi.height or message.height
    return Camera(
        float(fx / across), float(fy / down),
        float((cx - roi.x_offset) / across), float((cy - roi.y_offset) / down),
        width // across, height // down,
    )  # fmt: skip


def distortion(message) -> float:
    """
    Say how far from its place, in pixels, this lens puts a point, at most.

    That is the error of who takes a raw picture for a rectified one. Inf where the model of
    distortion is not known.
    """
    names = ('d', 'k', 'r', 'p') if hasattr(message, 'p') else ('D', 'K', 'R', 'P')
    d, k, r, p = (np.asarray(getattr(message, name), np.float64) for name in names)
    if not d.any():
        return 0.0
    k, r, p = k.reshape(3, 3), r.reshape(3, 3), p.reshape(3, 4)
    r = r if r.any() else np.eye(3)
    new = p[:, :3] if p[0, 0] > 0 else k
    models = {'plumb_bob': cv2, 'rational_polynomial': cv2, 'equidistant': cv2.fisheye}
    model = models.get(message.distortion_model)
    across, down = np.linspace(0, message.width, 9), np.linspace(0, message.height, 9)
    grid = np.stack(np.meshgrid(across, down), axis=-1).reshape(-1, 1, 2)
    try:
        moved = model.undistortPoints(grid, k, d, R=r, P=new) - grid
    except (cv2.error, AttributeError):
        return float('inf')
    return float(np.nan_to_num(np.linalg.norm(moved, axis=-1), nan=np.inf).max())


def _unit(height: int, width: int) -> Camera:
    """Make the camera whose picture has its corners at -0.5 and 0.5: views of one are the same."""
    return Camera(width, height, (width - 1) / 2, (height - 1) / 2, width, height)


def _is_same(one: Camera, other: Camera) -> bool:
    """Whether a pixel of one is that of the other, all over the picture."""
    if (one.width, one.height) != (other.width, other.height):
        return False
    ends = [
        ((end - other[axis + 2]) / other[axis] * one[axis] + one[axis + 2]) - end
        for axis, end in ((0, 0), (0, one.width), (1, 0), (1, one.height))
    ]
    return max(map(abs, ends)) <= SAME


def _on_colour(distances, frame_id: str, source, target, colour_frame: str, shape) -> np.ndarray:
    """Bring depth onto the pixels of colour; source and target are Cameras, None where unknown."""
    by_size = source is None or target is None
    if by_size:
        source, target = _unit(*distances.shape), _unit(*shape[:2])
    if _is_same(source, target):
        return distances
    sizes = (
        f'depth has {source.width} x {source.height} pixels, colour {target.width} x '
        f'{target.height}'
    )
    if frame_id and colour_frame and frame_id != colour_frame:
        raise Undecodable(
            'depth_frame',
            f'depth is in frame {frame_id!r}, colour in {colour_frame!r}, and their pixels differ '
            f'({sizes}): use the depth that is aligned to colour',
        )
    unequal = abs(source.width * target.height - source.height * target.width)
    if by_size and unequal > max(target.width, target.height):
        raise Undecodable(
            'depth_size',
            f'{sizes}, another view: bring depth_camera_info and camera_info, or use the depth '
            'that is aligned to colour',
        )
    return resample(distances, source, target)


def frame(image_message, depth_message=None, info_message=None, depth_info_message=None) -> Frame:
    """
    Put together what belongs to one moment; stamp and frame_id are those of the colour picture.

    Depth of other pixels than colour's is brought onto them: by the intrinsics of both, where
    both are in one optical frame; without the depth camera's, by size alone, where it is the same
    view in another size. What was not measured from colour's place is refused.
    Raises Undecodable: as `rgb`; 'depth_size', 'depth_frame', 'depth_camera_info', 'camera_info'.
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
        distances = _on_colour(
            distances, depth_message.header.frame_id, source, lens, header.frame_id, colour.shape
        )
    return Frame(colour, distances, lens, stamp(header), header.frame_id)
