"""A subscription to a camera that says why nothing comes."""

from __future__ import annotations

from collections.abc import Callable
import time

from rclpy.qos import DurabilityPolicy, QoSPolicyKind, QoSProfile, ReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions

try:
    from rclpy.event_handler import SubscriptionEventCallbacks
except ImportError:  # Humble
    from rclpy.qos_event import SubscriptionEventCallbacks

PATIENCE = 5.0  # seconds
QOS_PARAMETERS = QoSOverridingOptions.with_default_policies()  # history, depth, reliability


class Input:
    """
    Subscribes reliable, and again best effort where a publisher offers no more than that.

    RELIABLE first, not BEST_AVAILABLE: that becomes reliable while no publisher is there, and
    never hears a best-effort camera that starts later. What is sent once (`latched`) is asked for
    from before, likewise; of a volatile publisher only what it sends from then on. Where a
    parameter qos_overrides.<topic>... says what to ask for, that is kept.
    """

    def __init__(
        self, node, kind: type, name: str, callback: Callable, transport='raw', latched=False
    ):
        """Subscribe to a topic, keeping the last message only; `transport` as in NodeOptions."""
        self._node, self._kind, self._name, self._callback = node, kind, name, callback
        # As image_transport has it: the transport's name stands below the picture's own.
        below = '' if transport == 'raw' else f'/{transport}'
        self.topic = node.resolve_topic_name(node.resolve_topic_name(name) + below)
        self._heard = time.monotonic()
        asked = f'qos_overrides.{self.topic}.subscription.reliability'
        again = None if asked in node._parameter_overrides else self._on_incompatible
        durability = DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE
        qos = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE, durability=durability)
        self._subscription = self._subscribe(qos, again, QOS_PARAMETERS)

    def _subscribe(self, qos: QoSProfile, on_incompatible, options: QoSOverridingOptions | None):
        return self._node.create_subscription(
            self._kind,
            self.topic,
            self._on_message,
            qos,
            event_callbacks=SubscriptionEventCallbacks(incompatible_qos=on_incompatible),
            qos_overriding_options=options,
        )

    def _on_message(self, message) -> None:
        self._heard = time.monotonic()
        self._callback(message)

    def _on_incompatible(self, event) -> None:
        self.close()
        if event.last_policy_kind == QoSPolicyKind.DURABILITY:  # it may be best effort as well
            qos = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE)
            self._subscription = self._subscribe(qos, self._on_incompatible, None)
            how = 'volatile: subscribed to it as volatile, what it sent before is not heard'
        else:
            qos = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
            self._subscription = self._subscribe(qos, None, None)
            how = 'best effort: subscribed to it as best effort'
        self._node.get_logger().warning(f'a publisher of {self.topic} is {how}')

    def silence(self) -> str:
        """Say that nothing came for PATIENCE seconds, and who publishes; '' if some did."""
        if time.monotonic() - self._heard < PATIENCE:
            return ''
        there = self._node.get_publishers_info_by_topic(self.topic)
        offers = sorted({describe_qos(info.qos_profile) for info in there})
        return f'no {self._name} for {PATIENCE:g} s on {self.topic} (publishers: {len(there)}' + (
            f', their QoS: {"; ".join(offers)})' if offers else ')'
        )

    def close(self) -> None:
        """Unsubscribe."""
        self._node.destroy_subscription(self._subscription)


def describe_qos(profile) -> str:
    """Say reliability and durability in words."""
    names = (profile.reliability.name, profile.durability.name)
    return ', '.join(name.lower().replace('_', ' ') for name in names)
