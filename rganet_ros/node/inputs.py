"""A subscription to a camera that says why nothing comes."""

from __future__ import annotations

from collections.abc import Callable
import time

from rclpy.qos import QoSProfile, ReliabilityPolicy

try:
    from rclpy.event_handler import SubscriptionEventCallbacks
except ImportError:  # Humble
    from rclpy.qos_event import SubscriptionEventCallbacks

PATIENCE = 5.0  # seconds


class Input:
    """
    Subscribes reliable, and again best effort where a publisher offers no more than that.

    RELIABLE first, not BEST_AVAILABLE: that becomes reliable while no publisher is there, and
    never hears a best-effort camera that starts later.
    """

    def __init__(self, node, kind: type, name: str, callback: Callable):
        """Subscribe to a topic, keeping the last message only."""
        self._node, self._kind, self._name, self._callback = node, kind, name, callback
        self.topic = node.resolve_topic_name(name)
        self._heard = time.monotonic()
        self._subscription = self._subscribe(ReliabilityPolicy.RELIABLE, self._on_incompatible)

    def _subscribe(self, reliability, on_incompatible):
        return self._node.create_subscription(
            self._kind,
            self._name,
            self._on_message,
            QoSProfile(depth=1, reliability=reliability),
            event_callbacks=SubscriptionEventCallbacks(incompatible_qos=on_incompatible),
        )

    def _on_message(self, message) -> None:
        self._heard = time.monotonic()
        self._callback(message)

    def _on_incompatible(self, _) -> None:
        self.close()
        self._subscription = self._subscribe(ReliabilityPolicy.BEST_EFFORT, None)
        self._node.get_logger().warning(
            f'a publisher of {self.topic} is best effort: subscribed to it as best effort'
        )

    def silence(self) -> str:
        """Say that nothing came for PATIENCE seconds, and who publishes; '' if some did."""
        if time.monotonic() - self._heard < PATIENCE:
            return ''
        there = self._node.get_publishers_info_by_topic(self.topic)
        offers = sorted({_describe(info.qos_profile) for info in there})
        return f'no {self._name} for {PATIENCE:g} s on {self.topic} (publishers: {len(there)}' + (
            f', their QoS: {"; ".join(offers)})' if offers else ')'
        )

    def close(self) -> None:
        """Unsubscribe."""
        self._node.destroy_subscription(self._subscription)


def _describe(profile) -> str:
    names = (profile.reliability.name, profile.durability.name)
    return ', '.join(name.lower().replace('_', ' ') for name in names)
