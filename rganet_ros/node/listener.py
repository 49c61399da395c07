"""
What a robot's planner would hear of a node: when each answer came, and what the node says.

    python -m rganet_ros.node.listener --node /perception

Prints `ready`, then a line of JSON for each message: `came` (wall clock, nanoseconds) and, of
candidates, `stamp` and how many `candidates`; of diagnostics, `said`. Ends on SIGINT.
"""

from __future__ import annotations

import argparse
import json
import sys
import time

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.signals import SignalHandlerOptions
from rganet_ros import decode
from rganet_ros.node.short_lived import noted_signals, short_lived, spin
from sensor_msgs.msg import PointCloud2


class Listener:
    """Subscriptions to a node's candidates and diagnostics; a line of JSON for each message."""

    def __init__(self, node, name: str):
        """Subscribe to what the node of this full name publishes."""
        self._name = name
        qos = QoSProfile(depth=50, reliability=ReliabilityPolicy.RELIABLE)
        node.create_subscription(PointCloud2, f'{name}/candidates', self._on_candidates, qos)
        node.create_subscription(DiagnosticArray, '/diagnostics', self._on_diagnostics, qos)

    def _on_candidates(self, message: PointCloud2) -> None:
        _say(stamp=decode.stamp(message.header), candidates=message.width)

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            if status.name == self._name:
                _say(said={each.key: each.value for each in status.values})


def _say(**what) -> None:
    print(json.dumps({'came': time.time_ns()} | what), flush=True)


def _run(name: str, stopped: list) -> None:
    with short_lived('listener', SignalHandlerOptions.NO) as (node, executor):
        Listener(node, name)
        for _ in spin(node, executor, f'{name}/candidates', stopped):
            pass


def main(argv: list[str] | None = None) -> int:
    """Listen; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, prog='listener')
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument('--node', default='/perception', help='its full name (/perception)')
    args = parser.parse_args(argv)
    _run(args.node, noted_signals())
    return 0


if __name__ == '__main__':
    sys.exit(main())
