import json

import numpy as np
import pytest
from rganet_ros import networks
from rganet_ros.training import data, train
from rganet_ros.training.config import Recipe
from small_data import write
import torch

TINY = {'blocks': [1, 1, 1, 1], 'reduced': 8, 'scale_by_n': True}


def recipe(**changes):
    return Recipe(**{
        'config': TINY | {'depth': True}, 'epochs': 4, 'batch': 2, 'crop': (64, 64),
        'precision': 'fp32', 'evaluate_every': 2,
    } | changes)  # fmt: skip


def weights(path):
    return networks.read_weights(path / 'network.safetensors')


def test_it_learns_a_few_frames_by_heart(frames, tmp_path):
    given = recipe(epochs=20, evaluate_every=20, colour=0.1, turn=0.0, average=0.9)
    train.fit(given, frames, frames, tmp_path)
    lines = [json.loads(line) for line in (tmp_path / 'log.jsonl').read_text().splitlines()]
    assert [line['epoch'] for line in lines] == list(range(1, 21))
    losses = [line['loss'] for line in lines]
    assert np.mean(losses[-3:]) < 0.7 * np.mean(losses[:3])
    assert lines[-1]['iou'][2] > 0.4
    assert (tmp_path / 'epoch-20.png').stat().st_size > 1000
    assert not list(tmp_path.glob('*.part*'))


def test_a_stopped_training_goes_on_exactly(frames, tmp_path, monkeypatch):
    train.fit(recipe(), frames, frames, tmp_path / 'whole')

    def stopped(frames, recipe, epoch, batches=train.batches):
        for step, batch in enumerate(batches(frames, recipe, epoch)):
            if (epoch, step) == (2, 1):
                raise KeyboardInterrupt
            yield batch

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(train, 'batches', stopped)
        train.fit(recipe(), frames, frames, tmp_path / 'halted')
    assert torch.load(tmp_path / 'halted' / 'last.pt', weights_only=True)['epoch'] == 2
    train.fit(recipe(), frames, frames, tmp_path / 'halted')
    whole, halted = weights(tmp_path / 'whole'), weights(tmp_path / 'halted')
    assert all(torch.equal(whole[name], halted[name]) for name in whole)


def test_another_recipe_does_not_go_on(frames, tmp_path):
    train.fit(recipe(epochs=1), frames, frames, tmp_path)
    with pytest.raises(ValueError, match='made by another recipe'):
        train.fit(recipe(epochs=2), frames, frames, tmp_path)


def test_depth_joins_a_colour_model_without_changing_its_answers(tmp_path):
    colour = networks.build('fanet18', TINY).eval()
    networks.save(tmp_path / 'colour.safetensors', colour)
    both = networks.build('fanet18', TINY | {'depth': True}).eval()
    assert train.start_from(both, tmp_path / 'colour.safetensors') == []
    image, depth = torch.rand(1, 3, 64, 64), torch.rand(1, 1, 64, 64)
    with torch.no_grad():
        before, after = colour(image)['logits'], both(image, depth)['logits']
    assert torch.allclose(before, after, atol=1e-4 * before.abs().max())


def test_what_does_not_fit_is_named(tmp_path):
    networks.save(
        tmp_path / 'other.safetensors', networks.build('fanet18', TINY | {'reduced': 16})
    )
    missed = train.start_from(networks.build('fanet18', TINY), tmp_path / 'other.safetensors')
    assert 'attention.0.query.conv.weight' in missed
    assert not any(name.startswith('backbone') for name in missed)


def test_learning_rate_rises_then_falls_to_nothing():
    rates = [train.learning_rate(done, 0.1) for done in np.linspace(0, 1, 101)]
    assert rates[10] == max(rates) == 1 and rates[0] < 0.02 and rates[-1] == 0
    assert all(np.diff(rates[:11]) > 0) and all(np.diff(rates[10:]) < 0)


def test_an_epoch_sees_each_frame_once_and_the_last_ones_whole(frames):
    given = recipe(whole_epochs=1, batch=3)
    sizes = [
        [tuple(image.shape) for ((image, _, _),) in data.batches(frames, given, epoch)]
        for epoch in (0, 3)
    ]
    assert sizes == [[(3, 3, 64, 64)], [(3, 3, 64, 96)]]
    with pytest.raises(ValueError, match='4 frames do not fill a batch of 5'):
        data.steps_per_epoch(frames, recipe(batch=5))


def test_a_loss_that_is_not_a_number_stops_it(frames, tmp_path):
    made = [(f'{k:06d}-0', (*frames[k][:2], frames[k][2] * 0), None) for k in range(4)]
    unlabelled = write(tmp_path / 'data', made, {'unlabelled': 'ignore'})
    with pytest.raises(ValueError, match='lower learning_rate'):
        train.fit(recipe(), unlabelled, frames, tmp_path / 'run')


@pytest.mark.parametrize('name', [next(iter(rows)) for rows in networks.MODULES.values()])
def test_every_network_trains(name, frames, tmp_path):
    config = {'size': (64, 96)} if name.startswith('rganet') else {}
    given = {'network': name, 'config': config, 'crop': (64, 96), 'precision': 'fp32'}
    recipe = Recipe(epochs=1, batch=2, **given)
    before = networks.build(name, config)
    train.fit(recipe, frames, frames, tmp_path)
    after = networks.restore(tmp_path / 'network.safetensors')
    assert networks.notes(tmp_path / 'network.safetensors')['network'] == name
    assert after.config == before.config
    scores = json.loads((tmp_path / 'log.jsonl').read_text().splitlines()[-1])
    assert np.isfinite(scores['loss']) and 0 < scores['loss'] < 20


def test_a_backbone_may_learn_slower(frames, tmp_path):
    still = recipe(epochs=1, backbone_rate=0.0, weight_decay=0.0, average=0.0)
    train.fit(still, frames, frames, tmp_path)
    torch.manual_seed(still.seed)
    before = networks.build('fanet18', still.config).state_dict()
    changed = {
        name
        for name, value in weights(tmp_path).items()
        if not name.endswith(('mean', 'var', 'tracked')) and not torch.equal(value, before[name])
    }
    assert changed and not any(name.startswith('backbone.') for name in changed)
