"""
A network's weights again, from the graph of a model file, to train on from there.

A model file has each batch norm inside the convolution before it. What comes out again is that
convolution, and a norm that adds an offset: it answers as the file does, but while training it
would divide by what it sees. `settle` gives it the mean and variance of that beforehand.
"""

from __future__ import annotations

from collections.abc import Iterable

import onnx
from onnx import numpy_helper
from rganet_ros import networks
from rganet_ros.models import Model
from rganet_ros.networks.folding import norm_pairs
from rganet_ros.networks.rganet_folded import affine
from rganet_ros.runtime import precision_of
from rganet_ros.training.precision import widen
import torch
from torch import nn, Tensor


def weights_of(model: Model) -> dict[str, Tensor]:
    """
    Give the weights of a model's network, by the names they have there.

    What only trains (auxiliary heads) is not in the file, nor what is folded deeper, as much of
    RGANet is. ValueError where they were rounded: in another precision than fp32.
    """
    if precision_of(model) != 'fp32':
        raise ValueError(f'{model.onnx} is in {precision_of(model)}: start from the one in fp32')
    network = networks.build(model.card['network'], model.card['config'])
    stored = {
        each.name.removeprefix('network.'): torch.from_numpy(numpy_helper.to_array(each).copy())
        for each in widen(onnx.load(model.onnx)).graph.initializer
    }
    weights = network.state_dict()
    found = {name: stored[name] for name in weights if name in stored}
    for conv, norm in norm_pairs(network).items():
        offset = stored.get(f'{conv}.bias')
        if offset is None:
            continue
        if f'{conv}.bias' in weights:
            found[f'{conv}.bias'] = torch.zeros_like(offset)
        eps, affine = network.get_submodule(norm).eps, f'{norm}.weight' in weights
        found[f'{norm}.running_mean'] = torch.zeros_like(offset) if affine else -offset
        found[f'{norm}.running_var'] = torch.full_like(offset, 1 - eps)
        found[f'{norm}.num_batches_tracked'] = weights[f'{norm}.num_batches_tracked']
        if affine:
            found |= {f'{norm}.weight': torch.ones_like(offset), f'{norm}.bias': offset}
    return found


@torch.no_grad()
def settle(network: nn.Module, inputs: Iterable[tuple[Tensor, Tensor]]) -> None:
    """
    Give an evaluating network's norms that train the statistics of these inputs; answers stay.

    inputs  image (B, 3, h, w) in 0..1 and depth (B, 1, h, w), as networks take them
    """
    norms = [network.get_submodule(name) for name in norm_pairs(network).values()]
    norms = [norm for norm in norms if norm.affine and norm.weight.requires_grad]
    seen: dict[nn.Module, list[Tensor]] = {norm: [] for norm in norms}

    def note(norm: nn.Module, given: tuple[Tensor, ...]) -> None:
        x = given[0].double()
        seen[norm].append(torch.stack([x.mean((0, 2, 3)), x.square().mean((0, 2, 3))]))

    hooks = [norm.register_forward_pre_hook(note) for norm in norms]
    for image, depth in inputs:
        network(image, depth, **network.new_state(len(image)))
    for hook in hooks:
        hook.remove()
    for norm in norms:
        mean, square = torch.stack(seen[norm]).mean(0)
        scale, offset = affine(norm)
        norm.running_mean.copy_(mean)
        norm.running_var.copy_((square - mean**2).clamp(min=0))
        norm.weight.copy_(scale * torch.sqrt(norm.running_var + norm.eps))
        norm.bias.copy_(offset + scale * norm.running_mean)
