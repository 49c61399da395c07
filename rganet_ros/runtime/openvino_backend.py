"""OpenVINO, on the processor or on a GPU of Intel's."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import openvino
from rganet_ros.models import Model
from rganet_ros.runtime import check_precision, Settings, Spec, split_state

HINTS = {'fp32': 'f32', 'bf16': 'bf16', 'fp16': 'f16'}


@cache
def core() -> openvino.Core:
    """
    Give the one Core of this process.

    Each gives the thread a stack for signals and takes it away when it goes; where two went in the
    order they came, the next signal (SIGINT, a child that ends) was a segmentation fault.
    """
    return openvino.Core()


class OpenVinoBackend:
    """A backend (see the package), in bf16 or fp16 too where the device has that."""

    name = 'openvino'

    def __init__(self, model: Model, settings: Settings):
        """Compile; ValueError where it cannot be had as asked for."""
        device = device_of(settings.device, core().available_devices)
        can = core().get_property(device, 'OPTIMIZATION_CAPABILITIES')
        makes = tuple(each for each in ('bf16', 'fp16') if each.upper() in can)
        # A file in bf16 runs anywhere: it is widened where the device does not have that.
        runs = ('fp32', 'int8', 'bf16', *(each for each in makes if each == 'fp16'))
        check_precision(self.name, model, settings.precision, runs, makes)
        # Of int8, it is that of what is not quantised in the file itself.
        wanted = settings.precision if settings.precision in makes else 'fp32'
        config = {
            'INFERENCE_PRECISION_HINT': HINTS[wanted],
            'PERFORMANCE_HINT': 'LATENCY',
        }
        if settings.threads and device == 'CPU':
            config['INFERENCE_NUM_THREADS'] = settings.threads
        if settings.cache:  # what it compiled, which on a GPU takes long
            config['CACHE_DIR'] = str(Path(settings.cache) / 'openvino')
        try:
            self._compiled = core().compile_model(str(model.onnx), device, config)
        except RuntimeError as error:
            raise ValueError(f'OpenVINO cannot load {model.onnx}: {error}') from None
        self._device = (
            'CPU' if device == 'CPU' else core().get_property(device, 'FULL_DEVICE_NAME')
        )
        self._request = self._compiled.create_infer_request()
        inputs, outputs = _specs(self._compiled.inputs), _specs(self._compiled.outputs)
        self._state = {name: inputs.pop(name) for name in split_state(list(inputs))}
        self.inputs = inputs
        self.outputs = {k: v for k, v in outputs.items() if not k.startswith('next_')}
        self.precision = settings.precision

    def new_state(self) -> dict[str, np.ndarray]:
        """Zeros, by name."""
        return {name: np.zeros(spec.shape, np.float32) for name, spec in self._state.items()}

    def run(self, arrays: dict[str, np.ndarray], state: dict) -> dict[str, np.ndarray]:
        """Run one frame; the state is advanced in place."""
        given = {name: np.ascontiguousarray(arrays[name]) for name in self.inputs}
        self._request.infer(given | state, share_inputs=True)
        # Copies: the request's own tensors are overwritten by the next frame.
        state.update({name: self._output(f'next_{name}') for name in state})
        return {name: self._output(name) for name in self.outputs}

    def _output(self, name: str) -> np.ndarray:
        return self._request.get_tensor(name).data.copy()

    def close(self) -> None:
        """Let the compiled model go."""
        self._request = self._compiled = None

    def describe(self) -> dict[str, str]:
        """Say what runs."""
        return {
            'backend': self.name,
            'precision': self.precision,
            'version': openvino.__version__,
            'device': self._device,
        } | self._threads()

    def _threads(self) -> dict[str, str]:
        if self._device != 'CPU':
            return {}
        return {'threads': str(self._compiled.get_property('INFERENCE_NUM_THREADS'))}


def device_of(asked: str, there: list[str]) -> str:
    """Find OpenVINO's name of a device; ValueError where it is not there."""
    names = {'auto': 'CPU', 'cpu': 'CPU', 'gpu': 'GPU'}
    name = names.get(asked, asked.replace('gpu:', 'GPU.'))
    if name not in there and not (name == 'GPU' and 'GPU.0' in there):
        raise ValueError(
            f'OpenVINO has no device {asked!r} here, it has {", ".join(there).lower()}: '
            'set device to one of these'
        )
    return name


def _specs(ports) -> dict[str, Spec]:
    return {
        port.get_any_name(): Spec(tuple(port.shape), port.element_type.to_dtype().type)
        for port in ports
    }
