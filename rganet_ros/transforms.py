"""Where the fixed frames of a robot are to each other, by what /tf_static said; without tf2."""

from __future__ import annotations

import numpy as np
from rganet_ros import geometry
from rganet_ros.encodings import Undecodable

FIXED_TOPIC, FIXED_KIND = '/tf_static', 'tf2_msgs/msg/TFMessage'


class FixedTransforms:
    """A tree of frames, each with its pose in the one that it hangs on."""

    def __init__(self):
        self._parents: dict[str, tuple[str, np.ndarray]] = {}

    def add(self, message) -> None:
        """Take a TFMessage; of a frame that was there, the new pose. ValueError on no pose."""
        for each in message.transforms:
            move, turn = each.transform.translation, each.transform.rotation
            pose = geometry.matrix((move.x, move.y, move.z), (turn.x, turn.y, turn.z, turn.w))
            self._parents[each.child_frame_id] = each.header.frame_id, pose

    def pose(self, frame_id: str, source: str) -> np.ndarray:
        """Find where frame `source` is in frame `frame_id`, (4, 4); Undecodable: 'transform'."""
        mine, other = self._poses(frame_id), self._poses(source)
        for frame, pose in mine.items():
            if frame in other:
                return np.linalg.inv(pose) @ other[frame]
        raise Undecodable(
            'transform',
            f'no transform from {source!r} to {frame_id!r} in {FIXED_TOPIC}, which tells of '
            f'{", ".join(sorted(self._parents)) or "no frames"}',
        )

    def _poses(self, frame: str) -> dict[str, np.ndarray]:
        """Give the pose of a frame in itself and in all that it hangs on, the nearest first."""
        pose, found = np.eye(4), {}
        while frame not in found:  # what hangs on itself is no tree, and ends too
            found[frame] = pose
            if frame in self._parents:
                frame, step = self._parents[frame]
                pose = step @ pose
        return found
