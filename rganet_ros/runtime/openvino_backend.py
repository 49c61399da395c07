"""
OpenVINO, on the processor or on a GPU of Intel's.

In half precision it brings every value there is to that, metres too, of which bf16 keeps steps of
2 to 4 mm: heights and slopes are lost in those. So what a model makes of depth before it meets
colour is a model of its own there, in fp32, which writes where the other one reads.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import openvino
from openvino import opset13 as opset
from rganet_ros.models import Model
from rganet_ros.runtime import check_precision, MIXED, Settings, Spec, split_state

HINTS = {'bf16': 'bf16', 'fp16': 'f16', MIXED: 'bf16'}  # the others: f32


@cache
def core() -> openvino.Core:
    """
    Give the one Core of this process.

    Each gives the thread a stack for signals and takes it away when it goes; where two went in the
    order they came, the next signal (SIGINT, a child that ends) was a segmentation fault.
    """
    return openvino.Core()


class OpenVinoBackend:
    """A backend (see the package), in bf16, fp16 or int8+bf16 too where the device has that."""

    name = 'openvino'

    def __init__(self, model: Model, settings: Settings):
        """Compile; ValueError where it cannot be had as asked for."""
        device = device_of(settings.device, core().available_devices)
        can = core().get_property(device, 'OPTIMIZATION_CAPABILITIES')
        halves = tuple(each for each in ('bf16', 'fp16') if each.upper() in can)
        # A file in bf16 runs anywhere: it is widened where the device does not have that.
        runs = ('fp32', 'int8', 'bf16', *(each for each in halves if each == 'fp16'))
        makes = {'fp32': halves, 'int8': (MIXED,) * ('bf16' in halves)}
        check_precision(self.name, model, settings.precision, runs, makes)
        made = settings.precision in (*halves, MIXED)
        config = {
            # Of int8, it is that of what is not quantised in the file itself.
            'INFERENCE_PRECISION_HINT': HINTS[settings.precision] if made else 'f32',
            'PERFORMANCE_HINT': 'LATENCY',
        }
        if settings.threads and device == 'CPU':
            config['INFERENCE_NUM_THREADS'] = settings.threads
        if settings.cache:  # what it compiled, which on a GPU takes long
            config['CACHE_DIR'] = str(Path(settings.cache) / 'openvino')
        try:
            whole = core().read_model(str(model.onnx))
            inputs, outputs = _specs(whole.inputs), _specs(whole.outputs)
            self._before = None
            if made and 'depth' in inputs:
                before, whole = cut(whole, 'depth')
                wide = config | {'INFERENCE_PRECISION_HINT': 'f32'}
                self._before = core().compile_model(before, device, wide).create_infer_request()
            self._compiled = core().compile_model(whole, device, config)
        except RuntimeError as error:
            raise ValueError(f'OpenVINO cannot load {model.onnx}: {error}') from None
        self._device = (
            'CPU' if device == 'CPU' else core().get_property(device, 'FULL_DEVICE_NAME')
        )
        self._request = self._compiled.create_infer_request()
        if self._before:
            for place in range(len(self._before.output_tensors)):
                self._request.set_tensor(f'cut_{place}', self._before.get_output_tensor(place))
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
        if self._before:
            self._before.infer({'depth': given.pop('depth')}, share_inputs=True)
        self._request.infer(given | state, share_inputs=True)
        # Copies: the request's own tensors are overwritten by the next frame.
        state.update({name: self._output(f'next_{name}') for name in state})
        return {name: self._output(name) for name in self.outputs}

    def _output(self, name: str) -> np.ndarray:
        return self._request.get_tensor(name).data.copy()

    def close(self) -> None:
        """Let the compiled model go."""
        self._request = self._before = self._compiled = None

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


def cut(model: openvino.Model, name: str) -> tuple[openvino.Model, openvino.Model]:
    """
    Split a model, which is used up, in two: what depends on one input alone, and the rest.

    The outputs of the first are inputs of the second, cut_0, cut_1, ...
    """
    parameters = {each.get_name(): each.output(0).get_names() for each in model.get_parameters()}
    reads: dict[str, set[str]] = {}  # by node: the inputs that it depends on; a constant on none
    results, given = [], []
    for node in model.get_ordered_ops():
        before = (port.get_source_output().get_node().get_name() for port in node.inputs())
        own = parameters.get(node.get_name(), set())
        reads[node.get_name()] = own.union(*(reads[each] for each in before))
    for node in model.get_ordered_ops():
        for port in node.outputs() if reads[node.get_name()] == {name} else ():
            readers = port.get_target_inputs()
            readers = [r for r in readers if reads[r.get_node().get_name()] != {name}]
            if readers:
                joint = opset.parameter(port.get_partial_shape(), port.get_element_type())
                joint.output(0).set_names({f'cut_{len(given)}'})
                for reader in readers:
                    reader.replace_source_output(joint.output(0))
                results.append(opset.result(port))
                given.append(joint)
    first, others = [], []
    for parameter in model.get_parameters():
        (first if name in parameters[parameter.get_name()] else others).append(parameter)
    return openvino.Model(results, first), openvino.Model(model.get_results(), others + given)


def _specs(ports) -> dict[str, Spec]:
    return {
        port.get_any_name(): Spec(tuple(port.shape), port.element_type.to_dtype().type)
        for port in ports
    }
