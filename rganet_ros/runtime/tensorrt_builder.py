"""
TensorRT's building half: a model file to an engine; it needs no GPU with TensorRT for RTX.

`tensorrt` (10 or 11) builds on the GPU that will run the engine; `tensorrt_rtx` builds on any
machine for the GPUs of a compute capability. Networks are strongly typed: the precision of the
arithmetic is that of the model file.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import CDLL, RTLD_GLOBAL
from functools import partial
from importlib import import_module
from importlib.util import find_spec
import logging
from pathlib import Path
import platform
import threading
import time
from typing import NamedTuple, TYPE_CHECKING

from rganet_ros.models import Model
from rganet_ros.runtime import engine_cache, precision_of, promised

if TYPE_CHECKING:
    import tensorrt as trt
else:
    trt = None  # one of LIBRARIES, below

LOG = logging.getLogger(__name__)
LIBRARIES = ('tensorrt', 'tensorrt_rtx', 'tensorrt_rtx_bindings')
SAY = 5.0  # seconds between two lines of a build that goes on


def _import():
    """Import the first of the libraries that is there; ModuleNotFoundError where none is."""
    for name in LIBRARIES:
        if find_spec(name) is None:
            continue
        if name == 'tensorrt_rtx_bindings':
            _load_libraries()
        module = import_module(name)
        if hasattr(module, 'Builder'):  # a folder that only has the name is no library
            return module
    raise ModuleNotFoundError('No module named tensorrt', name='tensorrt')


def _load_libraries() -> None:
    """Load the libraries of the bindings from PyPI, which another wheel of PyPI carries."""
    spec = find_spec('onnxruntime_ep_nv_tensorrt_rtx')
    if spec is None or spec.origin is None:
        return  # then they are on the system's path, or the import says that they are not
    for name in ('libtensorrt_rtx.so.*', 'libtensorrt_onnxparser_rtx.so.*'):
        found = sorted(Path(spec.origin).parent.glob(name))
        try:
            CDLL(str(found[0]), RTLD_GLOBAL)
        except (IndexError, OSError) as error:
            raise ImportError(f'{name} of {spec.name} cannot be loaded: {error}') from None


if not TYPE_CHECKING:
    trt = _import()

RTX = trt.__name__.startswith('tensorrt_rtx')
LOGGER = trt.Logger(trt.Logger.ERROR)


class Target(NamedTuple):
    """What an engine is built for: a GPU by name, or any of a compute capability ('8.6')."""

    gpu: str
    capability: str


def engine(
    model: Model, target: Target, build: bool, folder: str | Path = ''
) -> tuple[str, bytes]:
    """
    Give the engine of a model, and its name in the cache, building it where it is missing.

    Raises ValueError, in one sentence, where it is missing and `build` is false, or where TensorRT
    cannot build it.
    """
    key = key_of(model, target)
    place = f'{key["library"]}-{key["gpu"]}-{target.capability}'.replace(' ', '_')
    name = f'{model.name}-{model.sha256[:12]}-{place}'
    builder = partial(build_engine, model, target) if build else None
    return name, engine_cache.get(name, key, builder, folder)


def key_of(model: Model, target: Target) -> dict[str, str]:
    """List all that an engine depends on."""
    inputs, outputs = promised(model.card)
    return {
        'onnx_sha256': model.sha256,
        'library': 'tensorrt_rtx' if RTX else 'tensorrt',
        'version': trt.__version__,
        'gpu': target.gpu,
        'compute_capability': target.capability,
        'system': f'{platform.system()} {platform.machine()}',
        'precision': precision_of(model),
        'shapes': ', '.join(f'{k} {"x".join(map(str, v.shape))}' for k, v in inputs.items()),
        'flags': 'strongly typed, no TF32',
    }


def build_engine(model: Model, target: Target) -> bytes:
    """Parse a model file and build its engine, saying every few seconds that it goes on."""
    builder = trt.Builder(LOGGER)
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, LOGGER)
    if not parser.parse(model.onnx.read_bytes()):
        faults = '; '.join(str(parser.get_error(i)) for i in range(parser.num_errors))
        raise ValueError(f'TensorRT cannot read {model.onnx}: {faults}')
    config = builder.create_builder_config()
    config.clear_flag(trt.BuilderFlag.TF32)  # fp32 is fp32; who wants speed has fp16
    if RTX:
        _aim(config, target.capability)
    monitor = Monitor()
    config.progress_monitor = monitor
    started = time.monotonic()
    with _said(model.name, monitor):
        built = builder.build_serialized_network(network, config)
    if built is None:
        raise ValueError(
            f'TensorRT {trt.__version__} built no engine of {model.onnx}: see its log'
        )
    LOG.info('built the engine of %s in %.1f s', model.name, time.monotonic() - started)
    return bytes(built)


def _aim(config, capability: str) -> None:
    """Build for GPUs of a compute capability, which need not be here."""
    name = 'SM' + capability.replace('.', '')
    known = {**trt.ComputeCapability.__members__}  # type: ignore[attr-defined]
    if name not in known:
        offered = ', '.join(f'{each[2:-1]}.{each[-1]}' for each in known if each[:2] == 'SM')
        raise ValueError(
            f'TensorRT for RTX cannot build for compute capability {capability!r}: '
            f'it has {offered}'
        )
    config.num_compute_capabilities = 1
    config.set_compute_capability(known[name], 0)


class Monitor(trt.IProgressMonitor):
    """What a build is at; TensorRT calls it from threads of its own."""

    def __init__(self):
        trt.IProgressMonitor.__init__(self)
        self._steps: dict[str, list[int]] = {}

    def phase_start(self, phase_name, parent_phase, num_steps):
        """Note a phase."""
        self._steps[phase_name] = [0, num_steps]

    def step_complete(self, phase_name, step):
        """Note a step; the build goes on."""
        self._steps.get(phase_name, [0, 0])[0] = step + 1
        return True

    def phase_finish(self, phase_name):
        """Forget a phase."""
        self._steps.pop(phase_name, None)

    def __str__(self) -> str:
        steps = list(self._steps.items())  # a copy, as other threads change it
        return ', '.join(f'{name} {done} of {all_}' for name, (done, all_) in steps) or 'at work'


@contextmanager
def _said(name: str, monitor: Monitor) -> Iterator[None]:
    """Say every few seconds that a build goes on."""
    ended, started = threading.Event(), time.monotonic()

    def say():
        while not ended.wait(SAY):
            spent = time.monotonic() - started
            LOG.info('building the engine of %s, %.0f s so far: %s', name, spent, monitor)

    thread = threading.Thread(target=say, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
