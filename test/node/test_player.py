"""A bag of a robot, with types that are not installed here, on live topics."""

import subprocess
import sys
import time
from types import SimpleNamespace

from live import LONG
import numpy as np
import rclpy
from rclpy.qos import DurabilityPolicy, QoSProfile
from rganet_ros import messages, record
from rganet_ros.node.player import Player
from rganet_ros.types import Camera, Frame
from rosbags.rosbag2 import Writer
from rosbags.typesys import get_types_from_msg, get_typestore, Stores
from sensor_msgs.msg import Image
from std_msgs.msg import Header

GRIPPER = 'nowhere_msgs/msg/Gripper'


def write(path):
    """Write two pictures, what a gripper says, and what is said once: here a header."""
    types = get_typestore(Stores.ROS2_JAZZY)
    types.register(get_types_from_msg('uint8 fingers', GRIPPER))
    lens = Camera(60.0, 60.0, 16.0, 12.0, 32, 24)
    sent = [('/gripper', types.types[GRIPPER](2)), ('/tf_static', messages.header(1, 'plate'))]
    for index in (1, 2):
        frame = Frame(np.zeros((24, 32, 3), np.uint8), None, lens, index * 10**8, 'eye')
        sent += record.of_frame(frame)
    with Writer(path, version=8) as writer:
        found = {}
        for index, (topic, message) in enumerate(sent):
            kind = message.__msgtype__
            if topic not in found:
                found[topic] = writer.add_connection(topic, kind, typestore=types)
            writer.write(found[topic], index * 10**7, types.serialize_cdr(message, kind))
    return path


def test_types_that_are_not_installed_are_named_and_the_rest_is_played(ros, tmp_path):
    node, pictures, once = rclpy.create_node('hears'), [], []
    node.create_subscription(Image, '/camera/color/image_raw', pictures.append, 10)
    command = [sys.executable, '-m', 'rganet_ros.node.player', str(write(tmp_path / 'bag'))]
    with (tmp_path / 'log').open('wb') as log:
        process = subprocess.Popen([*command, '--loop', '500'], stdout=log, stderr=log)
    try:
        end = time.monotonic() + LONG
        while len(pictures) < 3:
            assert process.poll() is None and time.monotonic() < end, (
                tmp_path / 'log'
            ).read_text()
            rclpy.spin_once(node, timeout_sec=0.1)
        # Who comes later asks for what was said before.
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        node.create_subscription(Header, '/tf_static', once.append, latched)
        end = time.monotonic() + LONG
        while not once:
            assert time.monotonic() < end
            rclpy.spin_once(node, timeout_sec=0.1)
        assert once[0].frame_id == 'plate'
    finally:
        process.terminate()
        process.wait(LONG)
        node.destroy_node()
    assert f'not played, types that are not installed: {GRIPPER}' in (tmp_path / 'log').read_text()


def test_a_bag_of_two_cameras_is_played_and_one_of_them_counts(tmp_path):
    lens = Camera(60.0, 60.0, 16.0, 12.0, 32, 24)
    frame = Frame(np.zeros((24, 32, 3), np.uint8), None, lens, 10**8, 'eye')
    with record.Writer(tmp_path / 'two') as writer:
        for side in ('/right', '/left'):
            for topic, message in record.of_frame(frame):
                kind = message.__msgtype__
                data = messages.TYPES.serialize_cdr(message, kind)
                writer.write(side + topic, kind, frame.stamp, data)
    created = []
    node = SimpleNamespace(create_publisher=lambda kind, topic, qos: created.append(topic))
    player = Player(node, tmp_path / 'two', rate=1.0, restamp=False)
    assert player.camera == '/left/camera/color/image_raw' and len(created) == 4
