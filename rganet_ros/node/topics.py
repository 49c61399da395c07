"""Look at a running system for some seconds: its cameras, its perception nodes, what they lack."""

from __future__ import annotations

import functools
import time

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from lifecycle_msgs.srv import GetState
from rcl_interfaces.srv import GetParameters
from rclpy.executors import ExternalShutdownException
from rclpy.parameter import parameter_value_to_python
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rganet_ros import bag, cameras, decode
from rganet_ros.cameras import CAMERA_INFO, COMPRESSED, IMAGE
from rganet_ros.node import advice
from rganet_ros.node.advice import Topic
from rganet_ros.node.inputs import describe_qos
from rganet_ros.node.player import message_class
from rganet_ros.node.short_lived import short_lived

KINDS = (IMAGE, COMPRESSED, CAMERA_INFO)
SETTLE = 1.0  # seconds until a new node knows of the others
ANSWER = 3.0  # seconds for a service
OWN = {'get_state', 'trigger', 'save', 'reset'}  # services that tell a perception node
ASKED = ('tolerance', 'max_age', 'depth', 'rectify', 'register_depth')


class Listener:
    """
    Subscriptions to all cameras of a system.

    topics  as they were heard, by name
    order   topic and stamp of every message, as they came
    said    the last status of /diagnostics by its name
    """

    def __init__(self, node):
        """Listen to /diagnostics; to cameras from `update` on."""
        self._node = node
        self.topics: dict[str, Topic] = {}
        self.order: list[tuple[str, int]] = []
        self.said: dict[str, DiagnosticStatus] = {}
        node.create_subscription(DiagnosticArray, '/diagnostics', self._on_diagnostics, 10)

    def _on_diagnostics(self, message) -> None:
        self.said |= {status.name: status for status in message.status}

    def update(self) -> None:
        """Subscribe to what is new, as its publishers allow."""
        known = dict(self._node.get_topic_names_and_types())
        types = {name: kind for name, (kind, *_) in known.items()}
        infos = {name for name, kind in types.items() if kind == CAMERA_INFO}
        for name in sorted(cameras.pictures(types) | infos):
            there = self._node.get_publishers_info_by_topic(name)
            if not there:
                continue
            topic = self.topics.get(name)
            if topic is None:
                topic = self.topics[name] = Topic(types[name])
                policies = {info.qos_profile.reliability for info in there}
                every = policies == {ReliabilityPolicy.RELIABLE}
                how = ReliabilityPolicy.RELIABLE if every else ReliabilityPolicy.BEST_EFFORT
                self._node.create_subscription(
                    message_class(topic.kind), name, functools.partial(self._take, name),
                    QoSProfile(depth=10, reliability=how), raw=True,
                )  # fmt: skip
            topic.offers = sorted(describe_qos(info.qos_profile) for info in there)

    def _take(self, name: str, data: bytes) -> None:
        topic, now = self.topics[name], time.time()
        try:
            message = bag.deserialize(bag.Message(name, topic.kind, 0, data))
        except ValueError:
            return  # of another type's publisher
        stamp = decode.stamp(message.header)
        topic.first = message if topic.first is None else topic.first
        topic.arrived.append(time.monotonic())
        topic.stamps.append(stamp)
        if stamp:
            topic.ages.append(now - stamp / 1e9)
        self.order.append((name, stamp))


def find_nodes(node, ask, said: dict[str, DiagnosticStatus]) -> list[advice.Node]:
    """Find the perception nodes by their services; ask(type, name, request) calls one."""
    services = {name for name, _ in node.get_service_names_and_types()}
    names = {name.rpartition('/')[0] for name in services if name.endswith('/trigger')}
    found = []
    for name in sorted(each for each in names if {f'{each}/{own}' for own in OWN} <= services):
        state = ask(GetState, f'{name}/get_state', GetState.Request())
        request = GetParameters.Request(names=ASKED)
        values = ask(GetParameters, f'{name}/get_parameters', request)
        parameters = {k: parameter_value_to_python(v)
                      for k, v in zip(ASKED, values.values if values else ())}  # fmt: skip
        space, _, own = name.rpartition('/')
        hears = node.get_subscriber_names_and_types_by_node(own, space or '/')
        listens = frozenset(topic for topic, kinds in hears if set(kinds) & set(KINDS))
        status = said.get(name)
        text, level = (status.message, status.level) if status else ('', DiagnosticStatus.OK)
        label = state.current_state.label if state else ''
        found.append(
            advice.Node(name, label, listens, parameters, text, level == DiagnosticStatus.OK)
        )
    return found


def look(seconds: float) -> int:
    """Look, and print what is there and what to change; returns 1 where something is."""
    try:
        with short_lived('rganet_doctor') as (node, executor):
            listener, end = Listener(node), time.monotonic() + SETTLE + seconds
            node.create_timer(0.5, listener.update)
            while time.monotonic() < end:
                executor.spin_once(timeout_sec=0.1)
            nodes = find_nodes(node, functools.partial(_ask, node, executor), listener.said)
            others = len(node.get_node_names()) - 1
            return _tell(listener, nodes, others, bool(node.count_publishers('/clock')))
    except (KeyboardInterrupt, ExternalShutdownException):
        return 130


def _ask(node, executor, kind, name, request):
    """Call a service; None where no answer comes."""
    client = node.create_client(kind, name)
    try:
        if not client.wait_for_service(ANSWER):
            return None
        future = client.call_async(request)
        executor.spin_until_future_complete(future, ANSWER)
        return future.result() if future.done() else None
    finally:
        node.destroy_client(client)


def _tell(listener: Listener, nodes: list[advice.Node], others: int, sim_time: bool) -> int:
    for name, topic in sorted(listener.topics.items()):
        print(f'{name}: {advice.describe(topic)}')
    for each in nodes:
        print(f'{each.name}: {each.state or "no answer"}; {each.said or "no diagnostics"}')
    said = advice.changes(listener.topics, listener.order, nodes, others, sim_time)
    print('', *(said or ['All is well.']), sep='\n')
    return 1 if said else 0
