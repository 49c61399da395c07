"""The node's publishers: what is published for a frame, and when there is none."""

from __future__ import annotations

from geometry_msgs.msg import PoseArray, PoseStamped
from rclpy.duration import Duration
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rganet_ros import viz
from rganet_ros.node import encode
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
}
# Volatile: nobody who comes later is given an old pose.
QOS = QoSProfile(depth=2, reliability=ReliabilityPolicy.RELIABLE)


class Outputs:
    """Life-cycle publishers under the node's own name."""

    def __init__(self, node):
        """Create them; they publish while the node is active."""
        self._node = node
        self._publishers = {
            name: node.create_lifecycle_publisher(kind, f'~/{name}', QOS)
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

    def publish(self, header: Header, frame: Frame, found: Detection, scale: float, radius: float):
        """
        Publish a detection with the picture's header; pictures and markers only for subscribers.

        scale   of the pictures
        radius  of the cup, metres
        """
        self.publish_candidates(header, found.candidates, radius)
        pictures = {
            'affordance': lambda: (found.affordance, '32FC1'),
            'labels': lambda: (found.labels, 'mono8'),
            'overlay': lambda: (viz.overlay(frame.rgb, found), 'rgb8'),
        }
        for name, draw in pictures.items():
            if self._wanted(name):
                self._publishers[name].publish(encode.picture(header, *draw(), scale))

    def publish_candidates(self, header: Header, candidates=(), radius: float = 0.0) -> None:
        """Publish candidates, or that there are none."""
        poses = encode.poses(header, candidates)
        self._publishers['candidates'].publish(encode.cloud(header, candidates))
        self._publishers['poses'].publish(poses)
        if (best := encode.best(poses)) is not None:
            self._publishers['best'].publish(best)
        if self._wanted('markers'):
            self._publishers['markers'].publish(encode.markers(header, poses, radius))
