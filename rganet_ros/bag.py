"""
Bags of rosbag2 (mcap, sqlite3), read and written without ROS.

Messages pass as CDR bytes: what is only copied, played or recorded is never decoded.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
import os
from pathlib import Path
import shutil
from typing import NamedTuple

import numpy as np
from rganet_ros import decode, geometry
from rganet_ros.encodings import DEPTHS
from rganet_ros.types import Camera, Frame
from rosbags.highlevel import AnyReader
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin
from rosbags.rosbag2 import Writer as Rosbag2Writer
from rosbags.typesys import get_typestore, Stores

IMAGE, CAMERA_INFO = 'sensor_msgs/msg/Image', 'sensor_msgs/msg/CameraInfo'
COMPRESSED = 'sensor_msgs/msg/CompressedImage'
COLOUR_TOPIC = '/camera/color/image_raw'
DEPTH_TOPIC = '/camera/aligned_depth_to_color/image_raw'
INFO_TOPIC = '/camera/color/camera_info'
POSE_TOPIC = '/camera/pose'
TYPES = get_typestore(Stores.ROS2_JAZZY)
# rosbag2 as of Jazzy writes 9; Humble reads up to 5 and tells so, Iron and later read 8.
VERSION = 8


def is_bag(path: Path) -> bool:
    """Tell a bag, a file or a folder, from a folder of pictures."""
    return path.is_file() or (path / 'metadata.yaml').is_file() or any(path.glob('*.mcap'))


class Message(NamedTuple):
    """One message of a bag: time is when it was recorded, nanoseconds; data is CDR."""

    topic: str
    type: str
    time: int
    data: bytes


class Topics(NamedTuple):
    """Names of the topics of a camera; '' where it has none."""

    image: str
    depth: str = ''
    info: str = ''
    depth_info: str = ''


@contextmanager
def _opened(path: Path):
    if not path.exists():
        raise FileNotFoundError(f'no bag {path}')
    try:
        with AnyReader([path], default_typestore=TYPES) as reader:
            yield reader
    except (OSError, GeneratorExit):
        raise
    except Exception as error:  # rosbags and its storage layers raise many kinds
        raise ValueError(f'bag {path} cannot be read (further): {error}') from error


def topics_of(path: str | Path) -> dict[str, str]:
    """List topics and their types."""
    with _opened(Path(path)) as reader:
        return {c.topic: c.msgtype for c in reader.connections}


def messages(path: str | Path, topics: Collection[str] | None = None) -> Iterator[Message]:
    """
    Go through a bag in the order of recording.

    A bag that is cut off or damaged yields what can be read, then raises ValueError.
    """
    with _opened(Path(path)) as reader:
        wanted = [c for c in reader.connections if topics is None or c.topic in topics]
        for connection, time, data in reader.messages(wanted) if wanted else ():
            yield Message(connection.topic, connection.msgtype, time, bytes(data))


def deserialize(message: Message):
    """Decode a message of a standard type; ValueError where its bytes are not that."""
    try:
        return TYPES.deserialize_cdr(message.data, message.type)
    except Exception as error:  # rosbags raises whatever its generated code ran into
        sentence = f'a message on {message.topic} is not a readable {message.type}: {error}'
        raise ValueError(sentence) from error


def definition(kind: str) -> str:
    """Write the definition of a standard type and all within it, as ros2msg."""
    return TYPES.generate_msgdef(kind, ros_version=2)[0]


def find_topics(path: str | Path, image='', depth='', info='') -> Topics:
    """
    Find the colour, depth and camera_info topics of a bag by type and encoding, unless given.

    Of a picture that is there raw and compressed, the raw one is taken. Raises ValueError where
    there is no colour picture, or more than one topic of a kind.
    """
    types = topics_of(path)
    for name in filter(None, (image, depth, info)):
        if name not in types:
            raise ValueError(f'bag {path} has no topic {name}: it has {", ".join(sorted(types))}')
    pictures = {name for name, kind in types.items() if kind in (IMAGE, COMPRESSED)}
    pictures -= {n for n in pictures if types[n] == COMPRESSED and _base(n, types) in pictures}
    encodings = _encodings(path, pictures - {image, depth})
    if not image:
        image = _only(path, 'colour', [n for n, e in encodings.items() if e not in DEPTHS])
    if not depth:
        depth = _only(path, 'depth', [n for n, e in encodings.items() if e in DEPTHS], none='')
    infos = [name for name, kind in types.items() if kind == CAMERA_INFO]
    if not info:
        named = _info_of(image, types)
        info = named if named in infos else _only(path, 'camera_info', infos, none='')
    depth_info = _info_of(depth, types) if depth else ''
    return Topics(image, depth, info, depth_info if depth_info in {*infos} - {info} else '')


def _base(topic: str, types: dict[str, str]) -> str:
    """Name a picture's topic without the transport's name that image_transport puts after it."""
    return topic.rpartition('/')[0] if types[topic] == COMPRESSED else topic


def _info_of(topic: str, types: dict[str, str]) -> str:
    return _base(topic, types).rpartition('/')[0] + '/camera_info'


def _encodings(path, topics: set[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for message in messages(path, topics) if topics else ():
        if message.topic not in found:
            found[message.topic] = decode.encoding(deserialize(message))
        if len(found) == len(topics):
            break
    return found


def _only(path, what: str, names: list[str], none: str | None = None) -> str:
    if len(names) == 1:
        return names[0]
    if not names and none is not None:
        return none
    there = ', '.join(sorted(names)) or 'none'
    raise ValueError(f'bag {path} must have one {what} topic, it has {there}: name the topic')


def frames(
    path: str | Path, topics: Topics | None = None, tolerance: float = 0.02, undecodable=None
) -> Iterator[Frame]:
    """
    Go through a bag's frames: every colour picture, in order.

    Each is paired with the depth nearest to its stamp within `tolerance` seconds (without depth
    otherwise) and with the last camera_info. A frame that cannot be decoded is given to
    `undecodable(error)`, or raises without it.
    """
    topics = topics or find_topics(path)
    waiting, depths, info, depth_info = [], [], None, None
    limit = round(tolerance * 1e9)

    def complete(picture):
        when = decode.stamp(picture.header)
        near = [d for d in depths if abs(decode.stamp(d.header) - when) <= limit]
        best = min(near, key=lambda d: abs(decode.stamp(d.header) - when), default=None)
        try:
            return decode.frame(picture, best, info, depth_info)
        except decode.Undecodable as error:
            if undecodable is None:
                raise
            undecodable(error)

    for message in messages(path, [name for name in topics if name]):
        decoded = deserialize(message)
        if message.topic == topics.info:
            info = decoded
        elif message.topic == topics.depth_info:
            depth_info = decoded
        elif message.topic == topics.depth:
            depths = [*depths[-9:], decoded]
        else:
            waiting.append(decoded)
        # Colour may be recorded before its depth: it waits for three more pictures.
        while len(waiting) > (3 if topics.depth else 0):
            if (done := complete(waiting.pop(0))) is not None:
                yield done
    for picture in waiting:
        if (done := complete(picture)) is not None:
            yield done


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
    for topic, message in _camera_messages(frame, pose):
        kind = message.__msgtype__
        bag.write(topic, kind, frame.stamp, bytes(TYPES.serialize_cdr(message, kind)))


def _camera_messages(frame: Frame, pose: np.ndarray | None = None):
    kinds = TYPES.types
    time = kinds['builtin_interfaces/msg/Time'](*divmod(frame.stamp, 1_000_000_000))
    header = kinds['std_msgs/msg/Header'](time, frame.frame_id or 'camera_color_optical_frame')

    def picture(array, encoding):
        height, width = array.shape[:2]
        data = np.ascontiguousarray(array).view(np.uint8).ravel()
        return kinds[IMAGE](header, height, width, encoding, 0, data.size // height, data)

    yield COLOUR_TOPIC, picture(frame.rgb, 'rgb8')
    if frame.depth is not None:
        millimetres = np.rint(frame.depth * 1000).clip(0, 65535).astype(np.uint16)
        yield DEPTH_TOPIC, picture(millimetres, '16UC1')
    if frame.camera is not None:
        yield INFO_TOPIC, _camera_info(kinds, header, frame.camera)
    if pose is not None:
        yield POSE_TOPIC, _pose(kinds, time, pose)


def _pose(kinds, time, pose: np.ndarray):
    header = kinds['std_msgs/msg/Header'](time, 'world')
    place = kinds['geometry_msgs/msg/Point'](*pose[:3, 3])
    turn = kinds['geometry_msgs/msg/Quaternion'](*geometry.quaternions(pose[None, :3, :3])[0])
    return kinds['geometry_msgs/msg/PoseStamped'](
        header, kinds['geometry_msgs/msg/Pose'](place, turn)
    )


def _camera_info(kinds, header, camera: Camera):
    k = np.array([camera.fx, 0, camera.cx, 0, camera.fy, camera.cy, 0, 0, 1], np.float64)
    p = np.column_stack([k.reshape(3, 3), np.zeros(3)]).ravel()
    whole = kinds['sensor_msgs/msg/RegionOfInterest'](0, 0, 0, 0, False)
    return kinds[CAMERA_INFO](
        header, camera.height, camera.width, 'plumb_bob', np.zeros(5), k, np.eye(3).ravel(), p,
        0, 0, whole,
    )  # fmt: skip
