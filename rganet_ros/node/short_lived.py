"""Processes with a plain node, for as long as something takes: a look, a recording, a view."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
import signal
import sys

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
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


def noted_signals() -> list[int]:
    """Note SIGINT and SIGTERM from now on; the list is empty until one comes."""
    stopped: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: stopped.append(number))
    return stopped


def spin(
    node: Node, executor: SingleThreadedExecutor, topic: str, stopped: list[int]
) -> Iterator[None]:
    """Spin turn by turn until it is stopped; prints `ready` once somebody publishes the topic."""
    ready = False
    while not stopped:
        executor.spin_once(timeout_sec=0.1)
        if not ready and node.count_publishers(topic):
            ready = True
            print('ready', flush=True)
        yield


def exit_status(name: str, run: Callable[..., None], *given) -> int:
    """Run what a process is for: 0; 2 and a sentence where it was refused; 130, interrupted."""
    try:
        run(*given)
        return 0
    except (OSError, ValueError) as error:
        print(f'{name}: error: {error}', file=sys.stderr)
        return 2
    except (KeyboardInterrupt, ExternalShutdownException):
        return 130
