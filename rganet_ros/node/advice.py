"""What a running system lacks, from what was heard of it; without ROS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
import os

from rganet_ros import cameras, decode, rectify
from rganet_ros.cameras import CAMERA_INFO, MASK, Topics
from rganet_ros.encodings import DEPTHS, Undecodable
from rganet_ros.node.lens import distorts
from rganet_ros.node.pairing import Pairing

OLD = 1.0  # seconds that a stamp may differ from now
TOLERANCE = 0.02  # seconds, where no node says another
OPTIONAL = ('depth_camera_info', MASK)  # inputs that nobody has to publish


@dataclass
class Topic:
    """
    A topic as it was heard.

    kind     type, as sensor_msgs/msg/Image
    offers   QoS of each publisher, in words
    arrived  of each message, seconds
    stamps   of each message, nanoseconds
    ages     stamp against the wall clock at arrival, seconds; none of zero stamps
    first    the first message
    """

    kind: str
    offers: list[str] = field(default_factory=list)
    arrived: list[float] = field(default_factory=list)
    stamps: list[int] = field(default_factory=list)
    ages: list[float] = field(default_factory=list)
    first: object | None = None

    @property
    def hz(self) -> float | None:
        """Messages a second; None of fewer than two."""
        if len(self.arrived) < 2:
            return None
        return (len(self.arrived) - 1) / max(self.arrived[-1] - self.arrived[0], 1e-6)

    @property
    def age(self) -> float | None:
        """Give the median age; None where no stamp tells."""
        return sorted(self.ages)[len(self.ages) // 2] if self.ages else None

    @property
    def is_depth(self) -> bool:
        """Whether its pictures are depth."""
        return self.first is not None and decode.encoding(self.first) in DEPTHS


@dataclass(frozen=True)
class Node:
    """
    A perception node.

    state       of its life cycle; '' where it does not answer
    listens     topics that it subscribes to
    parameters  some of them, by name
    said        of /diagnostics, its message; '' where there was none
    fine        whether the level of that was OK
    """

    name: str
    state: str
    listens: frozenset[str] = frozenset()
    parameters: Mapping[str, object] = field(default_factory=dict)
    said: str = ''
    fine: bool = True


def describe(topic: Topic) -> str:
    """Say what a topic is, in one line."""
    words = [topic.kind.rpartition('/')[2]]
    if topic.first is not None:
        words[0] += f' {_content(topic)}, in frame {topic.first.header.frame_id!r}'
        words.append(f'{topic.hz:.1f} Hz' if topic.hz else 'one message')
        words.append('stamps of zero' if topic.age is None else f'stamps {topic.age:.3f} s old')
    words.append(f'publishers: {"; ".join(topic.offers)}')
    return ', '.join(words)


def _content(topic: Topic) -> str:
    message = topic.first
    if topic.kind == CAMERA_INFO:
        return f'{message.width} x {message.height}'
    try:
        shape = (decode.depth if topic.is_depth else decode.rgb)(message).shape
    except Undecodable as error:
        return f'that cannot be read ({error})'
    return f'{decode.encoding(message) or "of no encoding"} {shape[1]} x {shape[0]}'


def changes(
    topics: Mapping[str, Topic],
    order: Sequence[tuple[str, int]],
    nodes: Sequence[Node],
    others: int,
    sim_time: bool,
) -> list[str]:
    """
    Say what to change, a sentence each; nothing where all is well.

    topics    of pictures and camera_info that have publishers; a mask is left out
    order     topic and stamp of every message, as they came
    others    how many nodes there are, whatever they do
    sim_time  whether somebody publishes /clock
    """
    if not others:
        return [
            f'Nobody else is here: is ROS_DOMAIN_ID ({os.environ.get("ROS_DOMAIN_ID", "0")}) the '
            'same there, and do ROS_AUTOMATIC_DISCOVERY_RANGE and ROS_LOCALHOST_ONLY let it in?'
        ]
    topics = {name: each for name, each in topics.items() if name.rpartition('/')[2] != MASK}
    said = [sentence for name, topic in topics.items() for sentence in _topic(name, topic)]
    if not topics:
        said.append('Nobody publishes pictures: start the driver of the camera.')
    said += _ages(topics, nodes, sim_time)
    for node in nodes:
        said += _node(node, topics)
    hearing = [node for node in nodes if node.listens & set(topics)]
    for node in hearing or [Node('', '', frozenset(topics))]:
        heard = {name: topics[name] for name in sorted(node.listens & set(topics))}
        said += _cameras(heard, order, node.parameters)
    if not nodes:
        found = _found(topics)
        said.append(f'No perception node runs: ros2 launch rganet_ros perception.launch.py{found}')
    return list(dict.fromkeys(said))  # of two nodes on one camera once


def _topic(name: str, topic: Topic) -> list[str]:
    if topic.first is None:
        return [
            f'{name} has a publisher and nothing came: it stands still, or its pictures do not '
            'fit into shared memory: start its process and this one with config/fastdds.xml.'
        ]
    if topic.kind != CAMERA_INFO:
        return []
    if rectify.camera(topic.first) is None:
        return [f'{name} holds no calibration (fx is 0): there will be no poses; calibrate.']
    return []


def _ages(topics: Mapping[str, Topic], nodes: Sequence[Node], sim_time: bool) -> list[str]:
    far = {name: topic.age for name, topic in topics.items()
           if topic.age is not None and abs(topic.age) > OLD}  # fmt: skip
    if not far:
        return []
    age = max(far.values(), key=abs)
    which, limits = ', '.join(far), [node.parameters.get('max_age') for node in nodes]
    how = f'{abs(age):.1f} s {"old" if age > 0 else "in the future"}'
    if sim_time:
        advice = '/clock is published: set use_sim_time to true in all nodes'
    else:
        advice = 'clocks of two machines differ (use chrony), or a bag is played as it was'
    dropped = '; max_age drops them' if any(limit and age > limit for limit in limits) else ''
    return [f'Stamps of {which} are {how}: {advice}{dropped}.']


def _node(node: Node, topics: Mapping[str, Topic]) -> list[str]:
    said = []
    if not node.state:
        said.append(f'{node.name} does not answer: it hangs, or is not there any more.')
    elif node.state != 'active':
        step = 'activate' if node.state == 'inactive' else 'configure'
        said.append(
            f'{node.name} is {node.state}: its log says why, or it waits for its manager; '
            f'ros2 lifecycle set {node.name} {step}.'
        )
    silent = sorted(
        topic for topic in node.listens - set(topics) if topic.rpartition('/')[2] not in OPTIONAL
    )
    if silent:
        found = _found(topics)
        remap = f': start it with{found}' if found else ', nor pictures at all'
        said.append(f'{node.name} listens to {", ".join(silent)}, which nobody publishes{remap}')
    elif node.said and not node.fine:
        said.append(f'{node.name} says: {node.said}.')
    return said


def _found(topics: Mapping[str, Topic]) -> str:
    """Write remappings onto the first camera that is there."""
    try:
        found = group(topics)
    except ValueError:
        return ' image:=... depth:=... camera_info:=... (see the topics above)'
    if not found:
        return ''
    named = {'image': found[0].image, 'depth': found[0].depth, 'camera_info': found[0].info}
    words = ''.join(
        f' {name}:={cameras.raw_name(topic)}' for name, topic in named.items() if topic
    )
    return words if found[0].depth else f"{words} depth:=''"


def group(topics: Mapping[str, Topic]) -> list[Topics]:
    """Find the cameras among topics; ValueError where that is not clear."""
    kinds = {name: topic.kind for name, topic in topics.items() if topic.first is not None}
    pictures = cameras.pictures(kinds)
    depths = {name for name in pictures if topics[name].is_depth}
    infos = [name for name, kind in kinds.items() if kind == CAMERA_INFO]
    return cameras.group(pictures - depths, depths, infos) if pictures - depths else []


def _cameras(
    topics: Mapping[str, Topic], order: Sequence[tuple[str, int]], parameters: Mapping[str, object]
) -> list[str]:
    """Say what is wrong with what a node of these parameters hears, or one of none would."""
    try:
        found = group(topics)
    except ValueError as error:
        return [f'What is of one camera is not clear ({error}): remap image, depth, camera_info.']
    said, rectifies = [], bool(parameters.get('rectify'))
    with_depth = parameters.get('depth', True)
    for camera in found:
        first = [topics[name].first if name else None for name in camera]
        try:
            decode.frame(*first, rectifies)
        except Undecodable as error:
            if error.reason != 'depth_frame' or not parameters.get('register_depth'):
                said.append(f'{camera.image}: {error}.')
        if not camera.info and with_depth:
            said.append(f'{camera.image} has no camera_info beside it: there will be no poses.')
        elif camera.info and not rectifies and (why := distorts(camera.info, first[2])):
            said.append(f'{why}.')
        if camera.depth:
            said += _pairs(camera, order, parameters.get('tolerance', TOLERANCE))
        elif with_depth:
            said.append(f"{camera.image} has no depth: depth:='' and a model for colour alone.")
    return said


def _pairs(camera: Topics, order: Sequence[tuple[str, int]], tolerance: float) -> list[str]:
    pairing, sets = Pairing(True, tolerance), 0
    takes = {
        camera.image: pairing.image, camera.depth: pairing.depth, camera.info: pairing.camera_info
    }  # fmt: skip
    for name, stamp in order:
        if name in takes:
            sets += takes[name](stamp, name) is not None
    pictures = pairing.received['image']
    if sets > pictures / 2 or min(pictures, pairing.received['depth']) < 2:
        return []
    why = pairing.stuck() or f'within parameter tolerance, {tolerance:g} s'
    return [
        f'{camera.image} and {camera.depth}: {sets} of {pictures} pictures have their depth and '
        f'camera_info: {why}.'
    ]
