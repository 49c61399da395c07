"""What stands beside the scores of a model: what it costs, and which cup it is for."""

from __future__ import annotations

from pathlib import Path

from rganet_ros import models, networks
from rganet_ros.networks.count import Count, count
from rganet_ros.training import origin


def noted(name: str) -> dict:
    """Read what is noted of a model, named as for evaluate; nothing of `normals`."""
    if name == 'normals':
        return {}
    if Path(name).suffix == '.safetensors':
        return networks.notes(name)
    return models.find(name).card


def cost(about: dict, size: tuple[int, int]) -> Count | None:
    """
    Count the parameters and the multiply-adds a frame of a model; None where they are not known.

    about  as noted gives it. Of a model file what its card says is counted, network, Config and
           size of input; of a checkpoint the network at the size of the frames
    size   (height, width) of the frames

    Counts are by `networks.count`: before an export folds norms and a conversion changes types.
    """
    if about.get('network') not in networks.NETWORKS:
        return None
    own = about.get('size') or about['config'].get('size') or size
    return count(about['network'], tuple(own), **about['config'])


def cup(about: dict) -> str:
    """Name the cup that a model was trained for; '' where it is not known."""
    found = origin.cup(about.get('made', {}).get('data', {}))
    return about.get('cup', found.name if found else '')
