"""
A backend without a network, to test what is built around one: in CI, without a model.

Its rule: bright, colourless pixels hold. affordance = (least of r, g, b) / 255, smoothed over
9 x 9 pixels; a pixel is suctionable from 0.5, not suctionable from 0.25. A white disc on black
ground is a place for the cup. Its state counts the frames it has seen.
"""

from __future__ import annotations

import cv2
import numpy as np
from rganet_ros.models import Model
from rganet_ros.runtime import promised, Settings
from rganet_ros.types import CLASSES

# What stands for a model file where the backend is 'fake'.
SIZE = (480, 640)
MODEL = Model(
    name='fake',
    onnx=None,
    sha256='0' * 64,
    card={
        'format': 1, 'network': 'fake', 'classes': list(CLASSES), 'size': list(SIZE),
        'fit': 'letterbox', 'depth': False, 'cup_radius': 0.015,
    },
)  # fmt: skip


class FakeBackend:
    """A backend (see the package) that follows the rule above."""

    name, precision = 'fake', 'fp32'

    def __init__(self, model: Model = MODEL, settings: Settings | None = None):
        """Take anything; use the size that the card says."""
        self.inputs, self.outputs = promised(model.card)

    def new_state(self) -> dict[str, np.ndarray]:
        """No frame seen."""
        return {'frames': np.zeros(1, np.float32)}

    def run(self, arrays: dict[str, np.ndarray], state: dict) -> dict[str, np.ndarray]:
        """Run one frame; the state is advanced in place."""
        state['frames'] += 1
        red, green, blue = cv2.split(arrays['image'][0])
        least = np.minimum(np.minimum(red, green), blue).astype(np.float32) / 255
        affordance = cv2.blur(least, (9, 9))
        labels = (affordance >= 0.25).astype(np.uint8) + (affordance >= 0.5)
        return {'affordance': affordance[None], 'labels': labels[None].astype(np.uint8)}

    def close(self) -> None:
        """Do nothing."""

    def describe(self) -> dict[str, str]:
        """Say what runs."""
        return {'backend': self.name, 'precision': self.precision, 'device': 'CPU'}
