"""ONNX Runtime, on the processor or on a GPU through CUDA."""

from __future__ import annotations

import logging

import numpy as np
import onnxruntime
from rganet_ros.models import Model
from rganet_ros.runtime import check_precision, cuda_index, Settings, Spec, split_state

LOG = logging.getLogger(__name__)
CPU, CUDA = 'CPUExecutionProvider', 'CUDAExecutionProvider'
DTYPES = {'tensor(uint8)': np.uint8, 'tensor(float)': np.float32}


class OnnxRuntimeBackend:
    """A backend (see the package): the providers that `device` names, in that order, no others."""

    name = 'onnxruntime'

    def __init__(self, model: Model, settings: Settings):
        """Make a session; ValueError where it cannot be had as asked for."""
        check_precision(self.name, model, settings.precision, ('fp32', 'fp16', 'int8'))
        asked = providers(settings.device)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = settings.threads
        options.log_severity_level = 3
        # Threads that spin between frames would take the cores from the rest of the robot.
        options.add_session_config_entry('session.intra_op.allow_spinning', '0')
        there = onnxruntime.get_available_providers()
        try:
            self._session = onnxruntime.InferenceSession(
                str(model.onnx), options, [each for each in asked if each[0] in there] or [CPU]
            )
        except Exception as error:  # its exceptions share no base class but this
            raise ValueError(f'ONNX Runtime cannot load {model.onnx}: {error}') from None
        runs = chosen([name for name, _ in asked], self._session.get_providers())
        self._device = 'CPU' if runs == CPU else f'GPU {dict(asked)[CUDA]["device_id"]}, CUDA'
        # Where the state is between frames; on the processor it is plain arrays.
        self._bound = None if runs == CPU else ('cuda', dict(asked)[CUDA]['device_id'])
        inputs, outputs = _specs(self._session.get_inputs()), _specs(self._session.get_outputs())
        self._state = {name: inputs.pop(name) for name in split_state(list(inputs))}
        self._names = list(outputs)
        self.inputs = inputs
        self.outputs = {k: v for k, v in outputs.items() if not k.startswith('next_')}
        self.precision, self._threads = settings.precision, settings.threads

    def new_state(self) -> dict:
        """Zeros, by name; on a GPU they are there."""
        zeros = {name: np.zeros(spec.shape, np.float32) for name, spec in self._state.items()}
        if self._bound is None:
            return zeros
        value = onnxruntime.OrtValue.ortvalue_from_numpy
        return {name: value(array, *self._bound) for name, array in zeros.items()}

    def run(self, arrays: dict[str, np.ndarray], state: dict) -> dict[str, np.ndarray]:
        """Run one frame; the state is advanced in place."""
        given = {name: arrays[name] for name in self.inputs}
        if self._bound is not None:
            return self._run_bound(given, state)
        out = dict(zip(self._names, self._session.run(self._names, given | state)))
        state.update({name: out[f'next_{name}'] for name in state})
        return {name: out[name] for name in self.outputs}

    def _run_bound(self, given: dict[str, np.ndarray], state: dict) -> dict[str, np.ndarray]:
        """Run one frame with the state left where it is."""
        binding = self._session.io_binding()
        for name, array in given.items():
            binding.bind_cpu_input(name, np.ascontiguousarray(array))
        for name, value in state.items():
            binding.bind_ortvalue_input(name, value)
        for name in self._names:
            binding.bind_output(name, *(('cpu', 0) if name in self.outputs else self._bound))
        self._session.run_with_iobinding(binding)
        out = dict(zip(self._names, binding.get_outputs()))
        state.update({name: out[f'next_{name}'] for name in state})
        return {name: out[name].numpy() for name in self.outputs}

    def close(self) -> None:
        """Let the session go."""
        self._session = None

    def describe(self) -> dict[str, str]:
        """Say what runs."""
        return {
            'backend': self.name,
            'precision': self.precision,
            'version': onnxruntime.__version__,
            'device': self._device,
            'threads': str(self._threads or 'all cores'),
        }


def providers(device: str) -> list[tuple[str, dict]]:
    """Read 'cuda:0,cpu' as providers with their options, in order of choice; one of each kind."""
    asked = [
        (CPU, {})
        if word in ('auto', 'cpu')
        else (CUDA, {'device_id': cuda_index('onnxruntime', word)})
        for word in device.split(',')
    ]
    if len(dict(asked)) < len(asked):
        raise ValueError(
            f'backend onnxruntime cannot run on {device!r}, two of one kind: ask for one GPU, '
            'cuda:0, for cpu, or for cuda:0,cpu'
        )
    return asked


def chosen(asked: list[str], has: list[str]) -> str:
    """
    Say which provider a session runs in; ValueError where that was not asked for.

    A later choice is said; ONNX Runtime itself would add the processor without a word.
    """
    runs = next((name for name in asked if name in has), None)
    if runs is None:
        raise ValueError(
            f'ONNX Runtime has no {asked[0]} here, it has {", ".join(has)}: pip install '
            'onnxruntime-gpu with its CUDA, or set device: cpu'
        )
    if runs != asked[0]:
        LOG.warning('ONNX Runtime has no %s here: %s, as device allows', asked[0], runs)
    return runs


def _specs(nodes) -> dict[str, Spec]:
    return {node.name: Spec(tuple(node.shape), DTYPES.get(node.type)) for node in nodes}
