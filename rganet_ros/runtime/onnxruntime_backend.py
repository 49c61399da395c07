"""ONNX Runtime on the CPU."""

from __future__ import annotations

import numpy as np
import onnxruntime
from rganet_ros.models import Model
from rganet_ros.runtime import check_precision, Settings, Spec, split_state

PROVIDERS = ['CPUExecutionProvider']
DTYPES = {'tensor(uint8)': np.uint8, 'tensor(float)': np.float32}


class OnnxRuntimeBackend:
    """A backend (see the package) on the CPU, in float32."""

    name = 'onnxruntime'

    def __init__(self, model: Model, settings: Settings):
        """Make a session; ValueError where it cannot be had as asked for."""
        check_precision(self.name, model, settings.precision, ('fp32', 'fp16', 'int8'))
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = settings.threads
        options.log_severity_level = 3
        # Threads that spin between frames would take the cores from the rest of the robot.
        options.add_session_config_entry('session.intra_op.allow_spinning', '0')
        try:
            self._session = onnxruntime.InferenceSession(str(model.onnx), options, PROVIDERS)
        except Exception as error:  # its exceptions share no base class but this
            raise ValueError(f'ONNX Runtime cannot load {model.onnx}: {error}') from None
        if self._session.get_providers() != PROVIDERS:
            raise ValueError(
                f'ONNX Runtime gave {self._session.get_providers()} instead of {PROVIDERS}'
            )
        inputs, outputs = _specs(self._session.get_inputs()), _specs(self._session.get_outputs())
        self._state = {name: inputs.pop(name) for name in split_state(list(inputs))}
        self._names = list(outputs)
        self.inputs = inputs
        self.outputs = {k: v for k, v in outputs.items() if not k.startswith('next_')}
        self.precision, self._threads = settings.precision, settings.threads

    def new_state(self) -> dict[str, np.ndarray]:
        """Zeros, by name."""
        return {name: np.zeros(spec.shape, np.float32) for name, spec in self._state.items()}

    def run(self, arrays: dict[str, np.ndarray], state: dict) -> dict[str, np.ndarray]:
        """Run one frame; the state is advanced in place."""
        given = {name: arrays[name] for name in self.inputs}
        out = dict(zip(self._names, self._session.run(self._names, given | state)))
        state.update({name: out[f'next_{name}'] for name in state})
        return {name: out[name] for name in self.outputs}

    def close(self) -> None:
        """Let the session go."""
        self._session = None

    def describe(self) -> dict[str, str]:
        """Say what runs."""
        return {
            'backend': self.name,
            'precision': self.precision,
            'version': onnxruntime.__version__,
            'device': 'CPU',
            'threads': str(self._threads or 'all cores'),
        }


def _specs(nodes) -> dict[str, Spec]:
    return {node.name: Spec(tuple(node.shape), DTYPES.get(node.type)) for node in nodes}
