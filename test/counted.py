"""What a network costs, counted as the papers' figures are compared."""

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode


def millions(module: nn.Module) -> float:
    """Count the parameters, in millions, without auxiliary heads."""
    named = module.named_parameters()
    return sum(p.numel() for name, p in named if not name.startswith('aux')) / 1e6


def giga(module: nn.Module, *shape: int) -> float:
    """Count the multiply-adds of one evaluation, in 1e9; both module and input without data."""
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        module.to('meta').eval()(torch.zeros(1, *shape, device='meta'))
    return counter.get_total_flops() / 2e9


def without_gradient(network: nn.Module, height=64, width=96) -> list[str]:
    """Name the parameters that a step of training would leave as they are."""
    image, depth = torch.rand(2, 3, height, width), torch.rand(2, 1, height, width) + 0.3
    sum(out.square().mean() for out in network.train()(image, depth).values()).backward()
    return [n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()]
