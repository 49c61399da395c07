"""
Engines that run a model file: numpy in, numpy out, nothing of the domain.

    backend = load('openvino', models.find('fanet18-rgb'))
    state = backend.new_state()                  # memory of past frames, one per camera
    out = backend.run({'image': image}, state)   # advances the state

A model file takes `image` (1, h, w, 3) uint8 RGB and, where its card says so, `depth` (1, h, w)
float32 metres, 0 unknown; it gives `affordance` (1, h, w) float32 in 0..1 and `labels` (1, h, w)
uint8. Any further input is state: float32, zero at first, fed from the output `next_<input>`.
"""

from __future__ import annotations

from importlib import import_module
import platform
from typing import NamedTuple, Protocol

import numpy as np
from rganet_ros.models import Model


class Spec(NamedTuple):
    """Shape and dtype of an input or an output."""

    shape: tuple[int, ...]
    dtype: type


class Backend(Protocol):
    """
    What every engine offers. One thread at a time may call it.

    inputs, outputs  by name, without state
    """

    name: str
    precision: str
    inputs: dict[str, Spec]
    outputs: dict[str, Spec]

    def new_state(self) -> object:
        """Make the memory of a camera that has seen nothing; opaque, it may live on a device."""

    def run(self, arrays: dict[str, np.ndarray], state: object) -> dict[str, np.ndarray]:
        """Run one frame and advance the state in place."""

    def close(self) -> None:
        """Free what it holds; it cannot run any more."""

    def describe(self) -> dict[str, str]:
        """Say what really runs: engine, version, device, precision, threads."""


BACKENDS = {
    'onnxruntime': 'rganet_ros.runtime.onnxruntime_backend:OnnxRuntimeBackend',
    'openvino': 'rganet_ros.runtime.openvino_backend:OpenVinoBackend',
    'torch': 'rganet_ros.runtime.torch_backend:TorchBackend',
    'fake': 'rganet_ros.runtime.fake_backend:FakeBackend',
}


def choose(backend: str) -> str:
    """Resolve 'auto': OpenVINO on x86, ONNX Runtime elsewhere."""
    if backend == 'auto':
        return 'openvino' if platform.machine() in ('x86_64', 'AMD64') else 'onnxruntime'
    if backend not in BACKENDS:
        raise ValueError(f'unknown backend {backend!r}: expected auto, {", ".join(BACKENDS)}')
    return backend


def load(backend: str, model: Model, precision: str = 'fp32', threads: int = 0) -> Backend:
    """
    Load a model into an engine.

    precision  of the arithmetic: fp32, or bf16 where the engine and the processor have it
    threads    that the engine may use; 0 leaves it to the engine

    Raises ValueError, in one sentence, where that engine cannot run that model here. There is no
    other engine to fall back to: what was asked for runs, or nothing does.
    """
    name = choose(backend)
    module, _, cls = BACKENDS[name].partition(':')
    try:
        backend_class = getattr(import_module(module), cls)
    except ModuleNotFoundError as error:
        raise ValueError(
            f'backend {name} needs the Python package {error.name}, which is not installed: '
            f'install it, or choose another backend'
        ) from None
    loaded = backend_class(model, precision, threads)
    _check(loaded, model)
    return loaded


def split_state(names) -> list[str]:
    """Pick the state out of a graph's input names."""
    return [name for name in names if name not in ('image', 'depth')]


def promised(card: dict) -> tuple[dict[str, Spec], dict[str, Spec]]:
    """Give the inputs, without state, and the outputs that a model with this card has."""
    height, width = card['size']
    inputs = {'image': Spec((1, height, width, 3), np.uint8)}
    if card['depth']:
        inputs['depth'] = Spec((1, height, width), np.float32)
    outputs = {
        'affordance': Spec((1, height, width), np.float32),
        'labels': Spec((1, height, width), np.uint8),
    }
    return inputs, outputs


def _check(backend: Backend, model: Model) -> None:
    found = backend.inputs, backend.outputs
    for what, has, wanted in zip(('inputs', 'outputs'), found, promised(model.card)):
        if has != wanted:
            backend.close()
            raise ValueError(f'{model.onnx} has {what} {has}, its card promises {wanted}')
