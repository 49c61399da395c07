"""The reference: the network itself in torch, from the weights beside the model file."""

from __future__ import annotations

import numpy as np
from rganet_ros import networks
from rganet_ros.models import Model
from rganet_ros.runtime import check_precision, promised, Settings
import torch


class TorchBackend:
    """A backend (see the package) that runs the network unfolded, in float32, on the CPU."""

    name = 'torch'

    def __init__(self, model: Model, settings: Settings):
        """Load the weights; ValueError on a precision other than fp32, or without weights."""
        check_precision(self.name, model, settings.precision, ('fp32',))
        if model.weights is None:
            raise ValueError(f'backend torch needs {model.name}.safetensors beside {model.onnx}')
        if settings.threads:
            torch.set_num_threads(settings.threads)
        self.precision = settings.precision
        self._inference = networks.Inference(networks.restore(model.weights)).eval()
        self.inputs, self.outputs = promised(model.card)

    def new_state(self) -> dict[str, torch.Tensor]:
        """Memory of nothing: zeros."""
        return self._inference.network.new_state(1)

    @torch.inference_mode()
    def run(self, arrays: dict[str, np.ndarray], state: dict) -> dict[str, np.ndarray]:
        """Run one frame; the state is advanced in place."""
        given = {k: torch.from_numpy(np.array(arrays[k])) for k in self.inputs}
        out = self._inference(**given, **state)
        state.update({name: out[f'next_{name}'] for name in state})
        return {name: out[name].numpy() for name in self.outputs}

    def close(self) -> None:
        """Let the network go."""
        self._inference = None

    def describe(self) -> dict[str, str]:
        """Say what runs."""
        return {
            'backend': self.name,
            'precision': self.precision,
            'version': torch.__version__,
            'device': 'CPU',
            'threads': str(torch.get_num_threads()),
        }
