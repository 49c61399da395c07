r"""
The node on a camera's topics.

    ros2 launch rganet_ros perception.launch.py image:=/camera/color/image_raw \
        depth:=/camera/aligned_depth_to_color/image_raw camera_info:=/camera/color/camera_info

Without depth: model:=fanet18-rgb depth:=''.
"""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction, SetEnvironmentVariable
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import LifecycleNode
from launch_ros.substitutions import FindPackageShare

CONFIG = PathJoinSubstitution([FindPackageShare('rganet_ros'), 'config'])
ARGUMENTS = {
    'image': ('/camera/color/image_raw', 'topic of the colour picture'),
    'depth': (
        '/camera/aligned_depth_to_color/image_raw',
        "topic of the depth aligned to it; '' for a camera without",
    ),
    'camera_info': ('/camera/color/camera_info', 'topic of the intrinsics of the colour picture'),
    'params_file': (PathJoinSubstitution([CONFIG, 'perception.yaml']), 'parameters of the node'),
    # What is left empty is as the parameter file, or else the node, has it.
    'model': ('', 'name of a shipped model, or path of an .onnx file'),
    'backend': ('', 'engine'),
    'autostart': ('', 'false under a life-cycle manager'),
    'namespace': ('', 'of the node'),
    'fastdds_profile': (
        PathJoinSubstitution([CONFIG, 'fastdds.xml']),
        'profile with room for pictures; the process of the camera needs it too',
    ),
}


def perception(context):
    given = {name: LaunchConfiguration(name).perform(context) for name in ARGUMENTS}
    asked = {
        'model': given['model'],
        'backend': given['backend'],
        'autostart': {'true': True, 'false': False}.get(given['autostart'].lower(), ''),
        'depth': '' if given['depth'] else False,
    }
    node = LifecycleNode(
        package='rganet_ros',
        executable='perception',
        name='perception',
        namespace=given['namespace'],
        output='screen',
        parameters=[given['params_file'], {k: v for k, v in asked.items() if v != ''}],
        remappings=[
            ('image', given['image']),
            ('depth', given['depth'] or 'no_depth'),  # a topic that nobody publishes
            ('camera_info', given['camera_info']),
        ],
    )
    # Kilted reads the first, Jazzy and Humble the second.
    profile = given['fastdds_profile']
    return [
        SetEnvironmentVariable('FASTDDS_DEFAULT_PROFILES_FILE', profile),
        SetEnvironmentVariable('FASTRTPS_DEFAULT_PROFILES_FILE', profile),
        node,
    ]


def generate_launch_description():
    return LaunchDescription([
        *(
            DeclareLaunchArgument(name, default_value=default, description=text)
            for name, (default, text) in ARGUMENTS.items()
        ),
        OpaqueFunction(function=perception),
    ])  # fmt: skip
