"""The environment of all tests, set before anything imports an engine or rclpy."""

import os

from hypothesis import settings

os.environ.update(
    OMP_WAIT_POLICY='passive',  # engines that wait without burning the other core
    ROS_AUTOMATIC_DISCOVERY_RANGE='LOCALHOST',
    ROS_DOMAIN_ID=str(1 + os.getpid() % 100),  # nobody else's; above 101 lie ephemeral ports
    ROS_PYTHON_CHECK_FIELDS='1',
)

# The same examples each time: what fails once fails again, and a change is not blamed for luck.
# `pytest --hypothesis-profile=default` looks for new ones.
settings.register_profile('same', derandomize=True)
settings.load_profile('same')
