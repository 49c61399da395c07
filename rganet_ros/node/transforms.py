"""Where the camera is in other frames, by tf2; which not every machine has."""

from __future__ import annotations

from importlib import import_module

import numpy as np
from rclpy.duration import Duration
from rclpy.time import Time
from rganet_ros import decode, geometry

PATIENCE = 0.1  # seconds that a frame waits for its transform


class Transforms:
    """A listener to /tf."""

    def __init__(self, node, asked: str):
        """Start to listen; ValueError where tf2_ros is not there. `asked`: the parameter set."""
        try:
            self._tf2 = import_module('tf2_ros')
        except ImportError:
            raise ValueError(
                f'parameter {asked} needs tf2_ros, which cannot be imported: install '
                f"ros-$ROS_DISTRO-tf2-ros and source ROS 2's setup.bash, or leave {asked} empty"
            ) from None
        self._buffer = self._tf2.Buffer()
        self._listener = self._tf2.TransformListener(self._buffer, node)

    def pose(self, frame_id: str, source: str, stamp: int) -> np.ndarray:
        """
        Find where frame `source` is in frame `frame_id`, (4, 4), at a stamp in nanoseconds.

        Waits for it a little, in another thread than the executor's. Raises decode.Undecodable:
        'transform'.
        """
        try:
            found = self._buffer.lookup_transform(
                frame_id, source, Time(nanoseconds=stamp), Duration(seconds=PATIENCE)
            )
        except self._tf2.TransformException as error:
            raise decode.Undecodable(
                'transform', f'no transform from {source!r} to {frame_id!r}: {error}'
            ) from None
        move, turn = found.transform.translation, found.transform.rotation
        return geometry.matrix((move.x, move.y, move.z), (turn.x, turn.y, turn.z, turn.w))

    def close(self) -> None:
        """Listen no more."""
        self._listener.unregister()
