"""Which topics of a bag are one camera's: told by type, encoding and name."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

IMAGE, COMPRESSED = 'sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage'
CAMERA_INFO, CLOUD = 'sensor_msgs/msg/CameraInfo', 'sensor_msgs/msg/PointCloud2'
POSE = 'geometry_msgs/msg/PoseStamped'
TRANSPORTS = ('compressed', 'compressedDepth')  # the last word of a compressed picture's topic
MASK = 'workspace_mask'  # the last word of the topic of a mask, a picture too

# What this package calls a camera's topics where it writes a bag.
COLOUR_TOPIC = '/camera/color/image_raw'
DEPTH_TOPIC = '/camera/aligned_depth_to_color/image_raw'
INFO_TOPIC = '/camera/color/camera_info'
POSE_TOPIC = '/camera/pose'  # geometry_msgs/PoseStamped, of the optical frame in the world


class Topics(NamedTuple):
    """Names of the topics of a camera; '' where it has none."""

    image: str
    depth: str = ''
    info: str = ''
    depth_info: str = ''


def pictures(types: Mapping[str, str]) -> set[str]:
    """
    Name the topics of pictures that a camera may have taken, among topics and their types.

    A raw picture goes before its compressed copy. What stands beside a topic `candidates` is what
    this package's node made of pictures, and MASK what it was told.
    """
    answers = {_parent(topic) for topic, kind in types.items()
               if kind == CLOUD and topic.endswith('/candidates')}  # fmt: skip
    found = {topic for topic, kind in types.items() if kind in (IMAGE, COMPRESSED)}
    return {
        topic
        for topic in found
        if _parent(raw := raw_name(topic)) not in answers
        and (raw == topic or raw not in found)
        and raw.rpartition('/')[2] != MASK
    }


def raw_name(topic: str) -> str:
    """Give the topic of which this one is a compressed copy, or itself."""
    return _parent(topic) if topic.rpartition('/')[2] in TRANSPORTS else topic


def group(
    colours: Collection[str], depths: Collection[str], infos: Collection[str], info: str = ''
) -> list[Topics]:
    """
    Put the topics of each camera together, by name: a depth goes to the colour it is named like.

    info  is that of all colours, where it is given; else it is found

    Raises ValueError where more than one answer is as good.
    """
    found = []
    for colour in sorted(colours):
        depth = _depth(colour, depths, len(colours) == 1)
        mine = info or _info(colour, infos, colours)
        its = _beside(depth)
        found.append(
            Topics(colour, depth, mine, its if depth and its in {*infos} - {mine} else '')
        )
    given = [each.depth for each in found if each.depth]
    if len(given) > len(set(given)):
        raise ValueError(
            f'several colour topics go with one depth topic: {", ".join(sorted(colours))} with '
            f'{", ".join(sorted(set(given)))}'
        )
    return found


def _depth(colour: str, depths: Collection[str], alone: bool) -> str:
    likeness = {depth: _shared(colour, depth) for depth in depths}
    best = max(likeness.values(), default=0)
    if not alone and not best:
        return ''
    near = sorted(depth for depth, shared in likeness.items() if shared == best)
    if len(near) > 1:  # both the sensor's own, and what was brought to the colour's pixels
        near = [depth for depth in near if 'aligned' in depth or 'registered' in depth] or near
    if len(near) > 1:
        raise ValueError(f'several depth topics go with {colour}: {", ".join(near)}')
    return near[0] if near else ''


def _info(colour: str, infos: Collection[str], colours: Collection[str]) -> str:
    beside = _beside(colour)
    if beside in infos or len(colours) > 1 or not infos:
        return beside if beside in infos else ''
    if len(infos) > 1:
        raise ValueError(
            f'several camera_info topics go with {colour}: {", ".join(sorted(infos))}'
        )
    return next(iter(infos))


def _beside(picture: str) -> str:
    return f'{_parent(raw_name(picture))}/camera_info'


def _parent(topic: str) -> str:
    return topic.rpartition('/')[0]


def _shared(one: str, other: str) -> int:
    """Count the words that two names begin with alike."""
    count = 0
    for mine, its in zip(one.strip('/').split('/'), other.strip('/').split('/')):
        if mine != its:
            break
        count += 1
    return count
