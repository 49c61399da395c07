"""Training on clips: windows of consecutive frames, and what flows through the memory."""

import json

import numpy as np
import pytest
from rganet_ros import cli, models, networks
from rganet_ros.training import score
from rganet_ros.training.batches import Batches, on, steps_per_epoch
from rganet_ros.training.config import read_recipe, Recipe
from rganet_ros.training.fit import fit
from rganet_ros.training.machine import open_fabric
from rganet_ros.training.training import Training
from rganet_ros.types import SUCTIONABLE
import torch

TINY = {'blocks': [1, 1, 1, 1], 'reduced': 8, 'scale_by_n': True, 'depth': True}


def recipe(**changes):
    return Recipe(**{
        'config': TINY | {'frames': 3}, 'epochs': 2, 'batch': 2, 'crop': (48, 64),
        'precision': 'fp32', 'window': (1, 4),
    } | changes)  # fmt: skip


def drawn(clips, given, epoch):
    batches = Batches(clips, given)
    for number in range(batches.steps):
        yield [on(torch.device('cpu'), batch) for batch in batches[epoch, number]]


def test_windows_are_of_random_length_and_of_consecutive_frames(clips):
    given = recipe(crop=(64, 96), epochs=40, colour=0.0, depth_holes=0, move_share=0.0)
    lengths = []
    for epoch in range(given.epochs):
        for window in drawn(clips, given, epoch):
            lengths.append(len(window))
            for (_, _, before), (_, _, now) in zip(window, window[1:]):
                for b in range(given.batch):  # mirrored pictures move the other way
                    moved = [torch.equal(torch.roll(before[b], s, 1), now[b]) for s in (6, -6)]
                    assert any(moved)
    assert set(lengths) == {1, 2, 3, 4}
    assert 0.5 < sum(lengths) * given.batch / (len(clips) * given.epochs) <= 1.3


def test_frames_of_a_window_are_changed_alike_but_for_their_noise(clips):
    given = recipe(window=(2, 2), colour=1.0, zoom=(1.0, 1.0), turn=0.0, crop=(64, 96))
    differing = []
    for window in drawn(clips, given, 0):
        (one, _, _), (other, _, _) = window
        for b in range(given.batch):
            near = min((torch.roll(one[b], s, 2) - other[b]).abs().median() for s in (6, -6))
            assert near < 0.06
            differing.append((torch.roll(one[b], 6, 2) - other[b]).abs().max() > 0)
    assert any(differing)


@pytest.mark.parametrize(('window', 'sentence'), [((1, 5), 'shortest has 4'), ((3, 2), 'least')])
def test_a_window_that_does_not_fit_is_refused(window, sentence, clips):
    with pytest.raises(ValueError, match=sentence):
        steps_per_epoch(clips, recipe(window=window))


@pytest.mark.parametrize('detach', [True, False])
def test_gradients_flow_through_past_frames_only_where_asked(detach, clips, monkeypatch):
    given = recipe(window=(3, 3), detach=detach, freeze_norms=True)
    training = Training(given, 10, open_fabric('cpu'))
    contexts = []
    forward = type(training.network).forward

    def watched(network, image, depth, **memory):
        out = forward(network, image, depth, **memory)
        contexts.extend(v for k, v in memory.items() if k == 'context0')
        return out

    monkeypatch.setattr(type(training.network), 'forward', watched)
    training.begin_epoch()
    training.step([Batches(clips, given)[0, 0]])
    assert [context.requires_grad for context in contexts] == [False, not detach, not detach]


def test_losses_may_be_propagated_one_by_one_where_no_gradient_links_them(clips):
    gradients = []
    for detach in (True, False):
        given = recipe(window=(3, 3), detach=detach, config=TINY)  # it has no memory
        training = Training(given, 10, open_fabric('cpu'))
        training.begin_epoch()
        assert training.step([Batches(clips, given)[0, 0]]) > 0
        gradients.append([parameter.grad for parameter in training.network.parameters()])
    for one, other in zip(*gradients):
        assert torch.allclose(one, other, atol=1e-4 * one.abs().max())


def test_clips_train_and_memory_counts_while_scoring(clips, tmp_path):
    fit(recipe(average=0.5), clips, clips, tmp_path)
    line = json.loads((tmp_path / 'log.jsonl').read_text().splitlines()[-1])
    assert 0 <= line['flicker'] < 1
    network = networks.restore(tmp_path / 'network.safetensors')
    remembering = score.answerer(network, torch.device('cpu'))
    found = [remembering(*clips[index][:2], index == 0)[0] for index in clips.clips[0]]
    again = remembering(*clips[3][:2])[0]
    assert np.abs(found[3] - again).max() > 1e-6
    assert np.array_equal(remembering(*clips[0][:2])[0], found[0])


def test_flicker_is_what_changes_though_nothing_did(clips):
    truth = {clips[index][0].tobytes(): clips[index][2] for index in range(len(clips))}
    calls = []

    def answer(rgb, depth, new=True):
        calls.append(new)
        labels = truth[rgb.tobytes()].copy()
        labels[:8] = len(calls) % 2  # an eighth of the picture flickers
        return (labels == SUCTIONABLE).astype(np.float32), labels

    found = score.score(answer, clips)
    assert calls == [True, False, False, False] * 3
    # What entered from the left was not in the frame before and counts as seen here: it is rolled.
    assert found['flicker'] == pytest.approx(1 / 8, abs=0.03)


def test_smoothing_follows_slowly_and_begins_anew():
    said = iter([0.0, 1.0, 1.0, 1.0])

    def answer(rgb, depth, new=True):
        affordance = np.full((2, 2), next(said), np.float32)
        return affordance, np.where(affordance > 0.5, 2, 1).astype(np.uint8)

    smooth = score.smoothed(answer, 0.4)
    found = [smooth(None, None, new) for new in (True, False, False, True)]
    np.testing.assert_allclose([each[0][0, 0] for each in found], [0, 0.4, 0.64, 1], atol=1e-6)
    assert [each[1][0, 0] for each in found] == [1, 1, 2, 2]


@pytest.mark.parametrize('name', ['fanet18', 'fanet34', 'fanet-lite0'])
def test_the_recipes_with_memory_fit_their_networks(name):
    given = read_recipe(models.share('config') / 'train' / f'{name}-temporal.yaml')
    config = networks.build(given.network, given.config).config
    assert given.network == name and config.frames > 1 and config.scale_by_n
    assert given.window[1] >= config.frames  # windows fill the memory, and some do not


def test_evaluate_says_how_much_clips_flicker(clips, tmp_path, capsys):
    fit(recipe(epochs=1), clips, clips, tmp_path)
    given = [str(tmp_path / 'network.safetensors'), str(clips.root), '--split', 'train']
    for smooth in ([], ['--smooth', '0.5']):
        out = tmp_path / f'scores{len(smooth)}.json'
        assert cli.main(['evaluate', *given, *smooth, '--out', str(out)]) == 0
        assert 'flicker' in capsys.readouterr().out
        assert 0 <= json.loads(out.read_text())['flicker'] < 1
    assert cli.main(['evaluate', *given, '--smooth', '2']) == 2
    assert 'must be 0 ... 1' in capsys.readouterr().err
