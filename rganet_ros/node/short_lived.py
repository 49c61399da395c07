"""A plain node for as long as something takes: a look, a recording, a view."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions


@contextmanager
def short_lived(
    name: str, signals: SignalHandlerOptions = SignalHandlerOptions.ALL
) -> Iterator[tuple[Node, SingleThreadedExecutor]]:
    """
    Start ROS 2, give a node and its executor, and end all of it in order.

    An interrupt may come at the end as well: catch KeyboardInterrupt and ExternalShutdownException
    around the whole.

    signals  that rclpy is to handle
    """
    rclpy.init(args=[], signal_handler_options=signals)
    try:
        node = rclpy.create_node(name)
        executor = SingleThreadedExecutor()
        executor.add_node(node)
        try:
            yield node, executor
        finally:
            executor.shutdown()
            node.destroy_node()
    finally:
        rclpy.try_shutdown()
