"""Bags of rosbag2 (mcap), written without ROS: whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable
import os
from pathlib import Path
import shutil

import numpy as np
from rganet_ros import messages
from rganet_ros.cameras import COLOUR_TOPIC, DEPTH_TOPIC, INFO_TOPIC, POSE_TOPIC
from rganet_ros.messages import TYPES
from rganet_ros.types import Frame
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin
from rosbags.rosbag2 import Writer as Rosbag2Writer

# rosbag2 as of Jazzy writes 9; Humble reads up to 5 and tells so, Iron and later read 8.
VERSION = 8


class Writer:
    """
    Write a bag (a folder: mcap, zstd for each message), whole or not at all.

        with Writer(path) as bag:
            bag.write(topic, type, time_ns, cdr_bytes)
    """

    def __init__(self, path: str | Path):
        """Refuse a path that exists: FileExistsError."""
        self.path = Path(path)
        if self.path.exists():
            raise FileExistsError(f'{self.path} exists: remove it, or name another bag')
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._part = self.path.with_name(f'.{self.path.name}.{os.getpid()}')
        shutil.rmtree(self._part, ignore_errors=True)
        self._writer = Rosbag2Writer(
            self._part / self.path.name, version=VERSION, storage_plugin=StoragePlugin.MCAP
        )
        self._connections = {}

    def __enter__(self) -> Writer:
        self._part.mkdir()
        self._writer.set_compression(CompressionMode.MESSAGE, CompressionFormat.ZSTD)
        self._writer.open()
        return self

    def write(self, topic: str, kind: str, time: int, data: bytes) -> None:
        """Append a message: type 'pkg/msg/Name', nanoseconds, CDR."""
        if topic not in self._connections:
            connection = self._writer.add_connection(topic, kind, typestore=TYPES)
            self._connections[topic] = connection
        self._writer.write(self._connections[topic], time, data)

    def __exit__(self, kind, error, trace) -> None:
        self._writer.close()
        if error is None:
            os.replace(self._part / self.path.name, self.path)
        shutil.rmtree(self._part, ignore_errors=True)


def write_frames(path: str | Path, frames: Iterable[Frame]) -> int:
    """Write frames as a camera's driver would publish them; returns how many."""
    count = 0
    with Writer(path) as bag:
        for frame in frames:
            write_frame(bag, frame)
            count += 1
    return count


def write_frame(bag: Writer, frame: Frame, pose: np.ndarray | None = None) -> None:
    """Append a frame; pose (4, 4), where it is known, is the optical frame's in the world."""
    for topic, message in of_frame(frame, pose):
        write_message(bag, topic, frame.stamp, message)


def of_frame(frame: Frame, pose: np.ndarray | None = None):
    """Make the messages that a camera's driver would publish of a frame: topic, message."""
    header = messages.header(frame.stamp, frame.frame_id or 'camera_color_optical_frame')
    yield COLOUR_TOPIC, messages.picture(header, frame.rgb, 'rgb8')
    if frame.depth is not None:
        millimetres = np.rint(frame.depth * 1000).clip(0, 65535).astype(np.uint16)
        yield DEPTH_TOPIC, messages.picture(header, millimetres, '16UC1')
    if frame.camera is not None:
        yield INFO_TOPIC, messages.camera_info(header, frame.camera)
    if pose is not None:
        yield POSE_TOPIC, messages.pose_stamped(messages.header(frame.stamp, 'world'), pose)


def write_message(bag: Writer, topic: str, time: int, message) -> None:
    """Append a message that was made of TYPES."""
    kind = message.__msgtype__
    bag.write(topic, kind, time, bytes(TYPES.serialize_cdr(message, kind)))
