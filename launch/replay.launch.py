"""
The node on a recorded bag.

    ros2 launch rganet_ros replay.launch.py bag:=/path/to/bag cameras:=/camera

`ros2 bag play` plays it where that is installed, this package's player elsewhere, or with
player:=rganet: that one waits until the node listens, and knows `loop`.
"""

import sys

from ament_index_python.packages import get_package_prefix, PackageNotFoundError
from launch import LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    ExecuteProcess,
    IncludeLaunchDescription,
    OpaqueFunction,
)  # fmt: skip
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.substitutions import FindPackageShare

LAUNCH = PathJoinSubstitution([FindPackageShare('rganet_ros'), 'launch'])
ARGUMENTS = {
    'rate': ('1.0', '2 is twice as fast'),
    'loop': ('1', "how often; more than once needs this package's player"),
    'delay': ('5', 'seconds that ros2 bag waits for the node'),
    'player': ('auto', 'auto, ros2 or rganet'),
}
# Those of perception.launch.py that differ from camera to camera; its others keep their defaults.
NODE_ARGUMENTS = {
    'cameras': '/camera',
    'image': 'color/image_raw',
    'depth': 'aligned_depth_to_color/image_raw',
    'camera_info': 'color/camera_info',
    'depth_camera_info': 'aligned_depth_to_color/camera_info',
    'model': '',
    'backend': '',
    'image_transport': '',
    'depth_transport': '',
    'rectify': '',
    'register_depth': '',
    'rviz': 'false',
}


def has_ros2_bag():
    try:
        return bool(get_package_prefix('ros2bag'))
    except PackageNotFoundError:
        return False


def player(context):
    given = {name: LaunchConfiguration(name).perform(context) for name in ARGUMENTS}
    bag = LaunchConfiguration('bag').perform(context)
    choice = given['player']
    if choice == 'auto':
        choice = 'ros2' if has_ros2_bag() and given['loop'] == '1' else 'rganet'
    commands = {
        'ros2': ['ros2', 'bag', 'play', bag, '--rate', given['rate'], '--delay', given['delay']],
        'rganet': [
            sys.executable, '-m', 'rganet_ros.node.player', bag,
            '--rate', given['rate'], '--loop', given['loop'],
        ],
    }  # fmt: skip
    if choice not in commands:
        raise ValueError(f'player:={choice} must be auto, ros2 or rganet')
    return [ExecuteProcess(cmd=commands[choice], output='log')]


def generate_launch_description():
    node = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(PathJoinSubstitution([LAUNCH, 'perception.launch.py'])),
        launch_arguments={name: LaunchConfiguration(name) for name in NODE_ARGUMENTS}.items(),
    )
    return LaunchDescription([
        DeclareLaunchArgument('bag', description='what is played'),
        *(
            DeclareLaunchArgument(name, default_value=default, description=text)
            for name, (default, text) in ARGUMENTS.items()
        ),
        *(DeclareLaunchArgument(name, default_value=v) for name, v in NODE_ARGUMENTS.items()),
        node,  # first: it sets the environment that the player needs as well
        OpaqueFunction(function=player),
    ])  # fmt: skip
