"""Count a network's parameters and multiply-adds, without its weights."""

from __future__ import annotations

from typing import NamedTuple

from rganet_ros import networks
import torch
from torch.utils.flop_counter import FlopCounterMode


class Count(NamedTuple):
    """
    What a network costs.

    parameters     without those of auxiliary heads, which only training has
    multiply_adds  of convolutions and matrix products, for one picture
    """

    parameters: int
    multiply_adds: int


def count(name: str, size: tuple[int, int] | None = None, /, **config) -> Count:
    """
    Count a variant at a (height, width) and with changes of its Config; else as its paper does.

    One convention for all: torch's FlopCounterMode, over 2, of an evaluating network (RGANet's in
    its published form). Nothing is computed: shapes alone pass through (the meta device).
    """
    variant = networks.NETWORKS[name][1]
    height, width = size or variant.size
    config.setdefault('classes', variant.classes)
    with torch.device('meta'):
        network = networks.build(name, config).eval()
        if hasattr(network, 'use'):
            network.use('published')
        image = torch.zeros(1, 3, height, width)
        state = network.new_state(1)
        counter = FlopCounterMode(display=False)
        with torch.no_grad(), counter:
            network(image, image[:, :1], **state)
    parameters = sum(
        value.numel() for key, value in network.named_parameters() if not key.startswith('aux')
    )
    return Count(parameters, counter.get_total_flops() // 2)
