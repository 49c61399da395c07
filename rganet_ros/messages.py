"""ROS messages of arrays, made without ROS; the same fields as rclpy's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rganet_ros import cameras, geometry, viz
from rganet_ros.types import Camera, Candidate, Frame
from rosbags.typesys import get_typestore, Stores

TYPES = get_typestore(Stores.ROS2_JAZZY)
_KINDS = TYPES.types
HEADER, TIME = _KINDS['std_msgs/msg/Header'], _KINDS['builtin_interfaces/msg/Time']
IMAGE, INFO = _KINDS[cameras.IMAGE], _KINDS[cameras.CAMERA_INFO]
REGION = _KINDS['sensor_msgs/msg/RegionOfInterest']
CLOUD, FIELD = _KINDS[cameras.CLOUD], _KINDS['sensor_msgs/msg/PointField']
POSES, POSE = _KINDS['geometry_msgs/msg/PoseArray'], _KINDS['geometry_msgs/msg/Pose']
STAMPED, POINT = _KINDS[cameras.POSE], _KINDS['geometry_msgs/msg/Point']
TURN, SCALE = _KINDS['geometry_msgs/msg/Quaternion'], _KINDS['geometry_msgs/msg/Vector3']
MARKER, COLOUR = _KINDS['visualization_msgs/msg/Marker'], _KINDS['std_msgs/msg/ColorRGBA']
MARKERS = _KINDS['visualization_msgs/msg/MarkerArray']
TEXTURE, DURATION = _KINDS[cameras.COMPRESSED], _KINDS['builtin_interfaces/msg/Duration']


def header(stamp: int, frame_id: str):
    """Make a std_msgs/Header; stamp in nanoseconds."""
    return HEADER(TIME(*divmod(stamp, 1_000_000_000)), frame_id)


def picture(head, pixels: np.ndarray, encoding: str):
    """Make an Image of (H, W) or (H, W, 3) pixels."""
    height, width = pixels.shape[:2]
    data = np.ascontiguousarray(pixels).view(np.uint8).ravel()
    return IMAGE(head, height, width, encoding, 0, data.size // height, data)


def camera_info(head, camera: Camera):
    """Make the CameraInfo of a pinhole camera without distortion."""
    k = np.array([camera.fx, 0, camera.cx, 0, camera.fy, camera.cy, 0, 0, 1], np.float64)
    p = np.column_stack([k.reshape(3, 3), np.zeros(3)]).ravel()
    return INFO(
        head, camera.height, camera.width, 'plumb_bob', np.zeros(5), k, np.eye(3).ravel(), p,
        0, 0, REGION(0, 0, 0, 0, False),
    )  # fmt: skip


def pose_stamped(head, pose: np.ndarray):
    """Make a PoseStamped of a (4, 4) pose."""
    return STAMPED(head, _pose(pose[:3, 3], geometry.quaternions(pose[None, :3, :3])[0]))


def poses(head, candidates: Sequence[Candidate]):
    """Make the `poses` message: of the candidates that have a place in space."""
    values = _rows(candidates, np.float64)[:, :6]
    values = values[np.isfinite(values).all(axis=1)]
    turns = geometry.quaternions(geometry.orientations(values[:, 3:]))
    return POSES(head, [_pose(place, turn) for place, turn in zip(values, turns)])


def _pose(place, turn):
    return POSE(POINT(*place[:3]), TURN(*turn))


def cloud(head, candidates: Sequence[Candidate]):
    """Make the `candidates` message."""
    values = _rows(candidates, '<f4')
    return _cloud(head, values, Candidate._fields, bool(np.isfinite(values).all()))


def _rows(candidates: Sequence[Candidate], dtype) -> np.ndarray:
    return np.array(candidates, dtype).reshape(len(candidates), len(Candidate._fields))


def _cloud(head, rows: np.ndarray, names: Sequence[str], dense: bool):
    fields = [FIELD(name, 4 * i, FIELD.FLOAT32, 1) for i, name in enumerate(names)]
    step, data = 4 * len(names), rows.view(np.uint8).ravel()
    return CLOUD(head, 1, len(rows), fields, False, step, data.size, data, dense)


def coloured(head, frame: Frame):
    """Make the cloud of a frame with depth and camera: x y z, rgb."""
    return _cloud(head, geometry.coloured(frame), ('x', 'y', 'z', 'rgb'), True)


def markers(head, found, radius: float):
    """Make of `poses` discs of the cup's radius (metres) and arrows; old ones go first."""
    made = [_marker(head, action=MARKER.DELETEALL, pose=_pose((0, 0, 0), (0, 0, 0, 1)))]
    for rank, pose in enumerate(found.poses):
        look = {'id': rank, 'pose': pose, 'color': COLOUR(*viz.marker_colour(rank))}
        disc = SCALE(2 * radius, 2 * radius, viz.DISC)
        arrow = SCALE(radius / 4, radius / 2, radius / 2)
        ends = [POINT(0.0, 0.0, -4 * radius), POINT(0.0, 0.0, 0.0)]
        made += [
            _marker(head, ns='disc', type=MARKER.CYLINDER, scale=disc, **look),
            _marker(head, ns='approach', type=MARKER.ARROW, scale=arrow, points=ends, **look),
        ]
    return MARKERS(made)


def _marker(head, **given):
    """Make a Marker whose other fields are as rclpy leaves them."""
    empty = {
        'header': head, 'ns': '', 'id': 0, 'type': 0, 'action': MARKER.ADD,
        'scale': SCALE(0.0, 0.0, 0.0), 'color': COLOUR(0.0, 0.0, 0.0, 0.0),
        'lifetime': DURATION(0, 0), 'frame_locked': False, 'points': [], 'colors': [],
        'texture_resource': '', 'uv_coordinates': [], 'text': '', 'mesh_resource': '',
        'texture': TEXTURE(HEADER(TIME(0, 0), ''), '', np.zeros(0, np.uint8)),
        'mesh_file': _KINDS['visualization_msgs/msg/MeshFile']('', np.zeros(0, np.uint8)),
        'mesh_use_embedded_materials': False,
    }  # fmt: skip
    return MARKER(**(empty | given))
