"""One step of a training in as many processes as there are; its gradients, to be compared."""

import sys

from rganet_ros.training.batches import Batches
from rganet_ros.training.config import Recipe
from rganet_ros.training.data import Frames
from rganet_ros.training.machine import open_fabric
from rganet_ros.training.training import Training
import torch

TINY = {'blocks': [1, 1, 1, 1], 'reduced': 8, 'scale_by_n': True, 'depth': True}
RECIPE = Recipe(
    config=TINY, batch=4, crop=(64, 64), precision='fp32', freeze_norms=True, epochs=1
)  # fmt: skip
LOSSES = ({'loss': 'cross-entropy'}, {'loss': 'focal', 'overlap': 0.0}, {'loss': 'ohem'})


def gradients(recipe, root, fabric):
    """Take the first step; give the loss and the gradients by name."""
    batches = Batches(Frames(root, 'train'), recipe, fabric.global_rank, fabric.world_size)
    training = Training(recipe, 10, fabric)
    training.begin_epoch()
    loss = training.step([batches[0, n] for n in range(recipe.accumulate)])
    named = training.network.named_parameters()
    return {'loss': loss} | {name: parameter.grad for name, parameter in named}


if __name__ == '__main__':
    import dataclasses

    root, out = sys.argv[1:]
    fabric = open_fabric('cpu')
    found = [gradients(dataclasses.replace(RECIPE, **given), root, fabric) for given in LOSSES]
    if fabric.global_rank == 0:
        torch.save(found, out)
