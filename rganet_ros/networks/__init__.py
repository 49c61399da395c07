"""
Networks in torch: an (RGB or RGB-D) picture in, class logits out.

Each network is a module `N(config, weights=None)` whose frozen Config says everything that may
vary; weights are those of its backbone, as backbones.encoder takes them:

    forward(image, depth=None, **state) -> {'logits': ..., 'aux...': ..., 'next_<state>': ...}

    image     (B, 3, H, W) float in 0..1, RGB; the network owns its mean and standard deviation
    depth     (B, 1, H, W) metres, 0 unknown; required where config.depth, else not read
    logits    (B, K, H, W)
    aux...    (B, K, H, W), only while training; heads for it are attributes named aux...
    state     float32 tensors of the shapes that state_shapes(batch) gives by name, zero at first;
              fed from next_<name>. {} for networks without memory

`NETWORKS` names the published variants. A checkpoint is a safetensors file that rebuilds its
network alone: name and Config stand in its metadata.
"""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path

from rganet_ros.networks import aaff, attanet, bisenet, ddrnet, fanet, peers, rganet, sanet
from rganet_ros.types import SUCTIONABLE
from safetensors import safe_open
from safetensors.torch import save_file
import torch
from torch import nn, Tensor

MODULES = {
    rganet.RGANet: rganet.VARIANTS,
    fanet.FANet: fanet.VARIANTS,
    attanet.AttaNet: attanet.VARIANTS,
    sanet.SANet: sanet.VARIANTS,
    aaff.AAFFNet: aaff.VARIANTS,
    bisenet.BiSeNet: bisenet.VARIANTS,
    ddrnet.DDRNet: ddrnet.VARIANTS,
    peers.Peer: peers.VARIANTS,
}
NETWORKS = {
    name: (network, variant)
    for network, variants in MODULES.items()
    for name, variant in variants.items()
}


def build(name: str, config: dict | None = None, weights: str | None = None) -> nn.Module:
    """
    Build a network with random weights; config overrides fields of the variant's Config.

    weights  of the backbone: None, 'imagenet' or a file (see backbones.encoder)
    """
    if name not in NETWORKS:
        raise ValueError(f'unknown network {name!r}: expected one of {", ".join(NETWORKS)}')
    network, variant = NETWORKS[name]
    config = dict(config or {})
    known = [field.name for field in dataclasses.fields(variant.config)]
    for key, value in config.items():
        if key not in known:
            raise ValueError(f'{name} has no field {key!r}: expected one of {", ".join(known)}')
        config[key] = tuple(value) if isinstance(value, list) else value
    built = network(dataclasses.replace(variant.config, **config), weights)
    built.name = name
    return built


def save(path: str | Path, network: nn.Module, *, half=False, **notes) -> None:
    """
    Write weights, name and Config; notes (plain JSON values) say how they were made.

    half stores weights of convolutions as fp16, as shipped models have them; restore widens them.
    """
    weights = {
        name: (value.half() if half and value.ndim > 1 else value).contiguous()
        for name, value in network.state_dict().items()
    }
    about = {'format': 1, 'network': network.name, 'config': dataclasses.asdict(network.config)}
    about |= {'temperature': network.temperature}
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    temporary = f'{path}.part'
    save_file(weights, temporary, {'rganet_ros': json.dumps(about | notes)})
    os.replace(temporary, path)


def notes(path: str | Path) -> dict:
    """Read what `save` noted: format, network, config and whatever was added."""
    try:
        with safe_open(str(path), 'pt') as file:
            return json.loads(file.metadata()['rganet_ros'])
    except FileNotFoundError:
        raise FileNotFoundError(f'{path}: no such checkpoint') from None
    except Exception as error:
        raise ValueError(f'{path} is no checkpoint of networks.save: {error}') from error


def read_weights(path: str | Path) -> dict[str, Tensor]:
    """Read the weights alone, widened to float32."""
    with safe_open(str(path), 'pt') as file:
        weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    return {k: v.float() if v.is_floating_point() else v for k, v in weights.items()}


def restore(path: str | Path) -> nn.Module:
    """Rebuild a network from its file, evaluating (not training), float32; ValueError if unfit."""
    about, weights = notes(path), read_weights(path)
    try:
        network = build(about['network'], about['config'])
    except ValueError as error:
        raise ValueError(f'{path}: {error}') from None
    for name, value in network.state_dict().items():
        shape = list(weights[name].shape) if name in weights else 'none'
        if shape != list(value.shape):
            raise ValueError(
                f'{path} says it is {about["network"]} with {name} of {list(value.shape)}, '
                f'but holds {shape}: it is of another network or number of classes'
            )
    network.load_state_dict(weights)
    network.temperature = about.get('temperature', 1.0)
    return network.eval()


class Inference(nn.Module):
    """
    A network with all that a model file has inside: raw pixels in, affordance and labels out.

    image       (1, H, W, 3) uint8 RGB
    depth       (1, H, W) float32 metres, 0 unknown; only where config.depth
    state       as the network's
    affordance  (1, H, W) float32, the probability of the suctionable class
    labels      (1, H, W) uint8, by way of float: TensorRT converts to uint8 from float only
    """

    def __init__(self, network: nn.Module):
        """Take an evaluating network."""
        super().__init__()
        self.network = network

    def forward(self, image: Tensor, depth: Tensor | None = None, **state) -> dict[str, Tensor]:
        """Run it; see the class."""
        image = (image.float() / 255).permute(0, 3, 1, 2)  # TensorRT permutes floats only
        out = self.network(image, None if depth is None else depth.unsqueeze(1), **state)
        # Three axes engines hold in their own order; of four, the classes would lie innermost,
        # where a few of them are slow to compare.
        logits = out['logits'].float()[0]
        memory = {name: value for name, value in out.items() if name.startswith('next_')}
        labels = logits.argmax(0)[None].float().to(torch.uint8)  # the last of all, for TensorRT
        # The softmax of one class, plane by plane: engines are slow at softmax and sums over axes.
        planes = list((logits / self.network.temperature).split(1))
        chosen = planes.pop(SUCTIONABLE)
        affordance = (1 + sum((plane - chosen).exp() for plane in planes)).reciprocal()
        return {'affordance': affordance, 'labels': labels, **memory}
