"""Batch norms that vanish: found by running the network once, then given to convolutions."""

from __future__ import annotations

from collections import Counter
import copy
from functools import partial

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

CONVOLUTIONS = (nn.Conv2d, nn.ConvTranspose2d)


class _Uses(TorchFunctionMode):
    """Counts, while active, how often each tensor is given to a function: id -> times."""

    def __init__(self):
        super().__init__()
        self.times: Counter[int] = Counter()
        self._held = []  # so that no tensor's id is given to another

    def __torch_function__(self, function, types, args=(), kwargs=None):
        """Count where a tensor comes out: to ask for a shape is no use."""
        out = function(*args, **(kwargs or {}))
        given, made = (
            list(filter(torch.is_tensor, tree_leaves(x))) for x in ((args, kwargs), out)
        )
        if made:
            self.times.update(map(id, given))
            self._held += given + made
        return out


def norm_pairs(network: nn.Module) -> dict[str, str]:
    """
    Find the convolutions whose output goes to a batch norm and nowhere else, by names.

    The network is run once, on shapes alone (the meta device). What runs twice is left out.
    """
    traced = copy.deepcopy(network).to('meta', torch.float32).eval()
    made: dict[int, str] = {}
    runs, pairs, uses = Counter(), {}, _Uses()

    def after_convolution(name, _, given, output):
        runs[name] += 1
        made[id(output)] = name

    def after_norm(name, _, given, output):
        runs[name] += 1
        if id(given[0]) in made:
            pairs[id(given[0])] = name

    for name, module in traced.named_modules():
        if isinstance(module, CONVOLUTIONS):
            module.register_forward_hook(partial(after_convolution, name))
        elif isinstance(module, nn.BatchNorm2d):
            module.register_forward_hook(partial(after_norm, name))
    height, width = getattr(network.config, 'size', (64, 64))
    state = network.new_state(1, 'meta')
    image = torch.zeros(1, 3, height, width, device='meta')
    with torch.no_grad(), uses:
        traced(image, image[:, :1], **state)
    found = {made[key]: norm for key, norm in pairs.items() if uses.times[key] == 1}
    return {conv: norm for conv, norm in found.items() if runs[conv] == runs[norm] == 1}


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
