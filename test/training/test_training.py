"""One step: batch norms and backbones that stay, averaged weights that follow."""

import pytest
from rganet_ros.training.batches import Batches
from rganet_ros.training.config import Recipe
from rganet_ros.training.machine import open_fabric
from rganet_ros.training.training import Training
import torch

TINY = {'blocks': [1, 1, 1, 1], 'reduced': 8, 'scale_by_n': True}


def begun(**changes):
    given = {'config': TINY, 'batch': 2, 'crop': (64, 64), 'precision': 'fp32'} | changes
    training = Training(Recipe(**given), 10, open_fabric('cpu'))
    training.begin_epoch()
    return training


def stepped(frames, **changes):
    training = begun(**changes)
    training.step([Batches(frames, training.recipe)[0, 0]])
    return training


@pytest.mark.parametrize('frozen', [True, False])
def test_frozen_norms_keep_their_statistics(frozen, frames):
    training = stepped(frames, freeze_norms=frozen)
    means = [v for k, v in training.network.state_dict().items() if k.endswith('running_mean')]
    assert len(means) > 5 and all(not mean.any() for mean in means) == frozen


@pytest.mark.parametrize(('decay', 'share'), [(0.0, 1.0), (0.1, 0.9), (0.998, 9 / 11)])
def test_averaged_weights_follow_by_what_the_decay_leaves_and_sooner_at_first(
    decay, share, frames
):
    before = dict(begun(average=decay).network.named_parameters())
    training = stepped(frames, average=decay)
    moved = 0
    for (name, after), kept in zip(
        training.network.named_parameters(), training.average.parameters()
    ):
        torch.testing.assert_close(kept, before[name] + share * (after - before[name]))
        moved += not torch.equal(after, before[name])
    assert moved > 10


def test_a_backbone_at_rate_0_stays_to_the_last_bit_and_the_rest_learns(frames):
    before = begun(backbone_rate=0.0).network.state_dict()
    training = stepped(frames, backbone_rate=0.0)
    for network in (training.network, training.average):
        stayed = {k: torch.equal(v, before[k]) for k, v in network.state_dict().items()}
        assert all(same for name, same in stayed.items() if name.startswith('backbone.'))
        assert not all(stayed.values())


def test_named_parts_stay_to_the_last_bit_norms_and_all_and_no_others(frames):
    parts = ('backbone.stages.1', 'head')
    before = begun(kept=' '.join(parts)).network.state_dict()
    after = stepped(frames, kept=' '.join(parts)).network.state_dict()
    for name, value in after.items():
        if not name.endswith('num_batches_tracked'):
            kept = name.startswith(tuple(f'{part}.' for part in parts))
            assert torch.equal(value, before[name]) == kept, name


def test_a_part_that_is_not_there_cannot_be_kept():
    with pytest.raises(ValueError, match='fanet18 has no tail to keep .*: it has .*backbone'):
        begun(kept='head tail')
