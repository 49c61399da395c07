"""The environment of all tests, set before anything imports an engine or rclpy."""

import os
import socket

from hypothesis import settings

TAKEN = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)


def domain() -> int:
    """Take a ROS domain for this process alone; who looks for a free one sees that it is not."""
    for number in range(100):  # above 101 lie ephemeral ports
        found = 1 + (os.getpid() + number) % 100
        try:
            TAKEN.bind(('', 7410 + 250 * found))  # the first participant's
            return found
        except OSError:
            continue
    raise OSError('every ROS domain on this machine is taken: end some ROS processes')


os.environ.update(
    OMP_WAIT_POLICY='passive',  # engines that wait without burning the other core
    ROS_AUTOMATIC_DISCOVERY_RANGE='LOCALHOST',
    ROS_DOMAIN_ID=str(domain()),
    ROS_PYTHON_CHECK_FIELDS='1',
)

# The same examples each time: what fails once fails again, and a change is not blamed for luck.
# `pytest --hypothesis-profile=default` looks for new ones.
settings.register_profile('same', derandomize=True)
settings.load_profile('same')
