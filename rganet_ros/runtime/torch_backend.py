"""The reference: the network itself in torch, from the weights beside the model file or in it."""

from __future__ import annotations

import numpy as np
from rganet_ros import networks
from rganet_ros.models import Model
from rganet_ros.runtime import check_precision, cuda_index, promised, Settings
import torch


class TorchBackend:
    """
    A backend (see the package) that runs the network unfolded, in float32.

    Compiled where the settings say so, on a GPU (device: cuda:0) with CUDA graphs.
    """

    name = 'torch'

    def __init__(self, model: Model, settings: Settings):
        """Load the weights; ValueError on another precision than fp32, or where some lack."""
        check_precision(self.name, model, settings.precision, ('fp32',))
        if settings.threads:
            torch.set_num_threads(settings.threads)
        self.precision = settings.precision
        self._device = torch.device('cpu')
        if settings.device not in ('auto', 'cpu'):
            self._device = torch.device('cuda', cuda_index(self.name, settings.device))
            if self._device.index >= torch.cuda.device_count():
                raise ValueError(f'torch has no GPU {self._device.index} here: set device to cpu')
        self._inference = networks.Inference(_network(model)).eval()
        self._inference.to(self._device)
        self._call = self._inference
        self._compiled = settings.compiled
        self.inputs, self.outputs = promised(model.card)
        if settings.compiled:
            self._compile()

    def _compile(self) -> None:
        """Compile, now and not with the first frame; ValueError where that cannot be done here."""
        mode = 'reduce-overhead' if self._device.type == 'cuda' else 'default'
        self._call = torch.compile(self._inference, mode=mode)
        zeros = {name: np.zeros(spec.shape, spec.dtype) for name, spec in self.inputs.items()}
        try:
            self.run(zeros, self.new_state())
        except Exception as error:  # of the compiler, of what it calls, or of the device
            first = str(error).strip().partition('\n')[0]
            raise ValueError(
                f'torch cannot compile the network here ({first}): set compiled to false'
            ) from error

    def new_state(self) -> dict[str, torch.Tensor]:
        """Memory of nothing: zeros."""
        state = self._inference.network.new_state(1)
        return {name: each.to(self._device) for name, each in state.items()}

    @torch.inference_mode()
    def run(self, arrays: dict[str, np.ndarray], state: dict) -> dict[str, np.ndarray]:
        """Run one frame; the state is advanced in place."""
        given = {k: torch.from_numpy(np.array(arrays[k])).to(self._device) for k in self.inputs}
        out = self._call(**given, **state)
        # Copies: what a graph wrote, its next run writes over.
        state.update({name: out[f'next_{name}'].clone() for name in state})
        return {name: out[name].cpu().numpy() for name in self.outputs}

    def close(self) -> None:
        """Let the network go."""
        self._inference = self._call = None

    def describe(self) -> dict[str, str]:
        """Say what runs."""
        return {
            'backend': self.name,
            'precision': self.precision,
            'version': torch.__version__,
            'device': (
                'CPU' if self._device.type == 'cpu' else torch.cuda.get_device_name(self._device)
            ),
            'threads': str(torch.get_num_threads()),
            'compiled': 'yes' if self._compiled else 'no',
        }


def _network(model: Model) -> torch.nn.Module:
    if model.weights:
        return networks.restore(model.weights)
    from rganet_ros.networks.unfold import network_of  # needs onnx, which the weights do not

    card = model.card
    try:
        network = network_of(model.onnx, card['network'], card.get('config'))
    except ValueError as error:
        needs = f'backend torch needs {model.name}.safetensors beside {model.onnx}'
        raise ValueError(f'{needs}: {error}') from None
    network.temperature = card.get('calibration', {}).get('temperature', 1.0)
    return network
