"""Equal networks that engines run faster: norms go into convolutions, first layers see pairs."""

from __future__ import annotations

from collections import Counter
import copy
from functools import partial

import torch
from torch import nn, Tensor
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

CONVOLUTIONS = (nn.Conv2d, nn.ConvTranspose2d)
FEW = 8  # channels; engines compute convolutions by blocks of 8 or 16 of them


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

    The network is run once, on shapes alone. What runs twice is left out.
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
    with uses:
        _run_once(traced)
    found = {made[key]: norm for key, norm in pairs.items() if uses.times[key] == 1}
    return {conv: norm for conv, norm in found.items() if runs[conv] == runs[norm] == 1}


def modules_that_run(network: nn.Module) -> set[str]:
    """Name the modules that take part in an answer: auxiliary heads, say, do not."""
    traced, runs = copy.deepcopy(network).to('meta', torch.float32).eval(), set()
    for name, module in traced.named_modules():
        module.register_forward_pre_hook(lambda *_, name=name: runs.add(name))
    _run_once(traced)
    return runs


@torch.no_grad()
def _run_once(traced: nn.Module) -> None:
    """Run a network that is on the meta device, on shapes alone."""
    height, width = getattr(traced.config, 'size', (64, 64))
    image = torch.zeros(1, 3, height, width, device='meta')
    traced(image, image[:, :1], **traced.new_state(1, 'meta'))


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


class PairConv(nn.Module):
    """
    A convolution of stride 2 of few channels, as one of pairs of pixels: twice as many channels.

    The pairs lie side by side. In pictures as cameras give them, (B, H, W, C), those are numbers
    beside each other, and to pair them moves nothing. The kernel is padded with zeros to pairs.
    """

    @torch.no_grad()
    def __init__(self, conv: nn.Conv2d):
        """Rearrange the weights."""
        super().__init__()
        before, place = self.place(conv)
        count, channels, length, _ = conv.weight.shape
        pairs = -(-place.stop // 2)
        weight = conv.weight.new_zeros(count, channels, length, 2 * pairs)
        weight[..., place] = conv.weight
        weight = weight.unflatten(3, (pairs, 2)).permute(0, 4, 1, 2, 3).flatten(1, 2)
        self.across = (before, pairs - 1 - before)
        self.conv = nn.Conv2d(
            2 * channels, count, (length, pairs), stride=(2, 1), padding=(length // 2, 0)
        )
        self.conv.weight = nn.Parameter(weight.contiguous())
        self.conv.bias = conv.bias

    @staticmethod
    def place(conv: nn.Conv2d) -> tuple[int, slice]:
        """Say how many pairs of padding come first, and where in whole pairs the kernel is."""
        length, padding = conv.kernel_size[0], conv.padding[0]
        before = -(-padding // 2)
        first = 2 * before - padding
        return before, slice(first, first + length)

    @classmethod
    def unpaired(cls, weight: Tensor, conv: nn.Conv2d) -> Tensor:
        """Give conv's weight from that of the pairs."""
        _, place = cls.place(conv)
        whole = weight.unflatten(1, (2, -1)).permute(0, 2, 3, 4, 1).flatten(3)
        return whole[..., place]

    def forward(self, x: Tensor) -> Tensor:  # noqa: D102
        x = functional.pad(x, (0, x.shape[3] % 2)).permute(0, 2, 3, 1)
        x = x.unflatten(2, (-1, 2)).flatten(3).permute(0, 3, 1, 2)
        return self.conv(functional.pad(x, self.across))


def first_layers(network: nn.Module) -> dict[str, nn.Conv2d]:
    """Find the convolutions of stride 2 that see few channels, by name."""
    return {
        name: each
        for name, each in network.named_modules()
        if type(each) is nn.Conv2d  # timm has one that pads by itself
        and each.in_channels <= FEW
        and (each.stride, each.groups, each.dilation) == ((2, 2), 1, (1, 1))
        and 1 < each.kernel_size[0] == each.kernel_size[1]
        and each.kernel_size[0] % 2
        and each.padding == (each.kernel_size[0] // 2,) * 2
        and each.padding_mode == 'zeros'
    }


def pair_pixels(network: nn.Module) -> nn.Module:
    """Put a PairConv, in place, for each of the first layers."""
    for name, conv in first_layers(network).items():
        _put(network, name, PairConv(conv))
    return network


def _put(network: nn.Module, name: str, module: nn.Module) -> None:
    parent, _, child = name.rpartition('.')
    setattr(network.get_submodule(parent), child, module)
