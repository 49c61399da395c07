"""
Show a running node's topics in a browser, without ROS tools.

Serves them to Foxglove (https://app.foxglove.dev or its desktop application: open connection,
Foxglove WebSocket). Import config/foxglove.json there as the layout. A topic is subscribed to only
while somebody looks at it, so that the node draws no pictures for nobody.
"""

from __future__ import annotations

import argparse
from collections import Counter
import functools
import threading
import time
from typing import NoReturn

import foxglove
from rclpy.executors import ExternalShutdownException
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rganet_ros import bag, cameras, models
from rganet_ros.node.outputs import TOPICS
from rganet_ros.node.player import message_class
from rganet_ros.node.short_lived import short_lived


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.description = __doc__
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument('--node', default='/perception', help='its full name (/perception)')
    parser.add_argument(
        '--image', default='/camera/color/image_raw', help='a picture to show as well'
    )
    parser.add_argument('--host', default='127.0.0.1', help='0.0.0.0: for other machines too')
    parser.add_argument('--port', type=int, default=8765, help='0: any (8765)')


class View(foxglove.ServerListener):
    """
    Channels of a Foxglove server, fed with messages as the bytes they are.

    The server tells in its own threads who looks at what; subscriptions are made in ours.
    """

    def __init__(self, node, kinds: dict[str, str]):
        """Offer topics; kinds: topic to type, as sensor_msgs/msg/Image."""
        self._node, self._kinds = node, kinds
        self._lock = threading.Lock()
        self._viewers: Counter[str] = Counter()
        self._subscriptions: dict[str, object] = {}
        self._channels = {
            topic: foxglove.Channel(
                topic,
                message_encoding='cdr',
                schema=foxglove.Schema(
                    name=kind, encoding='ros2msg', data=bag.definition(kind).encode()
                ),
            )
            for topic, kind in kinds.items()
        }

    def on_subscribe(self, client, channel) -> None:
        """Note that somebody looks at a topic; called by the server."""
        with self._lock:
            self._viewers[channel.topic] += 1

    def on_unsubscribe(self, client, channel) -> None:
        """Note that somebody looks no more; called by the server."""
        with self._lock:
            self._viewers[channel.topic] -= 1

    def update(self) -> None:
        """Subscribe to what is looked at, and to nothing else."""
        with self._lock:
            wanted = {topic for topic, count in self._viewers.items() if count > 0}
        for topic in wanted - set(self._subscriptions):
            self._subscriptions[topic] = self._node.create_subscription(
                message_class(self._kinds[topic]),
                topic,
                functools.partial(self._pass_on, topic),
                QoSProfile(depth=2, reliability=ReliabilityPolicy.BEST_EFFORT),
                raw=True,
            )
        for topic in set(self._subscriptions) - wanted:
            self._node.destroy_subscription(self._subscriptions.pop(topic))

    def _pass_on(self, topic: str, data: bytes) -> None:
        self._channels[topic].log(data, log_time=time.time_ns())


def topics_of(name: str, image: str) -> dict[str, str]:
    """List the topics of a node, the diagnostics and a camera's picture, with their types."""
    kinds = {f'{name}/{topic}': _type(kind) for topic, kind in TOPICS.items()}
    kinds['/diagnostics'] = 'diagnostic_msgs/msg/DiagnosticArray'
    return kinds | ({image: cameras.IMAGE} if image else {})


def _type(kind: type) -> str:
    return f'{kind.__module__.partition(".")[0]}/msg/{kind.__name__}'


def run(args: argparse.Namespace) -> int:
    """Serve until interrupted; returns the exit status."""
    try:
        with short_lived('view') as (node, executor):
            _serve(args, node, executor)
    except (KeyboardInterrupt, ExternalShutdownException):
        return 0


def _serve(args: argparse.Namespace, node, executor) -> NoReturn:
    view = View(node, topics_of(args.node.rstrip('/'), args.image))
    try:
        server = foxglove.start_server(
            name=args.node, host=args.host, port=args.port, server_listener=view,
            message_backlog_size=16,
        )  # fmt: skip
    except (OverflowError, RuntimeError) as error:
        raise ValueError(
            f'cannot serve on {args.host}:{args.port} ({error}): --host must be an address of '
            'this machine and --port one in 1..65535 that nobody uses, or 0 for any'
        ) from None
    try:
        print(f'serving ws://{args.host}:{server.port}', flush=True)
        print(f'layout: {models.share("config") / "foxglove.json"}', flush=True)
        while True:
            executor.spin_once(timeout_sec=0.1)
            view.update()
    finally:
        server.stop()
