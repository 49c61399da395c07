"""Begin with the weights of another training."""

from __future__ import annotations

from pathlib import Path

from rganet_ros import models, networks
from rganet_ros.networks.layers import DepthChannels
from rganet_ros.networks.unfold import weights_of
from rganet_ros.runtime import precision_of
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


def is_model(path: str | Path) -> bool:
    """Tell whether a model file is meant: the path of an .onnx, or a bare name."""
    path = Path(path)
    return path.suffix == '.onnx' or not (path.suffix or path.exists())


def start_from(network: nn.Module, path: str | Path) -> list[str]:
    """
    Load the weights that fit from a checkpoint or a model; returns the names of those that do not.

    The first layer may have fewer input channels there, colour without depth: they come first, the
    others start at zero, and the network begins by answering as the one it came from. It may have
    more where that one has learnt without depth, too (`without_depth`): the network answers as it
    does then. Else ValueError, as where the file is something else.
    """
    weights = _read(path)
    own, missed = network.state_dict(), []
    for name, value in own.items():
        given = weights.get(name)
        if given is not None and given.shape == value.shape:
            value.copy_(given)
        elif given is not None and _sees_pixels(given, value):
            if given.shape[1] > value.shape[1] and not _recipe(path).get('without_depth'):
                raise ValueError(
                    f'{path} sees depth, and the recipe makes a network of colour alone: set '
                    'depth: true in its config, or start from a model of colour'
                )
            common = min(given.shape[1], value.shape[1])
            value.zero_()
            value[:, :common] = given[:, :common]
        else:
            missed.append(name)
    return missed


def _recipe(path: str | Path) -> dict:
    """Read by which recipe that was trained."""
    about = models.find(path).card if is_model(path) else networks.notes(path)
    return about.get('made', {}).get('recipe', {})


def _read(path: str | Path) -> dict[str, torch.Tensor]:
    if is_model(path):
        model = models.find(path)
        card, has = model.card, precision_of(model)
        if has != 'fp32':
            raise ValueError(f'{model.onnx} is in {has}: start from the one in fp32')
        return weights_of(model.onnx, card['network'], card.get('config'))
    try:
        return networks.read_weights(path)
    except SafetensorError as error:
        raise ValueError(
            f'{path} is no .safetensors file, or cut off ({error}): give a checkpoint of rganet '
            'train'
        ) from None
