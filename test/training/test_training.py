"""One step: batch norms that stay."""

import pytest
from rganet_ros.training.batches import Batches
from rganet_ros.training.config import Recipe
from rganet_ros.training.machine import open_fabric
from rganet_ros.training.training import Training

TINY = {'blocks': [1, 1, 1, 1], 'reduced': 8, 'scale_by_n': True}


def stepped(frames, **changes):
    given = {'config': TINY, 'batch': 2, 'crop': (64, 64), 'precision': 'fp32'} | changes
    recipe = Recipe(**given)
    training = Training(recipe, 10, open_fabric('cpu'))
    training.begin_epoch()
    training.step([Batches(frames, recipe)[0, 0]])
    return training


@pytest.mark.parametrize('frozen', [True, False])
def test_frozen_norms_keep_their_statistics(frozen, frames):
    training = stepped(frames, freeze_norms=frozen)
    means = [v for k, v in training.network.state_dict().items() if k.endswith('running_mean')]
    assert len(means) > 5 and all(not mean.any() for mean in means) == frozen
