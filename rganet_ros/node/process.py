"""A life-cycle node as a process: started, run until a signal, ended in order."""

from __future__ import annotations

from collections.abc import Callable
import signal
import sys

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.signals import SignalHandlerOptions
from rclpy.utilities import remove_ros_args
from rganet_ros.node.lifecycle import SUCCESS

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def _spin(node, stopped: list) -> int:
    """Start the node if it starts itself, run it until it is stopped; returns the exit status."""
    if node.parameters.node.autostart:
        for start in (node.trigger_configure, node.trigger_activate):
            if not stopped and start() != SUCCESS:
                return 1
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    try:
        while not stopped:
            executor.spin_once(timeout_sec=0.2)
    finally:
        executor.shutdown()
    return 0


def run(make: Callable, argv: list[str], text: str) -> int:
    """
    Make a node and run it until SIGINT or SIGTERM; returns the exit status.

    argv  with the program's name; what is not ROS's own prints `text` and ends
    """
    stopped = []

    def stop(number, _):
        stopped.append(number)
        if len(stopped) == 2:  # ros2 launch passes on the one that the terminal sent as well
            for each in SIGNALS:
                signal.signal(each, signal.SIG_DFL)

    for each in SIGNALS:
        signal.signal(each, stop)
    try:
        if others := remove_ros_args(argv)[1:]:
            print(text.strip())
            return 0 if others[0] in ('-h', '--help') else 2
        # Without rclpy's handlers the context lives on, so that the last, empty message gets out.
        rclpy.init(args=argv, signal_handler_options=SignalHandlerOptions.NO)
        node = make()
        try:
            return _spin(node, stopped)
        finally:
            node.close()
    except Exception as error:
        kind = '' if isinstance(error, (OSError, ValueError)) else f'{type(error).__name__}: '
        print(f'perception: error: {kind}{error}', file=sys.stderr)
        return 1
    finally:
        rclpy.try_shutdown()
