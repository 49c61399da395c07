"""Batch norms that vanish: found by running the network once, then given to convolutions."""

from __future__ import annotations

import copy

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

CONVOLUTIONS = (nn.Conv2d, nn.ConvTranspose2d)


def norm_pairs(network: nn.Module) -> dict[str, str]:
    """
    Find the convolutions whose output goes to a batch norm: name -> name of the norm.

    The network is run once, on shapes alone (the meta device). A convolution or a norm that runs
    twice is left out.
    """
    traced = copy.deepcopy(network).to('meta').eval()
    outputs, pairs, runs = {}, {}, {}
    for name, module in traced.named_modules():
        if isinstance(module, CONVOLUTIONS):

            def seen(_, given, output, name=name):
                runs[name] = runs.get(name, 0) + 1
                outputs[id(output)] = name, output  # held, so that no other gets its id

            module.register_forward_hook(seen)
        elif isinstance(module, nn.BatchNorm2d):

            def read(_, given, output, name=name):
                runs[name] = runs.get(name, 0) + 1
                if id(given[0]) in outputs:
                    pairs[outputs[id(given[0])][0]] = name

            module.register_forward_hook(read)
    height, width = getattr(network.config, 'size', (64, 64))
    state = {k: torch.zeros(v, device='meta') for k, v in network.state_shapes(1).items()}
    image = torch.zeros(1, 3, height, width, device='meta')
    with torch.no_grad():
        traced(image, image[:, :1], **state)
    return {conv: norm for conv, norm in pairs.items() if runs[conv] == runs[norm] == 1}


@torch.no_grad()
def absorb_norms(network: nn.Module) -> nn.Module:
    """
    Give, in place, each batch norm's scale to its convolution; the network computes the same.

    An evaluating norm then adds an offset and nothing else, so that folding it changes no weight:
    weights rounded to fp16 here and the folded ones in a model file are the same numbers. While
    training it still is the norm that it was.
    """
    for conv, norm in norm_pairs(network).items():
        conv, norm = network.get_submodule(conv), network.get_submodule(norm)
        scale = 1 / torch.sqrt(norm.running_var + norm.eps)
        if norm.affine:
            scale *= norm.weight
        across = (1, -1) if isinstance(conv, nn.ConvTranspose2d) else (-1, 1)
        conv.weight *= scale.view(*across, 1, 1)
        if conv.bias is not None:
            conv.bias *= scale
        norm.running_mean *= scale
        if norm.affine:
            norm.running_var *= scale**2
            norm.weight.copy_(torch.sqrt(norm.running_var + norm.eps))
        else:
            norm.running_var.fill_(1 - norm.eps)
    return network


def fold_norms(network: nn.Module) -> nn.Module:
    """Absorb, in place, every such batch norm of an evaluating network into its convolution."""
    for conv, norm in norm_pairs(network).items():
        before = network.get_submodule(conv)
        transposed = isinstance(before, nn.ConvTranspose2d)
        after = network.get_submodule(norm)
        _put(network, conv, fuse_conv_bn_eval(before, after, transposed))
        _put(network, norm, getattr(after, 'act', nn.Identity()))  # timm's norms may activate
    return network


def _put(network: nn.Module, name: str, module: nn.Module) -> None:
    parent, _, child = name.rpartition('.')
    setattr(network.get_submodule(parent), child, module)
