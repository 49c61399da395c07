"""The node's publishers: what is published for a frame, and when there is none."""

from __future__ import annotations

from collections.abc import Callable

from geometry_msgs.msg import PoseArray, PoseStamped
from rclpy.duration import Duration
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rganet_ros import viz
from rganet_ros.node import encode
from rganet_ros.node.encode import Target
from rganet_ros.node.inputs import QOS_PARAMETERS
from rganet_ros.types import Detection, Frame
from sensor_msgs.msg import Image, PointCloud2
from std_msgs.msg import Header
from visualization_msgs.msg import MarkerArray

TOPICS = {
    'affordance': Image,
    'labels': Image,
    'overlay': Image,
    'candidates': PointCloud2,
    'poses': PoseArray,
    'best': PoseStamped,
    'markers': MarkerArray,
    'cloud': PointCloud2,
}


def _qos() -> QoSProfile:
    """Volatile: nobody who comes later is given an old pose. Anew, since overrides change it."""
    return QoSProfile(depth=2, reliability=ReliabilityPolicy.RELIABLE)


class Outputs:
    """Life-cycle publishers under the node's own name."""

    def __init__(self, node, remember: Callable):
        """Create them; they publish while the node is active. remember(topic, message) is told."""
        self._node, self._remember = node, remember
        self._publishers = {
            name: node.create_lifecycle_publisher(
                kind, f'~/{name}', _qos(), qos_overriding_options=QOS_PARAMETERS
            )
            for name, kind in TOPICS.items()
        }

    def publish_end(self, header: Header) -> None:
        """Publish that there is nothing to pick any more; wait half a second at most for it."""
        self.publish_candidates(header)
        for name in ('candidates', 'poses'):
            self._publishers[name].wait_for_all_acked(Duration(seconds=0.5))

    def close(self) -> None:
        """Destroy them."""
        for publisher in self._publishers.values():
            self._node.destroy_lifecycle_publisher(publisher)

    def _wanted(self, name: str) -> bool:
        return self._publishers[name].get_subscription_count() > 0

    def _publish(self, name: str, message) -> None:
        self._publishers[name].publish(message)
        self._remember(self._publishers[name].topic_name, message)

    def publish(
        self, header: Header, frame: Frame, found: Detection, scale: float, radius: float,
        target: Target | None = None,
    ):  # fmt: skip
        """
        Publish a detection with the picture's header; pictures and markers only for subscribers.

        scale   of the pictures
        radius  of the cup, metres
        target  frame of the poses; None: the picture's
        """
        self.publish_candidates(header, found.candidates, radius, target)
        pictures = {
            'affordance': lambda: (found.affordance, '32FC1'),
            'labels': lambda: (found.labels, 'mono8'),
            'overlay': lambda: (viz.overlay(frame.rgb, found), 'rgb8'),
        }
        for name, draw in pictures.items():
            if self._wanted(name):
                self._publish(name, encode.picture(header, *draw(), scale))
        if frame.depth is not None and frame.camera is not None and self._wanted('cloud'):
            self._publish('cloud', encode.coloured(header, frame, scale))

    def publish_candidates(
        self, header: Header, candidates=(), radius: float = 0.0, target: Target | None = None
    ) -> None:
        """Publish candidates, or that there are none."""
        poses = encode.poses(header, candidates)
        self._publish('candidates', encode.cloud(header, candidates))
        if self._wanted('markers'):
            self._publish('markers', encode.markers(header, poses, radius))
        if target is not None:
            poses = encode.poses(header, candidates, target)
        self._publish('poses', poses)
        if (best := encode.best(poses)) is not None:
            self._publish('best', best)
