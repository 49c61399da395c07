"""The node in its own process; and a camera, a listener and a manager in this one, over DDS."""

from array import array
from collections import defaultdict
import os
from pathlib import Path
import signal
import subprocess
import sys
import time

import cv2
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PoseArray, PoseStamped
from lifecycle_msgs.srv import ChangeState, GetState
import numpy as np
from rcl_interfaces.srv import SetParametersAtomically
import rclpy
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, Image, PointCloud2
from visualization_msgs.msg import MarkerArray

KINDS = {
    'candidates': PointCloud2,
    'poses': PoseArray,
    'best': PoseStamped,
    'markers': MarkerArray,
    'affordance': Image,
    'labels': Image,
    'overlay': Image,
}
TRANSITIONS = {'configure': 1, 'cleanup': 2, 'activate': 3, 'deactivate': 4, 'shutdown': 5}
SHUTDOWN = {'unconfigured': 5, 'inactive': 6, 'active': 7}
FAKE = ('-p', 'model:=fake', '-p', 'backend:=fake')
# A node of 5 s alone took 32 s beside ten busy processes on two cores. All of this
# passes only where something is wrong.
LONG = 120.0  # seconds


def picture(array_, encoding, stamp, pad=0, frame_id='camera'):
    """Make an Image of an array, with rows padded by some bytes, of a stamp in nanoseconds."""
    rows = np.ascontiguousarray(array_).view(np.uint8).reshape(len(array_), -1)
    rows = np.pad(rows, ((0, 0), (0, pad)), constant_values=255)
    message = Image(height=array_.shape[0], width=array_.shape[1], encoding=encoding)
    message.step, message.data = rows.shape[1], array('B', rows.tobytes())
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp, 10**9)
    message.header.frame_id = frame_id
    return message


def disc(height=120, width=160):
    """Draw what the fake backend takes for a place to pick: a white disc on black, in RGB."""
    rgb = np.zeros((height, width, 3), np.uint8)
    cv2.circle(rgb, (width // 2, height // 2), height // 3, (255, 255, 255), -1)
    return rgb


class Process:
    """The node as a process."""

    def __init__(self, log: Path, *words, environment=None):
        self.log = log
        command = [sys.executable, '-m', 'rganet_ros.node.perception_node', '--ros-args', *words]
        with log.open('wb') as file:
            self.process = subprocess.Popen(
                command, stdout=file, stderr=subprocess.STDOUT,
                env=os.environ | {'PYTHONFAULTHANDLER': '1'} | (environment or {}),
            )  # fmt: skip

    def said(self) -> str:
        return self.log.read_text()

    def wait_for(self, word: str) -> None:
        end = time.monotonic() + LONG
        while word not in self.said():
            assert self.process.poll() is None, f'the node ended:\n{self.said()}'
            assert time.monotonic() < end, f'no {word!r} in:\n{self.said()}'
            time.sleep(0.05)

    def stop(self, number=signal.SIGINT) -> int:
        """Send a signal; returns the exit status."""
        self.process.send_signal(number)
        return self.ended()

    def ended(self, seconds=LONG) -> int:
        """Wait for its end, give the exit status; of one that hangs say where its threads are."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGABRT)  # Python's fault handler writes them
            self.process.wait(LONG)
            raise AssertionError(f'the node does not end:\n{self.said()}') from None


class Client:
    """A camera, a listener and a life-cycle manager for /perception."""

    def __init__(self, reliability=ReliabilityPolicy.RELIABLE):
        self.node = rclpy.create_node('client')
        self.received = defaultdict(list)
        self.diagnostics = {}
        self.level, self.text = None, ''
        qos = QoSProfile(depth=50, reliability=ReliabilityPolicy.RELIABLE)
        for name, kind in KINDS.items():
            take = self.received[name].append
            self.node.create_subscription(kind, f'/perception/{name}', take, qos)
        self.node.create_subscription(DiagnosticArray, '/diagnostics', self._on_diagnostics, qos)
        qos = QoSProfile(depth=10, reliability=reliability)
        self.publishers = {
            name: self.node.create_publisher(kind, name, qos)
            for name, kind in (('image', Image), ('depth', Image), ('camera_info', CameraInfo))
        }

    def _on_diagnostics(self, message):
        status = message.status[0]
        self.level, self.text = status.level, status.message
        self.diagnostics = {each.key: each.value for each in status.values}

    def spin_until(self, condition, what='it', again=None, seconds=LONG):
        """Spin until something holds; calls `again` every half second meanwhile."""
        end, next_time = time.monotonic() + seconds, time.monotonic() + 0.5
        while not condition():
            assert time.monotonic() < end, f'{what} did not happen; {self.diagnostics}'
            rclpy.spin_once(self.node, timeout_sec=0.05)
            if again is not None and time.monotonic() > next_time:
                next_time += 0.5
                again()

    def call(self, kind, name, request):
        client = self.node.create_client(kind, f'/perception/{name}')
        try:
            assert client.wait_for_service(LONG), name
            future = client.call_async(request)
            self.spin_until(future.done, name)
            return future.result()
        finally:
            self.node.destroy_client(client)

    def state(self) -> str:
        return self.call(GetState, 'get_state', GetState.Request()).current_state.label

    def change(self, transition: str) -> bool:
        request = ChangeState.Request()
        request.transition.id = TRANSITIONS[transition]
        if transition == 'shutdown':
            request.transition.id = SHUTDOWN[self.state()]
        return self.call(ChangeState, 'change_state', request).success

    def set(self, **values):
        """Set parameters together; returns (successful, reason)."""
        request = SetParametersAtomically.Request()
        request.parameters = [Parameter(k, value=v).to_parameter_msg() for k, v in values.items()]
        name = 'set_parameters_atomically'
        result = self.call(SetParametersAtomically, name, request).result
        return result.successful, result.reason

    def heard(self, inputs=('image', 'depth', 'camera_info')):
        """Wait until the node listens to the camera and talks to this listener."""
        self.spin_until(
            lambda: (
                all(self.publishers[name].get_subscription_count() for name in inputs)
                and all(self.node.count_publishers(f'/perception/{name}') for name in KINDS)
            ),
            'discovery',
        )

    def meet(self, **what):
        """Send sets until all that they lead to arrives: what is sent from then on is not lost."""
        self.heard()
        topics = ('candidates', 'poses') if what else KINDS
        before = {name: len(self.received[name]) for name in topics}
        stamps = iter(range(1, 1000))
        self.spin_until(
            lambda: all(len(self.received[name]) > before[name] for name in topics),
            'a first answer',
            again=lambda: self.send(next(stamps) * 1_000_000_000, **what),
        )

    def send(self, stamp, rgb=None, depth=0.5, image=None):
        """Publish a set; depth in metres, one number or an array, None for none."""
        image = picture(disc() if rgb is None else rgb, 'rgb8', stamp) if image is None else image
        height, width = image.height, image.width
        info = CameraInfo(header=image.header, height=height, width=width)
        info.k = [150.0, 0.0, width / 2, 0.0, 150.0, height / 2, 0.0, 0.0, 1.0]
        self.publishers['image'].publish(image)
        if depth is not None:
            if not isinstance(depth, Image):
                millimetres = np.full((height, width), depth * 1000, np.uint16)
                depth = picture(millimetres, '16UC1', stamp)
            self.publishers['depth'].publish(depth)
            self.publishers['camera_info'].publish(info)

    def of(self, name, stamp):
        """List what came on a topic for a stamp."""
        return [
            message
            for message in self.received[name]
            if message.header.stamp.sec * 10**9 + message.header.stamp.nanosec == stamp
        ]

    def answer(self, stamp, **what):
        """Send a set and wait for its candidates; returns them."""
        self.send(stamp, **what)
        self.spin_until(lambda: self.of('candidates', stamp), f'the answer to {stamp}')
        return self.of('candidates', stamp)[0]

    def count(self, key):
        return int(self.diagnostics.get(key, 0))

    def close(self):
        self.node.destroy_node()
