"""
TensorRT's executing half: an engine on a GPU, owned by the thread that loads it.

The picture goes up as the bytes it is, from pinned memory; memory of past frames never leaves the
GPU: a camera has two sets of it, and what one frame writes as next_x the next one reads as x.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import logging
import threading
from weakref import WeakSet

import numpy as np
import pycuda.driver as cuda
from rganet_ros.models import Model
from rganet_ros.runtime import (
    check_precision,
    cuda_index,
    engine_cache,
    PRECISIONS,
    Settings,
    Spec,
    split_state,
)
from rganet_ros.runtime.tensorrt_builder import engine, LOGGER, RTX, Target, trt

LOG = logging.getLogger(__name__)


class State:
    """
    A camera's memory of past frames, on the GPU.

    sets    two of {name: device memory}; `turn` is the one that the next frame reads
    graphs  for each turn, once there is one
    """

    def __init__(self, specs: dict[str, Spec]):
        """Allocate zeros."""
        self.sets: list[dict] = [{}, {}]
        self.graphs: list = [None, None]
        self.turn = 0
        for memory in self.sets:
            for name, spec in specs.items():
                memory[name] = cuda.mem_alloc(_bytes(spec))
                cuda.memset_d8(memory[name], 0, _bytes(spec))

    def clear(self) -> None:
        """Free it."""
        self.sets, self.graphs = [{}, {}], [None, None]


class TensorRtBackend:
    """A backend (see the package) on a GPU, in the precision of the model file."""

    name = 'tensorrt'

    def __init__(self, model: Model, settings: Settings):
        """Load the engine, or build it where that is allowed; ValueError where neither works."""
        check_precision(self.name, model, settings.precision, PRECISIONS)
        self.precision = settings.precision
        self._thread = threading.get_ident()
        self._states: WeakSet[State] = WeakSet()
        self._stateless: State | None = None
        index = cuda_index(self.name, settings.device)
        try:
            cuda.init()
            gpu = cuda.Device(index)
            self._primary = gpu.retain_primary_context()
        except cuda.Error as error:
            raise ValueError(f'backend tensorrt finds no GPU {index} here: {error}') from None
        self._gpu = gpu.name()
        capability = '.'.join(map(str, gpu.compute_capability()))
        self._target = Target('any' if RTX else self._gpu, capability)
        try:
            with self._current():
                self._open(model, settings)
                self._allocate()
            self._warm_up()
        except BaseException as error:
            self.close()
            if not isinstance(error, RuntimeError):
                raise
            said = f'TensorRT cannot run {model.name} on {self._gpu}: {error}'
            raise ValueError(said) from error

    def _open(self, model: Model, settings: Settings) -> None:
        """Load the engine; one that this library does not take is built again."""
        self._runtime = trt.Runtime(LOGGER)
        build = settings.build_engine == 'if_missing'
        for _ in range(2):
            name, data = engine(model, self._target, build, settings.cache)
            self._engine = self._runtime.deserialize_cuda_engine(data)
            if self._engine is not None:
                break
            if not build:
                raise ValueError(
                    f'engine {name} cannot be loaded here now: see the log of TensorRT'
                )
            LOG.warning('engine %s cannot be loaded here: it is to be built again', name)
            engine_cache.forget(name, settings.cache)
        else:
            raise ValueError(f'TensorRT {trt.__version__} does not load the engine that it built')
        self._execution = self._engine.create_execution_context()
        if self._execution is None:
            raise RuntimeError('it has no memory left for the engine, or see the log of TensorRT')
        self._stream = cuda.Stream()

    def _allocate(self) -> None:
        """Make memory for all but state, pinned and on the GPU, and bind it."""
        inputs: dict[str, Spec] = {}
        outputs: dict[str, Spec] = {}
        for index in range(self._engine.num_io_tensors):
            name = self._engine.get_tensor_name(index)
            kind = np.dtype(trt.nptype(self._engine.get_tensor_dtype(name))).type
            shape = self._engine.get_tensor_shape(name)
            spec = Spec(tuple(shape[axis] for axis in range(len(shape))), kind)
            is_input = self._engine.get_tensor_mode(name) == trt.TensorIOMode.INPUT
            (inputs if is_input else outputs)[name] = spec
        self._state = {name: inputs.pop(name) for name in split_state(list(inputs))}
        self.inputs = inputs
        self.outputs = {k: v for k, v in outputs.items() if not k.startswith('next_')}
        self._host, self._device = {}, {}
        for name, spec in (self.inputs | self.outputs).items():
            self._host[name] = cuda.pagelocked_empty(spec.shape, spec.dtype)
            self._device[name] = cuda.mem_alloc(_bytes(spec))
            self._execution.set_tensor_address(name, int(self._device[name]))

    def _warm_up(self) -> None:
        """Run until all is allocated and, where graphs can be had, recorded."""
        self._enqueued, self._graphs = False, _graphs()
        black: dict[str, np.ndarray] = {
            name: np.zeros(spec.shape, spec.dtype) for name, spec in self.inputs.items()
        }
        state = self.new_state()
        for _ in range(4):
            self.run(black, state)

    def new_state(self) -> State:
        """Zeros on the GPU; a model without memory has one and the same for all cameras."""
        if self._stateless is not None:
            return self._stateless
        with self._current():
            state = State(self._state)
        self._states.add(state)
        if not self._state:
            self._stateless = state
        return state

    def run(self, arrays: dict[str, np.ndarray], state: State) -> dict[str, np.ndarray]:
        """Run one frame; the state is advanced in place."""
        with self._current():
            for name in self.inputs:
                np.copyto(self._host[name], arrays[name], casting='no')
                cuda.memcpy_htod_async(self._device[name], self._host[name], self._stream)
            for name, memory in state.sets[state.turn].items():
                self._execution.set_tensor_address(name, int(memory))
                after = state.sets[1 - state.turn][name]
                self._execution.set_tensor_address(f'next_{name}', int(after))
            self._launch(state)
            for name in self.outputs:
                cuda.memcpy_dtoh_async(self._host[name], self._device[name], self._stream)
            self._stream.synchronize()
            state.turn = 1 - state.turn if self._state else 0
            return {name: self._host[name].copy() for name in self.outputs}

    def _launch(self, state: State) -> None:
        """Replay the graph of these addresses; record it first, once work was enqueued plainly."""
        if self._graphs and self._enqueued and state.graphs[state.turn] is None:
            aside = cuda.Stream()  # which may be left in a capture; what waits in ours is not
            try:
                recorded = self._graphs(aside.handle, lambda: self._enqueue(aside))
                recorded.replay(self._stream.handle)
                state.graphs[state.turn] = recorded
                return
            except RuntimeError as error:
                LOG.warning('no CUDA graph can be had (%s): going on without', error)
                self._graphs = None
        if state.graphs[state.turn] is not None:
            state.graphs[state.turn].replay(self._stream.handle)
        else:
            self._enqueue(self._stream)
            self._enqueued = True

    def _enqueue(self, stream) -> None:
        if not self._execution.execute_async_v3(stream.handle):
            raise RuntimeError('TensorRT could not enqueue the model: see its log')

    @contextmanager
    def _current(self) -> Iterator[None]:
        """Have the GPU's primary context, in the one thread that may."""
        if threading.get_ident() != self._thread:
            raise RuntimeError('this TensorRT backend belongs to the thread that loaded it')
        self._primary.push()
        try:
            yield
        except cuda.Error as error:  # an Exception of its own
            raise RuntimeError(f'the GPU says {error}') from error
        finally:
            cuda.Context.pop()

    def close(self) -> None:
        """Free the engine and all memory, states too."""
        with self._current():
            for state in self._states:
                state.clear()
            parts = ('_graphs', '_host', '_device', '_execution', '_engine', '_runtime', '_stream')
            for part in parts:  # in this order; of what could not be opened some are missing
                vars(self).pop(part, None)
        self._primary.detach()

    def describe(self) -> dict[str, str]:
        """Say what runs."""
        return {
            'backend': self.name,
            'precision': self.precision,
            'version': f'{"TensorRT for RTX" if RTX else "TensorRT"} {trt.__version__}',
            'device': f'{self._gpu} (compute capability {self._target.capability})',
            'cuda_graph': 'yes' if self._graphs else 'no',
        }


def _bytes(spec: Spec) -> int:
    return int(np.prod(spec.shape, dtype=np.int64)) * np.dtype(spec.dtype).itemsize


def _graphs():
    """Give what records CUDA graphs; None where cuda-python is not installed."""
    try:
        from rganet_ros.runtime.cuda_graph import Graph
    except ImportError:
        LOG.info('cuda-python is not installed: going on without CUDA graphs')
        return None
    return Graph
