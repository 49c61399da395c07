"""Begin with the weights of another training."""

from __future__ import annotations

from pathlib import Path

from rganet_ros import networks
from rganet_ros.networks.layers import DepthChannels
from safetensors import SafetensorError
import torch
from torch import nn


def _sees_pixels(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Tell whether these are convolutions of a picture, one with depth and one without."""
    return (
        one.ndim == other.ndim == 4
        and one[:, :1].shape == other[:, :1].shape
        and {one.shape[1], other.shape[1]} == {3, 3 + DepthChannels.COUNT}
    )


def start_from(network: nn.Module, path: str | Path) -> list[str]:
    """
    Load the weights that fit from a checkpoint; returns the names of those that do not.

    The first layer may have fewer input channels there, colour without depth: they come first, the
    others start at zero, and the network begins by answering as the one it came from. ValueError
    where it has more, or the file is something else.
    """
    try:
        weights = networks.read_weights(path)
    except SafetensorError as error:
        raise ValueError(
            f'{path} is no .safetensors file, or cut off ({error}): give a checkpoint of rganet '
            'train'
        ) from None
    own, missed = network.state_dict(), []
    for name, value in own.items():
        given = weights.get(name)
        if given is not None and given.shape == value.shape:
            value.copy_(given)
        elif given is not None and _sees_pixels(given, value):
            colour = given.shape[1]
            if colour > value.shape[1]:
                raise ValueError(
                    f'{path} sees depth, and the recipe makes a network of colour alone: set '
                    'depth: true in its config, or start from a model of colour'
                )
            value.zero_()
            value[:, :colour] = given
        else:
            missed.append(name)
    return missed
