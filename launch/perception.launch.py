r"""
The node on a camera's topics.

    ros2 launch rganet_ros perception.launch.py image:=/camera/color/image_raw \
        depth:=/camera/aligned_depth_to_color/image_raw camera_info:=/camera/color/camera_info

Without depth: model:=fanet18-rgb depth:=''.
"""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, SetEnvironmentVariable
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution, PythonExpression
from launch_ros.actions import LifecycleNode
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare

CONFIG = PathJoinSubstitution([FindPackageShare('rganet_ros'), 'config'])
ARGUMENTS = {
    'image': ('/camera/color/image_raw', 'topic of the colour picture'),
    'depth': (
        '/camera/aligned_depth_to_color/image_raw',
        "topic of the depth aligned to it; '' for a camera without",
    ),
    'camera_info': ('/camera/color/camera_info', 'topic of the intrinsics of the colour picture'),
    'model': ('fanet18-rgbd', 'name of a shipped model, or path of an .onnx file'),
    'backend': ('auto', 'engine'),
    'params_file': (PathJoinSubstitution([CONFIG, 'perception.yaml']), 'parameters of the node'),
    'namespace': ('', 'of the node'),
    'autostart': ('true', 'false under a life-cycle manager'),
    'fastdds_profile': (
        PathJoinSubstitution([CONFIG, 'fastdds.xml']),
        'profile with room for pictures; the process of the camera needs it too',
    ),
}


def generate_launch_description():
    given = {name: LaunchConfiguration(name) for name in ARGUMENTS}
    with_depth = PythonExpression(["'", given['depth'], "' != ''"])
    # A topic that is not there is remapped to a name that nobody publishes.
    depth = PythonExpression(["'", given['depth'], "' or 'no_depth'"])
    node = LifecycleNode(
        package='rganet_ros',
        executable='perception',
        name='perception',
        namespace=given['namespace'],
        output='screen',
        parameters=[
            given['params_file'],
            {
                'model': ParameterValue(given['model'], value_type=str),
                'backend': ParameterValue(given['backend'], value_type=str),
                'depth': ParameterValue(with_depth, value_type=bool),
                'autostart': ParameterValue(given['autostart'], value_type=bool),
            },
        ],
        remappings=[
            ('image', given['image']), ('depth', depth), ('camera_info', given['camera_info'])
        ],
    )  # fmt: skip
    return LaunchDescription([
        *(
            DeclareLaunchArgument(name, default_value=default, description=text)
            for name, (default, text) in ARGUMENTS.items()
        ),
        # Kilted reads the first, Jazzy and Humble the second.
        SetEnvironmentVariable('FASTDDS_DEFAULT_PROFILES_FILE', given['fastdds_profile']),
        SetEnvironmentVariable('FASTRTPS_DEFAULT_PROFILES_FILE', given['fastdds_profile']),
        node,
    ])  # fmt: skip
