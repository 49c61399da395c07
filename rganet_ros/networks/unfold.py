"""
A network again, from the graph of a model file, to run or to train on from there.

A model file has each batch norm inside the convolution before it. What comes out again is that
convolution, and a norm that adds an offset: it answers as the file does, but while training it
would divide by what it sees. `settle` gives it the mean and variance of that beforehand.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import onnx
from onnx import numpy_helper
from rganet_ros import networks
from rganet_ros.networks.coarse import CoarseConv, JoinedConv
from rganet_ros.networks.folding import first_layers, modules_that_run, norm_pairs, PairConv
from rganet_ros.networks.rganet_folded import affine
import torch
from torch import nn, Tensor
from torch.nn.functional import pixel_shuffle

HALF = '_half'  # ends the name of a weight that is stored as fp16, with a Cast after it


def weights_of(path: Path, name: str, config: dict | None) -> dict[str, Tensor]:
    """
    Give the weights of a network (name and Config) that stand in a model file of it, in fp32.

    What only trains (auxiliary heads) is not there. ValueError where more is missing: what is
    folded deeper, as much of RGANet, or was of no use in the graph, as some of SANet's heads.
    """
    network, stored = networks.build(name, config), {}
    for each in onnx.load(path).graph.initializer:
        key = each.name.removeprefix('network.').removesuffix(HALF)
        stored[key] = torch.from_numpy(numpy_helper.to_array(each).copy())
    for conv, module in first_layers(network).items():
        if f'{conv}.conv.weight' in stored:
            stored[f'{conv}.weight'] = first_layer(stored[f'{conv}.conv.weight'], module)
            if f'{conv}.conv.bias' in stored:
                stored[f'{conv}.bias'] = stored[f'{conv}.conv.bias']
    for name, module in network.named_modules():
        if isinstance(module, JoinedConv) and f'{name}.fine.weight' in stored:
            parts = (stored[f'{name}.{part}.weight'] for part in ('coarse', 'fine'))
            stored[f'{name}.weight'] = CoarseConv.joined(*parts)
            stored[f'{name}.bias'] = stored[f'{name}.fine.bias']
    weights = network.state_dict()
    found = {k: stored[k].to(v.dtype) for k, v in weights.items() if k in stored}
    for conv, norm in norm_pairs(network).items():
        offset = stored.get(f'{conv}.bias')
        if offset is None:
            continue
        if f'{conv}.bias' in weights:
            found[f'{conv}.bias'] = torch.zeros_like(offset)
        eps, scales = network.get_submodule(norm).eps, f'{norm}.weight' in weights
        found[f'{norm}.running_mean'] = torch.zeros_like(offset) if scales else -offset
        found[f'{norm}.running_var'] = torch.full_like(offset, 1 - eps)
        found[f'{norm}.num_batches_tracked'] = weights[f'{norm}.num_batches_tracked']
        if scales:
            found |= {f'{norm}.weight': torch.ones_like(offset), f'{norm}.bias': offset}
    runs = modules_that_run(network)
    for key, value in weights.items():
        fits = key in found and found[key].shape == value.shape
        if key.rpartition('.')[0] in runs and not fits:
            raise ValueError(f'{path} lacks {key} of {name}: its graph was folded, or dropped it')
    return found


def first_layer(weight: Tensor, conv: nn.Conv2d) -> Tensor:
    """Give the weight of a first layer from that in a graph: of pairs or, as once, of blocks."""
    if weight.shape[2] != weight.shape[3]:
        return PairConv.unpaired(weight, conv)
    _, place = PairConv.place(conv)
    return pixel_shuffle(weight, 2)[..., place, place]


def network_of(path: Path, name: str, config: dict | None) -> nn.Module:
    """Rebuild an evaluating network from its model file; ValueError as in weights_of."""
    network = networks.build(name, config)
    network.load_state_dict(weights_of(path, name, config), strict=False)
    return network.eval()


@torch.no_grad()
def settle(
    network: nn.Module, inputs: Iterable[tuple[Tensor, Tensor]], without: Iterable[str] = ()
) -> None:
    """
    Give an evaluating network's norms that train the statistics of these inputs; answers stay.

    inputs   image (B, 3, h, w) in 0..1 and depth (B, 1, h, w), as networks take them
    without  names of weights that are new: norms after those stay as they are
    """
    new = set(without)
    norms = [
        network.get_submodule(norm)
        for conv, norm in norm_pairs(network).items()
        if f'{conv}.weight' not in new
    ]
    norms = [norm for norm in norms if norm.affine and norm.weight.requires_grad]
    seen: dict[nn.Module, list[Tensor]] = {norm: [] for norm in norms}

    def note(norm: nn.Module, given: tuple[Tensor, ...]) -> None:
        x = given[0].double()
        seen[norm].append(torch.stack([x.mean((0, 2, 3)), x.square().mean((0, 2, 3))]))

    hooks = [norm.register_forward_pre_hook(note) for norm in norms]
    for image, depth in inputs:
        network(image, depth, **network.new_state(len(image), image.device))
    for hook in hooks:
        hook.remove()
    for norm in norms:
        mean, square = torch.stack(seen[norm]).mean(0)
        scale, offset = affine(norm)
        norm.running_mean.copy_(mean)
        norm.running_var.copy_((square - mean**2).clamp(min=0))
        norm.weight.copy_(scale * torch.sqrt(norm.running_var + norm.eps))
        norm.bias.copy_(offset + scale * norm.running_mean)
