"""Detections to ROS messages, all with the header of the picture; and candidates back."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
import copy
from typing import NamedTuple

import cv2
from geometry_msgs.msg import Point, Pose, PoseArray, PoseStamped, Quaternion, Vector3
import numpy as np
from rganet_ros import geometry, viz
from rganet_ros.geometry import orientations, quaternions
from rganet_ros.types import Candidate, Frame
from sensor_msgs.msg import Image, PointCloud2, PointField
from std_msgs.msg import ColorRGBA, Header
from visualization_msgs.msg import Marker, MarkerArray


def _fields(names: Sequence[str]) -> list[PointField]:
    return [
        PointField(name=name, offset=4 * index, datatype=PointField.FLOAT32, count=1)
        for index, name in enumerate(names)
    ]


FIELDS, COLOURED = _fields(Candidate._fields), _fields(('x', 'y', 'z', 'rgb'))
POINT_STEP = 4 * len(FIELDS)


def picture(header: Header, pixels: np.ndarray, encoding: str, scale: float = 1.0) -> Image:
    """
    Make an Image of (H, W) or (H, W, 3) pixels, smaller by `scale`.

    Class ids (mono8) are taken as they are, all else is averaged.
    """
    if scale != 1.0:
        size = [max(1, round(side * scale)) for side in pixels.shape[1::-1]]
        how = cv2.INTER_NEAREST if encoding == 'mono8' else cv2.INTER_AREA
        pixels = cv2.resize(pixels, size, interpolation=how)
    height, width = pixels.shape[:2]
    # rclpy takes an array.array as it is; anything else it would go through byte by byte.
    data = array('B')
    data.frombytes(memoryview(np.ascontiguousarray(pixels)).cast('B'))
    return Image(
        header=header, height=height, width=width, encoding=encoding, is_bigendian=0,
        step=pixels.nbytes // height, data=data,
    )  # fmt: skip


def cloud(header: Header, candidates: Sequence[Candidate]) -> PointCloud2:
    """Make the `candidates` message: a point each, best first, FLOAT32 fields as Candidate's."""
    values = np.array(candidates, '<f4').reshape(len(candidates), len(FIELDS))
    return PointCloud2(
        header=header, height=1, width=len(candidates), fields=FIELDS, is_bigendian=False,
        point_step=POINT_STEP, row_step=POINT_STEP * len(candidates),
        data=array('B', values.tobytes()), is_dense=bool(np.isfinite(values).all()),
    )  # fmt: skip


def read_cloud(message) -> list[Candidate]:
    """
    Read a `candidates` message, of rclpy or of a bag, best first.

    Raises ValueError where it has other fields.
    """
    names = tuple(field.name for field in message.fields)
    if names != Candidate._fields or message.point_step != POINT_STEP:
        raise ValueError(
            f'a point cloud with fields {", ".join(names)} is not of candidates: '
            f'expected {", ".join(Candidate._fields)}'
        )
    order = '>f4' if message.is_bigendian else '<f4'
    values = np.frombuffer(message.data, order).reshape(-1, len(FIELDS))
    return [Candidate(*row) for row in values.tolist()]


class Target(NamedTuple):
    """The frame that poses are wanted in, and the pose (4, 4) of the optical frame in it."""

    frame_id: str
    pose: np.ndarray


def poses(
    header: Header, candidates: Sequence[Candidate], target: Target | None = None
) -> PoseArray:
    """Make the poses of the candidates that have a place in space, best first."""
    values = np.array(candidates, np.float64).reshape(len(candidates), len(FIELDS))[:, :6]
    values = values[np.isfinite(values).all(axis=1)]
    axes, places = orientations(values[:, 3:]), values[:, :3]
    if target is not None:
        header = Header(stamp=header.stamp, frame_id=target.frame_id)
        turn = target.pose[:3, :3]
        axes, places = turn @ axes, places @ turn.T + target.pose[:3, 3]
    message = PoseArray(header=header)
    for (x, y, z), turn in zip(places.tolist(), quaternions(axes).tolist()):
        pose = Pose(position=Point(x=x, y=y, z=z))
        pose.orientation = Quaternion(**dict(zip('xyzw', turn)))
        message.poses.append(pose)
    return message


def best(found: PoseArray) -> PoseStamped | None:
    """Make the message of the best pose; None when there is none."""
    return PoseStamped(header=found.header, pose=found.poses[0]) if found.poses else None


def coloured(header: Header, frame: Frame, scale: float = 1.0) -> PointCloud2:
    """Make the cloud of a frame with depth and camera: x y z, rgb; fewer points by `scale`."""
    rows = geometry.coloured(frame, every=max(1, round(1 / scale)))
    return PointCloud2(
        header=header, height=1, width=len(rows), fields=COLOURED, is_bigendian=False,
        point_step=16, row_step=16 * len(rows), data=array('B', rows.tobytes()), is_dense=True,
    )  # fmt: skip


def markers(header: Header, found: PoseArray, radius: float) -> MarkerArray:
    """Make discs of the cup's radius (metres) and arrows that approach them; old ones go first."""
    message = MarkerArray(markers=[Marker(header=header, action=Marker.DELETEALL)])
    disc = Marker(header=header, ns='disc', type=Marker.CYLINDER, action=Marker.ADD)
    disc.scale = Vector3(x=2 * radius, y=2 * radius, z=viz.DISC)
    arrow = Marker(header=header, ns='approach', type=Marker.ARROW, action=Marker.ADD)
    # Between two points, along the pose's z axis, which an arrow's own x axis is not.
    arrow.points = [Point(z=-4 * radius), Point()]
    arrow.scale = Vector3(x=radius / 4, y=radius / 2, z=radius / 2)
    for rank, pose in enumerate(found.poses):
        red, green, blue, alpha = viz.marker_colour(rank)
        colour = ColorRGBA(r=red, g=green, b=blue, a=alpha)
        for look in (disc, arrow):
            marker = copy.copy(look)  # a fifth of the time that the message's constructor takes
            marker.id, marker.pose, marker.color = rank, pose, colour
            message.markers.append(marker)
    return message
