r"""
The node on the topics of a camera, or of several, each in a process of its own.

    ros2 launch rganet_ros perception.launch.py cameras:=/camera
    ros2 launch rganet_ros perception.launch.py cameras:=/left,/right respawn:=true
    ros2 launch rganet_ros perception.launch.py image:=/eye/image_rect depth:=/eye/depth \
        camera_info:=/eye/camera_info

Without depth: model:=fanet-lite0-rgb depth:=''. One camera's node is /perception; of several, the
node of /left is /left/perception.
"""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction, SetEnvironmentVariable
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import LifecycleNode, Node
from launch_ros.substitutions import FindPackageShare

CONFIG = PathJoinSubstitution([FindPackageShare('rganet_ros'), 'config'])
ARGUMENTS = {
    'cameras': ('/camera', 'full namespaces of cameras, with commas between them; a node each'),
    'image': ('color/image_raw', "topic of the colour picture, in the camera's namespace"),
    'depth': (
        'aligned_depth_to_color/image_raw',
        "topic of the depth, in the camera's namespace; '' for a camera without",
    ),
    'camera_info': ('color/camera_info', 'topic of the intrinsics of the colour picture'),
    'depth_camera_info': (
        'aligned_depth_to_color/camera_info',
        'topic of the intrinsics of the depth picture, where it has its own',
    ),
    'params_file': (PathJoinSubstitution([CONFIG, 'perception.yaml']), 'parameters of the node'),
    # What is left empty is as the parameter file, or else the node, has it.
    'model': ('', 'name of a shipped model, or path of an .onnx file'),
    'backend': ('', 'engine'),
    'precision': ('', 'of arithmetic: model, fp32, fp16 ...'),
    'device': ('', 'auto, cpu, gpu or cuda:0'),
    'compiled': ('', 'true: the backend torch compiles the network at the start'),
    'build_engine': ('', 'if_missing or never: whether TensorRT builds an engine in configure'),
    'mode': ('', 'stream or triggered'),
    'image_transport': ('', 'raw or compressed'),
    'depth_transport': ('', 'raw, compressedDepth or compressed'),
    'rectify': ('', 'true: the pictures are raw, undistort them by camera_info'),
    'register_depth': ('', 'true: depth is in an optical frame of its own; needs tf2'),
    'workspace_mask': ('', 'true: candidates only where the picture on workspace_mask is not 0'),
    'workspace_frame': ('', 'frame of the box workspace, by tf2'),
    'target_frame': ('', 'frame of the poses, by tf2'),
    'background_depth': ('', 'PNG of the depth of the empty tote'),
    'autostart': ('', 'false under a life-cycle manager'),
    'namespace': ('', 'of the nodes'),
    'respawn': ('false', 'true: a node that ended is started again, after 2 s'),
    'rviz': ('false', 'true: RViz too, with config/perception.rviz'),
    'fastdds_profile': (
        PathJoinSubstitution([CONFIG, 'fastdds.xml']),
        'profile with room for pictures; the process of the camera needs it too',
    ),
}
TOPICS = ('image', 'depth', 'camera_info', 'depth_camera_info')
WORDS = (
    'model', 'backend', 'precision', 'device', 'build_engine', 'mode',
    'image_transport', 'depth_transport', 'workspace_frame', 'target_frame', 'background_depth',
)  # fmt: skip
SWITCHES = ('compiled', 'rectify', 'register_depth', 'workspace_mask', 'autostart')


def node(given, camera, namespace):
    """Make the node of one camera."""
    parameters = {name: given[name] for name in WORDS if given[name]}
    parameters |= {name: is_true(name, given[name]) for name in SWITCHES if given[name]}
    if not given['depth']:
        parameters['depth'] = False
    return LifecycleNode(
        package='rganet_ros',
        executable='perception',
        name='perception',
        namespace=namespace,
        output='screen',
        parameters=[given['params_file'], parameters],
        remappings=[(name, below(camera, given[name])) for name in TOPICS if given[name]],
        respawn=is_true('respawn', given['respawn']),
        respawn_delay=2.0,
    )


def is_true(name, word):
    """Read a switch; ValueError where its word is neither true nor false."""
    if word.lower() not in ('true', 'false'):
        raise ValueError(f'{name}:={word} must be true or false')
    return word.lower() == 'true'


def below(namespace, topic):
    """Name a topic in a namespace, unless it has a full name."""
    return topic if topic.startswith('/') else f'{namespace.rstrip("/")}/{topic}'


def perception(context):
    given = {name: LaunchConfiguration(name).perform(context) for name in ARGUMENTS}
    names = [name.strip() for name in given['cameras'].split(',') if name.strip()]
    if not names:
        raise ValueError(
            f"cameras:='{given['cameras']}' names none and would start nothing: give the "
            'namespace of a camera, as /camera, or of several with commas between them'
        )
    # A relative one would be taken below the node's own, which may be the camera's already.
    cameras = [f'/{name.strip("/")}' for name in names]
    if len(cameras) > 1 and any(given[name].startswith('/') for name in TOPICS):
        raise ValueError('of several cameras, topics must be relative to their namespaces')
    # Kilted reads the first, Jazzy and Humble the second.
    profile = given['fastdds_profile']
    actions = [
        SetEnvironmentVariable('FASTDDS_DEFAULT_PROFILES_FILE', profile),
        SetEnvironmentVariable('FASTRTPS_DEFAULT_PROFILES_FILE', profile),
    ]
    for camera in cameras:
        space = given['namespace']
        if len(cameras) > 1:
            space = f'{space.rstrip("/")}/{camera.strip("/")}'
        actions.append(node(given, camera, space))
    if is_true('rviz', given['rviz']):
        config = PathJoinSubstitution([CONFIG, 'perception.rviz'])
        actions.append(Node(package='rviz2', executable='rviz2', arguments=['-d', config]))
    return actions


def generate_launch_description():
    return LaunchDescription([
        *(
            DeclareLaunchArgument(name, default_value=default, description=text)
            for name, (default, text) in ARGUMENTS.items()
        ),
        OpaqueFunction(function=perception),
    ])  # fmt: skip
