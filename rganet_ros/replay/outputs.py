"""What the node would have published, into a bag: the same messages, with the input's stamps."""

from __future__ import annotations

import numpy as np
from rganet_ros import bag, viz
from rganet_ros.geometry import orientations, quaternions
from rganet_ros.types import Candidate, Detection, Frame

KINDS = bag.TYPES.types
HEADER, IMAGE = KINDS['std_msgs/msg/Header'], KINDS['sensor_msgs/msg/Image']
CLOUD, FIELD = KINDS['sensor_msgs/msg/PointCloud2'], KINDS['sensor_msgs/msg/PointField']
POSES, POSE = KINDS['geometry_msgs/msg/PoseArray'], KINDS['geometry_msgs/msg/Pose']
STAMPED, POINT = KINDS['geometry_msgs/msg/PoseStamped'], KINDS['geometry_msgs/msg/Point']
TURN, TIME = KINDS['geometry_msgs/msg/Quaternion'], KINDS['builtin_interfaces/msg/Time']
FIELDS = [FIELD(name, 4 * index, FIELD.FLOAT32, 1) for index, name in enumerate(Candidate._fields)]


def header(frame: Frame):
    """Make the header of the input picture."""
    return HEADER(TIME(*divmod(frame.stamp, 1_000_000_000)), frame.frame_id)


def picture(head, pixels: np.ndarray, encoding: str):
    """Make an Image of (H, W) or (H, W, 3) pixels."""
    height, width = pixels.shape[:2]
    data = np.ascontiguousarray(pixels).view(np.uint8).ravel()
    return IMAGE(head, height, width, encoding, 0, data.size // height, data)


def cloud(head, candidates: tuple[Candidate, ...]):
    """Make the `candidates` message."""
    values = np.array(candidates, '<f4').reshape(len(candidates), len(FIELDS))
    step, dense = 4 * len(FIELDS), bool(np.isfinite(values).all())
    data = values.view(np.uint8).ravel()
    return CLOUD(head, 1, len(candidates), FIELDS, False, step, data.size, data, dense)


def poses(head, candidates: tuple[Candidate, ...]):
    """Make the `poses` message: of the candidates that have a place in space."""
    values = np.array(candidates, np.float64).reshape(len(candidates), len(FIELDS))[:, :6]
    values = values[np.isfinite(values).all(axis=1)]
    turns = quaternions(orientations(values[:, 3:]))
    return POSES(head, [POSE(POINT(*p[:3]), TURN(*q)) for p, q in zip(values, turns)])


def write(writer: bag.Writer, prefix: str, frame: Frame, detection: Detection) -> None:
    """Append all that the node publishes for a frame (but markers) below a prefix."""
    head = header(frame)
    found = poses(head, detection.candidates)
    messages = {
        'affordance': picture(head, detection.affordance, '32FC1'),
        'labels': picture(head, detection.labels, 'mono8'),
        'overlay': picture(head, viz.overlay(frame.rgb, detection), 'rgb8'),
        'candidates': cloud(head, detection.candidates),
        'poses': found,
    }
    if found.poses:
        messages['best'] = STAMPED(head, found.poses[0])
    for name, message in messages.items():
        bag.write_message(writer, f'{prefix}/{name}', frame.stamp, message)
