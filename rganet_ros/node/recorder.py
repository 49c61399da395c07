"""
Record what the node publishes, and measure how late it comes.

    python -m rganet_ros.node.recorder --node /perception --bag out/bag --summary out/summary.json

Ends on SIGINT, or when no candidates came for a while after the first. Latency is from the stamp
of the picture to the arrival of its candidates, and means something where the stamps are of this
machine's clock.
"""

from __future__ import annotations

import argparse
from collections import Counter
import functools
from pathlib import Path
import struct
import sys
import time

from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.signals import SignalHandlerOptions
from rganet_ros import bag, record, report
from rganet_ros.node.player import message_class
from rganet_ros.node.short_lived import exit_status, noted_signals, short_lived, spin

TOPICS = {
    'candidates': 'sensor_msgs/msg/PointCloud2',
    'poses': 'geometry_msgs/msg/PoseArray',
    'best': 'geometry_msgs/msg/PoseStamped',
    'markers': 'visualization_msgs/msg/MarkerArray',
    'overlay': 'sensor_msgs/msg/Image',
    'labels': 'sensor_msgs/msg/Image',
    'affordance': 'sensor_msgs/msg/Image',
}
DIAGNOSTICS = 'diagnostic_msgs/msg/DiagnosticArray'


class Recorder:
    """Subscriptions to a node's topics, as bytes, into a bag; and what is measured on the way."""

    def __init__(self, node, name: str, writer: record.Writer):
        """Subscribe to the topics below `name`, and to /diagnostics."""
        self._writer = writer
        self.counts: Counter[str] = Counter()
        self.latencies: list[float] = []  # milliseconds
        self.arrivals: list[float] = []  # seconds, of candidates
        self.candidates = 0
        self.diagnostics: dict[str, str] = {}
        self._name = name
        self.topics = {f'{name}/{topic}': kind for topic, kind in TOPICS.items()}
        self.topics['/diagnostics'] = DIAGNOSTICS
        qos = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)
        for topic, kind in self.topics.items():
            take = functools.partial(self._take, topic, kind)
            node.create_subscription(message_class(kind), topic, take, qos, raw=True)

    def _take(self, topic: str, kind: str, data: bytes) -> None:
        now = time.time_ns()
        self.counts[topic.rpartition('/')[2]] += 1
        if topic == f'{self._name}/candidates':
            order = '<' if data[1] & 1 else '>'
            seconds, nanoseconds = struct.unpack(f'{order}iI', data[4:12])
            self.latencies.append((now - seconds * 1_000_000_000 - nanoseconds) / 1e6)
            self.arrivals.append(time.monotonic())
            self.candidates += bag.deserialize(bag.Message(topic, kind, now, data)).width
            print(f'recorded {len(self.arrivals)}', flush=True)
        elif topic == '/diagnostics':
            for status in bag.deserialize(bag.Message(topic, kind, now, data)).status:
                if status.name == self._name:
                    self.diagnostics = {each.key: each.value for each in status.values}
        self._writer.write(topic, kind, now, data)

    def summary(self) -> dict:
        """Sum up: messages by topic, Hz, latency, candidates per frame, the last diagnostics."""
        frames = len(self.arrivals)
        span = self.arrivals[-1] - self.arrivals[0] if frames > 1 else 0.0
        return {
            'frames': frames,
            'messages': dict(self.counts),
            'hz': round((frames - 1) / span, 2) if span else None,
            'latency_ms': report.percentiles(self.latencies),
            'candidates_per_frame': round(self.candidates / frames, 2) if frames else None,
            'diagnostics': self.diagnostics,
        }


def _run(args: argparse.Namespace, stopped: list) -> None:
    with short_lived('recorder', SignalHandlerOptions.NO) as (node, executor):
        with record.Writer(args.bag) as writer:
            recorder = Recorder(node, args.node, writer)
            for _ in spin(node, executor, f'{args.node}/candidates', stopped):
                last = recorder.arrivals[-1] if recorder.arrivals else float('inf')
                if args.idle and time.monotonic() - last > args.idle:
                    break
        report.write_json(args.summary, recorder.summary())


def main(argv: list[str] | None = None) -> int:
    """Record; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, prog='recorder')
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument('--node', default='/perception', help='its full name (/perception)')
    parser.add_argument('--bag', type=Path, required=True, help='folder to make')
    parser.add_argument('--summary', type=Path, required=True, help='JSON file to write')
    parser.add_argument('--idle', type=float, default=0.0, help='end after so many silent seconds')
    args = parser.parse_args(argv)
    return exit_status('recorder', _run, args, noted_signals())


if __name__ == '__main__':
    sys.exit(main())
