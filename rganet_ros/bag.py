"""
Bags of rosbag2 (mcap, sqlite3), read without ROS.

Messages pass as CDR bytes: what is only copied, played or recorded is never decoded. A bag that
was cut off is read to its last good message; then it raises Cut, a ValueError.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager, ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rganet_ros import cameras, decode, geometry, inflate, salvage
from rganet_ros.cameras import CAMERA_INFO, POSE, POSE_TOPIC, Topics
from rganet_ros.encodings import DEPTHS
from rganet_ros.inflate import Oversized
from rganet_ros.messages import TYPES
from rganet_ros.rectify import LensOptions
from rganet_ros.registration import apart
from rganet_ros.salvage import Cut
from rganet_ros.transforms import FIXED_KIND, FIXED_TOPIC, FixedTransforms
from rganet_ros.types import Frame
from rosbags.rosbag2 import Reader


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
    """Give its files, inflated, and a reader for each; no readers where one has no index."""
    if not path.exists():
        raise FileNotFoundError(f'no bag {path}')
    with ExitStack() as stack:
        settled = stack.enter_context(salvage.settled(salvage.files(path)))
        files = stack.enter_context(inflate.plain(settled))
        readers = []
        # rosbags and its storage layers raise many kinds. By file: told of compression by
        # metadata.yaml, it would inflate without bounds.
        with suppress(Exception):
            readers = [stack.enter_context(Reader(file)) for file in files]
        yield files, readers


def topics_of(path: str | Path) -> dict[str, str]:
    """List topics and their types."""
    path = Path(path)
    found: dict[str, str] = {}
    with _opened(path) as (files, readers):
        if readers:
            return {c.topic: c.msgtype for each in readers for c in each.connections}
        try:
            found.update((topic, kind) for topic, kind, _, _ in salvage.messages(path, files))
        except Cut:
            if not found:
                raise
    return found


def messages(path: str | Path, topics: Collection[str] | None = None) -> Iterator[Message]:
    """Go through a bag in the order of recording; Cut, after what can be read, at a cut."""
    path, count = Path(path), 0
    with _opened(path) as (files, readers):
        try:
            for each in readers:
                wanted = [c for c in each.connections if topics is None or c.topic in topics]
                for connection, time, data in each.messages(wanted) if wanted else ():
                    data = inflate.message(bytes(data))
                    yield Message(connection.topic, connection.msgtype, time, data)
                    count += 1
        except (OSError, GeneratorExit, Oversized):
            raise
        except Exception as error:
            if count:
                raise Cut(f'bag {path} is damaged after {count} messages: {error}') from error
            readers = []
        if not readers:
            for found in salvage.messages(path, files):
                if topics is None or found[0] in topics:
                    yield Message(*found)
    salvage.check_complete(path)


def count(path: str | Path, topics: Collection[str]) -> int | None:
    """Say how many messages of some topics a bag has; None where it does not tell."""
    with _opened(Path(path)) as (_, readers):
        every = [c for each in readers for c in each.connections]
        return sum(c.msgcount for c in every if c.topic in topics) if readers else None


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


def fixed_transforms(path: str | Path) -> FixedTransforms:
    """Read what the /tf_static of a bag tells; of a bag that was cut off, what is left of it."""
    found = FixedTransforms()
    with suppress(Cut):
        for message in messages(path, [FIXED_TOPIC]):
            if message.type == FIXED_KIND:
                found.add(deserialize(message))
    return found


def frames(
    path: str | Path, topics: Topics | None = None, tolerance: float = 0.02, undecodable=None,
    lens: LensOptions | None = None,
) -> Iterator[Frame]:  # fmt: skip
    """
    Go through a camera's frames in a bag: every colour picture, in order.

    Each is paired with the depth nearest to its stamp within `tolerance` seconds (without depth
    otherwise), with the last camera_info, and with the pose of its stamp on POSE_TOPIC, where the
    bag has that. A frame, or a message, that cannot be decoded is given to `undecodable(error)`,
    or raises without it. Cut, after the last good frame, at a cut.

    lens  whether the pictures are raw, and whether depth is to be brought into colour's frame
    """
    topics, lens = topics or find_topics(path), lens or LensOptions()
    fixed = fixed_transforms(path) if lens.register_depth else None
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
        frame = attempt(make, picture, best)
        return frame and replace(frame, pose=poses.get(when))

    def make(picture, depth):
        pose = None
        if fixed is not None and depth is not None:
            ends = picture.header.frame_id, depth.header.frame_id
            pose = fixed.pose(*ends) if apart(*ends) else None
        return decode.frame(picture, depth, info, depth_info, lens.rectify, pose)

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
        # Colour may be recorded before what it needs: it waits for three more pictures.
        needs_info = lens.rectify and topics.info and info is None
        while len(waiting) > (3 if topics.depth or needs_info else 0):
            if (done := complete(waiting.pop(0))) is not None:
                yield done
    for picture in waiting:
        if (done := complete(picture)) is not None:
            yield done
    if cut is not None:
        raise cut


def _matrix(pose) -> np.ndarray:
    turn, place = pose.orientation, pose.position
    return geometry.matrix((place.x, place.y, place.z), (turn.x, turn.y, turn.z, turn.w))
