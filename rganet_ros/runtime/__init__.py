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

from ctypes import byref, c_int, CDLL
from importlib import import_module
from importlib.util import find_spec
import platform
from typing import NamedTuple, Protocol

import numpy as np
from rganet_ros.models import Model


class Spec(NamedTuple):
    """Shape and dtype of an input or an output."""

    shape: tuple[int, ...]
    dtype: type


class Settings(NamedTuple):
    """
    How an engine is to run a model.

    precision     of the arithmetic; 'model': that of the model file
    threads       on the processor; 0 leaves it to the engine
    device        auto, cpu, gpu, cuda:1, ...; a list in order of choice where the engine takes one
    build_engine  if_missing: TensorRT builds an engine that is not in the cache; never: it refuses
    cache         folder of built engines; '': in that of the user's caches
    compiled      whether torch compiles the network, on a GPU with CUDA graphs
    """

    precision: str = 'model'
    threads: int = 0
    device: str = 'auto'
    build_engine: str = 'never'
    cache: str = ''
    compiled: bool = False


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
    'tensorrt': 'rganet_ros.runtime.tensorrt_backend:TensorRtBackend',
    'openvino': 'rganet_ros.runtime.openvino_backend:OpenVinoBackend',
    'onnxruntime': 'rganet_ros.runtime.onnxruntime_backend:OnnxRuntimeBackend',
    'torch': 'rganet_ros.runtime.torch_backend:TorchBackend',
    'fake': 'rganet_ros.runtime.fake_backend:FakeBackend',
}
PRECISIONS = ('fp32', 'fp16', 'bf16', 'int8')  # of files
MIXED = 'int8+bf16'  # that an engine makes of a file in int8: bf16 what is not quantised there
TENSORRT = ('tensorrt', 'tensorrt_rtx', 'tensorrt_rtx_bindings')
# Where `pip install NAME` is not the whole advice.
ADVICE = {
    'tensorrt': "it comes with JetPack and NVIDIA's apt repository, or as wheels from "
    'pypi.nvidia.com; on RTX cards tensorrt_rtx will do',
    'pycuda': 'pip install pycuda, which needs the CUDA toolkit (nvcc) to compile',
}


def choose(backend: str) -> str:
    """Resolve 'auto': TensorRT where it and a GPU are, OpenVINO on x86, ONNX Runtime elsewhere."""
    if backend == 'auto':
        if find_spec('pycuda') and any(map(find_spec, TENSORRT)) and gpus():
            return 'tensorrt'
        return 'openvino' if platform.machine() in ('x86_64', 'AMD64') else 'onnxruntime'
    if backend not in BACKENDS:
        raise ValueError(f'unknown backend {backend!r}: expected auto, {", ".join(BACKENDS)}')
    return backend


def gpus() -> int:
    """Count the GPUs that CUDA's driver knows; 0 where there is no driver."""
    count = c_int(0)
    try:
        driver = CDLL('libcuda.so.1')
    except OSError:
        return 0
    if driver.cuInit(0) or driver.cuDeviceGetCount(byref(count)):
        return 0
    return count.value


def load(
    backend: str, model: Model, precision: str = 'model', threads: int = 0, device: str = 'auto',
    build_engine: str = 'never', cache: str = '', compiled: bool = False,
) -> Backend:  # fmt: skip
    """
    Load a model into an engine, set as Settings say.

    Raises ValueError, in one sentence, where that engine cannot run that model here. There is no
    other engine to fall back to: what was asked for runs, or nothing does.
    """
    name = choose(backend)
    module, _, cls = BACKENDS[name].partition(':')
    try:
        backend_class = getattr(import_module(module), cls)
    except ImportError as error:  # or a library that the package needs is missing
        lacks = error.name or module
        advice = ADVICE.get(lacks.partition('.')[0], 'install it')
        raise ValueError(
            f'backend {name} needs the Python package {lacks}, which is not installed: '
            f'{advice}, or choose another backend'
            if isinstance(error, ModuleNotFoundError)
            else f'backend {name} cannot start here: {error}; choose another backend'
        ) from None
    precision = precision_of(model) if precision == 'model' else precision
    settings = Settings(precision, threads, device, build_engine, cache, compiled)
    loaded = backend_class(model, settings)
    _check(loaded, model)
    return loaded


def precision_of(model: Model) -> str:
    """Say in which precision a model file has its arithmetic."""
    return model.card.get('arithmetic', 'fp32')


def check_precision(
    name: str,
    model: Model,
    precision: str,
    runs: tuple[str, ...],
    makes: dict[str, tuple[str, ...]] | None = None,
) -> None:
    """
    Refuse a precision that an engine does not have for this model file: ValueError.

    runs   precisions of files that it runs as they are
    makes  of files in one precision, those to which it brings them by itself
    """
    has = precision_of(model)
    accepted = (has,) * (has in runs) + (makes or {}).get(has, ())
    if precision not in accepted:
        advice = f'ask for {" or ".join(accepted)}' if accepted else 'export it in fp32'
        raise ValueError(
            f'backend {name} cannot run {model.name}, a file in {has}, in {precision!r} here: '
            f'{advice}'
        )


def cuda_index(name: str, device: str) -> int:
    """Read which GPU is meant: the first with auto, gpu and cuda, cuda:1 the second."""
    word, _, index = device.partition(':')
    if device not in ('auto', 'gpu') and (word != 'cuda' or not (index or '0').isdigit()):
        known = 'auto, gpu or cuda:0' if name == 'tensorrt' else 'auto, cpu, gpu or cuda:0'
        raise ValueError(f'backend {name} cannot run on {device!r}: ask for {known}')
    return int(index or 0)


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
