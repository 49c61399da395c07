"""
Play a bag, or a folder of pictures, on topics at its own rate.

    python -m rganet_ros.node.player BAG --rate 0.5 --loop 3 --restamp

Messages of a bag go out as the bytes they are. It waits until somebody listens.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
import dataclasses
from importlib import import_module
from pathlib import Path
import struct
import sys
import tempfile
import time

from rclpy.duration import Duration
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rganet_ros import bag, pictures, record
from rganet_ros.node.short_lived import exit_status, short_lived
from rganet_ros.transforms import FIXED_TOPIC

SETTLE = 1.0  # seconds for both sides to know of each other


class Player:
    """Publishers for the topics of a bag; messages as bytes, in time."""

    def __init__(self, node, path: Path, rate: float, restamp: bool):
        """Create the publishers; `rate` 2 is twice as fast as recorded."""
        self._node, self._path, self._rate, self._restamp = node, path, rate, restamp
        self.camera = bag.find_cameras(path)[0].image  # of several, one counts
        kinds = bag.topics_of(path)
        types = {topic: _class_or_none(kind) for topic, kind in kinds.items()}
        if missing := sorted({kinds[topic] for topic, kind in types.items() if kind is None}):
            print(f'not played, types that are not installed: {", ".join(missing)}', flush=True)
        types = {topic: kind for topic, kind in types.items() if kind is not None}
        self._headed = {topic for topic, kind in types.items() if _starts_with_header(kind)}
        self._publishers = {
            topic: node.create_publisher(kind, topic, _qos(topic)) for topic, kind in types.items()
        }

    def wait(self, seconds: float) -> None:
        """Wait for a listener, and for all there are; TimeoutError when there is none in time."""
        end, heard = time.monotonic() + seconds, False
        while not heard:
            time.sleep(SETTLE)
            heard = self._is_heard()
            if not heard and time.monotonic() > end:
                raise TimeoutError(
                    f'nobody listens to {", ".join(self._publishers)} after {seconds:g} s: '
                    'start the node, or check its remappings and ROS_DOMAIN_ID'
                )

    def _is_heard(self) -> bool:
        """Whether somebody listens, and nobody who is known of is still to be connected."""
        counts = [
            (publisher.get_subscription_count(), self._node.count_subscribers(topic))
            for topic, publisher in self._publishers.items()
        ]
        return any(now for now, _ in counts) and all(now >= known for now, known in counts)

    def play(self) -> Iterator[str]:
        """Publish all messages once, each in time, and wait for what would be the next picture."""
        began, first, times = time.monotonic(), None, []
        new: dict[bytes, int] = {}  # stamps: messages of one moment stay so
        for message in bag.messages(self._path, self._publishers):
            first = message.time if first is None else first
            due = began + (message.time - first) / 1e9 / self._rate
            time.sleep(max(0.0, due - time.monotonic()))
            stamp = None
            if self._restamp:
                stamp = new.setdefault(message.data[4:12], time.time_ns())
            self.send(message, stamp)
            if message.topic == self.camera:
                times.append(message.time)
            yield message.topic
        if len(times) > 1:
            time.sleep((times[-1] - times[0]) / (len(times) - 1) / 1e9 / self._rate)

    def send(self, message: bag.Message, stamp: int | None = None) -> None:
        """Publish a message, with a new stamp (nanoseconds) where it has one at all."""
        data = message.data
        if stamp is not None and message.topic in self._headed:
            data = data[:4] + _stamped(stamp, little_endian=bool(data[1] & 1)) + data[12:]
        self._publishers[message.topic].publish(data)

    def close(self) -> None:
        """Wait until what was sent has come."""
        for publisher in self._publishers.values():
            publisher.wait_for_all_acked(Duration(seconds=2))


def _qos(topic: str) -> QoSProfile:
    """Whoever comes later is told what is said once; of the rest nothing old."""
    latched = topic == FIXED_TOPIC
    durability = DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE
    return QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE, durability=durability)


def message_class(kind: str) -> type:
    """Import the class of a message type such as sensor_msgs/msg/Image."""
    package, _, name = kind.split('/')
    return getattr(import_module(f'{package}.msg'), name)


def _class_or_none(kind: str) -> type | None:
    try:
        return message_class(kind)
    except (ImportError, AttributeError):
        return None


def _starts_with_header(kind: type) -> bool:
    return next(iter(kind.get_fields_and_field_types().values()), '') == 'std_msgs/Header'


def _stamped(stamp: int, little_endian: bool) -> bytes:
    """Write a stamp as CDR has it: int32 seconds, uint32 nanoseconds."""
    return struct.pack('<iI' if little_endian else '>iI', *divmod(stamp, 1_000_000_000))


@contextmanager
def as_bag(path: Path, hz: float):
    """Give the bag itself, or one made of a folder of pictures, each shown for 1 / hz seconds."""
    if bag.is_bag(path):
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        frames = (
            dataclasses.replace(frame, stamp=round(index * 1e9 / hz))
            for index, (_, frame) in enumerate(pictures.folder_frames(path))
        )
        made = Path(folder) / 'pictures'
        record.write_frames(made, frames)
        yield made


def _run(args: argparse.Namespace) -> None:
    with as_bag(args.path, args.hz) as path, short_lived('player') as (node, _):
        player = Player(node, path, args.rate, args.restamp)
        player.wait(args.timeout)
        count = 0
        end = time.monotonic() + (args.seconds or float('inf'))
        for _ in range(args.loop):
            for topic in player.play():
                if topic == player.camera:
                    count += 1
                    print(f'played {count}', flush=True)
                if time.monotonic() > end:
                    break
            if time.monotonic() > end:
                print(f'cut after {args.seconds:g} s', flush=True)
                break
        player.close()


def main(argv: list[str] | None = None) -> int:
    """Play; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, prog='player')
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument('path', type=Path, help='a bag, or a folder of pictures')
    parser.add_argument('--rate', type=float, default=1.0, help='2 is twice as fast (1)')
    parser.add_argument('--hz', type=float, default=2.0, help='of a folder of pictures (2)')
    parser.add_argument('--loop', type=int, default=1, help='play so many times (1)')
    parser.add_argument('--seconds', type=float, help='stop after so long')
    parser.add_argument('--restamp', action='store_true', help='stamps of now, not of the bag')
    parser.add_argument('--timeout', type=float, default=30.0, help='wait for a listener (30 s)')
    args = parser.parse_args(argv)
    return exit_status('player', _run, args)


if __name__ == '__main__':
    sys.exit(main())
