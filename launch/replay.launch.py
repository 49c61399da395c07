"""
The node on a recorded bag, played with its own clock's rate.

    ros2 launch rganet_ros replay.launch.py bag:=/path/to/bag image:=/camera/color/image_raw
"""

import sys

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, ExecuteProcess, IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.substitutions import FindPackageShare

LAUNCH = PathJoinSubstitution([FindPackageShare('rganet_ros'), 'launch'])
# Those of perception.launch.py that differ from camera to camera; its others keep their defaults.
NODE_ARGUMENTS = {
    'image': '/camera/color/image_raw',
    'depth': '/camera/aligned_depth_to_color/image_raw',
    'camera_info': '/camera/color/camera_info',
    'model': '',
    'backend': '',
}


def generate_launch_description():
    node = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(PathJoinSubstitution([LAUNCH, 'perception.launch.py'])),
        launch_arguments={name: LaunchConfiguration(name) for name in NODE_ARGUMENTS}.items(),
    )
    player = ExecuteProcess(
        cmd=[
            sys.executable, '-m', 'rganet_ros.node.player', LaunchConfiguration('bag'),
            '--rate', LaunchConfiguration('rate'), '--loop', LaunchConfiguration('loop'),
        ],
        output='log',
    )  # fmt: skip
    return LaunchDescription([
        DeclareLaunchArgument('bag', description='what is played'),
        DeclareLaunchArgument('rate', default_value='1.0', description='2 is twice as fast'),
        DeclareLaunchArgument('loop', default_value='1', description='how often'),
        *(DeclareLaunchArgument(name, default_value=v) for name, v in NODE_ARGUMENTS.items()),
        node,  # first: it sets the environment that the player needs as well
        player,
    ])  # fmt: skip
