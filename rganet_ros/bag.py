"""
Bags of rosbag2 (mcap, sqlite3), read and written without ROS.

Messages pass as CDR bytes: what is only copied, played or recorded is never decoded. A bag that
was cut off is read to its last good message; then it raises Cut, a ValueError.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, ExitStack, suppress
from dataclasses import replace
import os
from pathlib import Path
import shutil
from typing import NamedTuple

import numpy as np
from rganet_ros import cameras, decode, geometry, salvage
from rganet_ros.cameras import CAMERA_INFO, IMAGE, Topics
from rganet_ros.encodings import DEPTHS
from rganet_ros.salvage import Cut
from rganet_ros.types import Camera, Frame
from rosbags.highlevel import AnyReader
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin
from rosbags.rosbag2 import Writer as Rosbag2Writer
from rosbags.typesys import get_typestore, Stores

COLOUR_TOPIC = '/camera/color/image_raw'
DEPTH_TOPIC = '/camera/aligned_depth_to_color/image_raw'
INFO_TOPIC = '/camera/color/camera_info'
POSE_TOPIC = '/camera/pose'  # geometry_msgs/PoseStamped, of the optical frame in the world
POSE = 'geometry_msgs/msg/PoseStamped'
TYPES = get_typestore(Stores.ROS2_JAZZY)
# rosbag2 as of Jazzy writes 9; Humble reads up to 5 and tells so, Iron and later read 8.
VERSION = 8


def is_bag(path: Path) -> bool:
    """Tell a bag, a file or a folder, from a folder of pictures."""
    return path.is_file() or (path / 'metadata.yaml').is_file() or bool(salvage.files(path))


class Message(NamedTuple):
    """One message of a bag: time is when it was recorded, nanoseconds; data is CDR."""

    topic: str
    type: str
    time: int
    data: bytes


@contextmanager
def _opened(path: Path):
    """Give a reader; None where only the files of the bag, without an index, can be read."""
    if not path.exists():
        raise FileNotFoundError(f'no bag {path}')
    with ExitStack() as stack:
        reader = None
        with suppress(Exception):  # rosbags and its storage layers raise many kinds
            reader = stack.enter_context(AnyReader([path], default_typestore=TYPES))
        yield reader


def topics_of(path: str | Path) -> dict[str, str]:
    """List topics and their types."""
    path = Path(path)
    with _opened(path) as reader:
        if reader is not None:
            return {c.topic: c.msgtype for c in reader.connections}
    found: dict[str, str] = {}
    try:
        found.update((topic, kind) for topic, kind, _, _ in salvage.messages(path))
    except Cut:
        if not found:
            raise
    return found


def messages(path: str | Path, topics: Collection[str] | None = None) -> Iterator[Message]:
    """Go through a bag in the order of recording; Cut, after what can be read, at a cut."""
    path, count = Path(path), 0
    with _opened(path) as reader:
        if reader is not None:
            wanted = [c for c in reader.connections if topics is None or c.topic in topics]
            try:
                for connection, time, data in reader.messages(wanted) if wanted else ():
                    yield Message(connection.topic, connection.msgtype, time, bytes(data))
                    count += 1
                return
            except (OSError, GeneratorExit):
                raise
            except Exception as error:
                if count:
                    raise Cut(f'bag {path} is damaged after {count} messages: {error}') from error
    for found in salvage.messages(path):
        if topics is None or found[0] in topics:
            yield Message(*found)


def count(path: str | Path, topics: Collection[str]) -> int | None:
    """Say how many messages of some topics a bag has; None where it does not tell."""
    with _opened(Path(path)) as reader:
        if reader is None:
            return None
        return sum(c.msgcount for c in reader.connections if c.topic in topics)


def deserialize(message: Message):
    """Decode a message of a standard type; ValueError where its bytes are not that."""
    try:
        return TYPES.deserialize_cdr(message.data, message.type)
    except Exception as error:  # rosbags raises whatever its generated code ran into
        sentence = f'a message on {message.topic} is not a readable {message.type}: {error}'
        raise ValueError(sentence) from error


def find_cameras(path: str | Path) -> list[Topics]:
    """
    Find the cameras of a bag by type, encoding and name of their topics.

    Raises ValueError where there is no colour picture, or more than one answer.
    """
    types = topics_of(path)
    kinds = _depth_or_colour(path, cameras.pictures(types))
    colours, depths = ({t for t, kind in kinds.items() if kind is want} for want in (False, True))
    infos = [topic for topic, kind in types.items() if kind == CAMERA_INFO]
    if not colours:
        raise ValueError(f'bag {path} has no colour pictures: it has {", ".join(sorted(types))}')
    try:
        return cameras.group(colours, depths, infos)
    except ValueError as error:
        raise ValueError(f'bag {path}: {error}: name the topics') from None


def _depth_or_colour(path, topics: set[str]) -> dict[str, bool]:
    """Tell by the first picture of each topic."""
    found: dict[str, bool] = {}
    with suppress(Cut):
        for message in messages(path, topics) if topics else ():
            if message.topic not in found:
                found[message.topic] = decode.encoding(deserialize(message)) in DEPTHS
            if len(found) == len(topics):
                break
    return found


def definition(kind: str) -> str:
    """Write the definition of a standard type and all within it, as ros2msg."""
    return TYPES.generate_msgdef(kind, ros_version=2)[0]


def find_topics(path: str | Path, image='', depth='', info='') -> Topics:
    """
    Find the topics of the one camera of a bag, as far as they are not given.

    Of a picture that is there raw and compressed, the raw one is taken.
    Raises ValueError where there is no colour picture, or more than one answer.
    """
    types = topics_of(path)
    for name in filter(None, (image, depth, info)):
        if name not in types:
            raise ValueError(f'bag {path} has no topic {name}: it has {", ".join(sorted(types))}')
    kinds = _depth_or_colour(path, cameras.pictures(types) - {image, depth})
    colours = [image] if image else [topic for topic, is_depth in kinds.items() if not is_depth]
    depths = [depth] if depth else [topic for topic, is_depth in kinds.items() if is_depth]
    if len(colours) != 1:
        there = ', '.join(sorted(colours)) or 'none'
        raise ValueError(f'bag {path} must have one colour topic, it has {there}: name the topic')
    infos = [topic for topic, kind in types.items() if kind == CAMERA_INFO]
    try:
        return cameras.group(colours, depths, infos, info)[0]
    except ValueError as error:
        raise ValueError(f'bag {path}: {error}: name the topic') from None


def frames(
    path: str | Path, topics: Topics | None = None, tolerance: float = 0.02, undecodable=None
) -> Iterator[Frame]:
    """
    Go through a camera's frames in a bag: every colour picture, in order.

    Each is paired with the depth nearest to its stamp within `tolerance` seconds (without depth
    otherwise), with the last camera_info, and with the pose of its stamp on POSE_TOPIC, where the
    bag has that. A frame, or a message, that cannot be decoded is given to `undecodable(error)`,
    or raises without it. Cut, after the last good frame, at a cut.
    """
    topics = topics or find_topics(path)
    waiting, depths, info, depth_info, cut = [], [], None, None, None
    poses: dict[int, np.ndarray | None] = {}
    limit = round(tolerance * 1e9)

    def attempt(function, *arguments):
        try:
            return function(*arguments)
        except ValueError as error:
            if undecodable is None:
                raise
            undecodable(error)

    def complete(picture):
        when = decode.stamp(picture.header)
        near = [d for d in depths if abs(decode.stamp(d.header) - when) <= limit]
        best = min(near, key=lambda d: abs(decode.stamp(d.header) - when), default=None)
        frame = attempt(decode.frame, picture, best, info, depth_info)
        return frame and replace(frame, pose=poses.get(when))

    found = messages(path, [*filter(None, topics), POSE_TOPIC])
    while cut is None:
        try:
            message = next(found, None)
        except Cut as error:
            message, cut = None, error
        if message is None:
            break
        if message.topic == POSE_TOPIC and message.type != POSE:
            continue  # of another make
        if (decoded := attempt(deserialize, message)) is None:
            continue
        if message.topic == topics.info:
            info = decoded
        elif message.topic == topics.depth_info:
            depth_info = decoded
        elif message.topic == topics.depth:
            depths = [*depths[-9:], decoded]
        elif message.topic == POSE_TOPIC:
            poses[decode.stamp(decoded.header)] = attempt(_matrix, decoded.pose)
        else:
            waiting.append(decoded)
        # Colour may be recorded before its depth: it waits for three more pictures.
        while len(waiting) > (3 if topics.depth else 0):
            if (done := complete(waiting.pop(0))) is not None:
                yield done
    for picture in waiting:
        if (done := complete(picture)) is not None:
            yield done
    if cut is not None:
        raise cut


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
        write_message(bag, topic, frame.stamp, message)


def write_message(bag: Writer, topic: str, time: int, message) -> None:
    """Append a message that was made of TYPES."""
    kind = message.__msgtype__
    bag.write(topic, kind, time, bytes(TYPES.serialize_cdr(message, kind)))


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
    return kinds[POSE](header, kinds['geometry_msgs/msg/Pose'](place, turn))


def _matrix(pose) -> np.ndarray:
    turn, place = pose.orientation, pose.position
    return geometry.matrix((place.x, place.y, place.z), (turn.x, turn.y, turn.z, turn.w))


def _camera_info(kinds, header, camera: Camera):
    k = np.array([camera.fx, 0, camera.cx, 0, camera.fy, camera.cy, 0, 0, 1], np.float64)
    p = np.column_stack([k.reshape(3, 3), np.zeros(3)]).ravel()
    whole = kinds['sensor_msgs/msg/RegionOfInterest'](0, 0, 0, 0, False)
    return kinds[CAMERA_INFO](
        header, camera.height, camera.width, 'plumb_bob', np.zeros(5), k, np.eye(3).ravel(), p,
        0, 0, whole,
    )  # fmt: skip
