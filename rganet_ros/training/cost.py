"""What a model that is scored costs, to stand beside what it is worth."""

from __future__ import annotations

from pathlib import Path

from rganet_ros import models, networks
from rganet_ros.networks.count import Count, count


def cost(name: str, size: tuple[int, int]) -> Count | None:
    """
    Count the parameters and the multiply-adds a frame of a model; None where they are not known.

    name  as evaluate takes it. Of a model file what its card says is counted, network, Config and
          size of input; of a checkpoint the network at the size of the frames. `normals` has none
    size  (height, width) of the frames

    Counts are by `networks.count`: before an export folds norms and a conversion changes types.
    """
    if name == 'normals':
        return None
    if Path(name).suffix == '.safetensors':
        about = networks.notes(name)
        size = about['config'].get('size', size)
    else:
        about = models.find(name).card
        size = about['size']
    if about['network'] not in networks.NETWORKS:
        return None
    return count(about['network'], tuple(size), **about['config'])
