import json

import numpy as np
import pytest
from rganet_ros import networks
from rganet_ros.training.batches import Batches
from rganet_ros.training.config import Recipe
from rganet_ros.training.data import Frames
from rganet_ros.training.fit import _begin, fit
from rganet_ros.training.machine import open_fabric
from rganet_ros.training.score import answerer
from rganet_ros.training.training import Training
from small_data import make_frame, write
import small_models
import torch

TINY = {'blocks': [1, 1, 1, 1], 'reduced': 8, 'scale_by_n': True}


def recipe(**changes):
    return Recipe(**{
        'config': TINY | {'depth': True}, 'epochs': 4, 'batch': 2, 'crop': (64, 64),
        'precision': 'fp32', 'evaluate_every': 2,
    } | changes)  # fmt: skip


def test_promise_23_it_learns_a_few_frames_by_heart(frames, tmp_path):
    given = recipe(epochs=60, evaluate_every=60, colour=0.1, turn=0.0, average=0.9)
    fit(given, frames, frames, tmp_path)
    lines = [json.loads(line) for line in (tmp_path / 'log.jsonl').read_text().splitlines()]
    assert [line['epoch'] for line in lines] == list(range(1, 61))
    losses = [line['loss'] for line in lines]
    assert np.mean(losses[-3:]) < 0.7 * np.mean(losses[:3])
    assert lines[-1]['iou'][2] > 0.4
    assert (tmp_path / 'epoch-60.png').stat().st_size > 1000
    assert not list(tmp_path.glob('*.part*'))


def test_a_network_bound_to_a_size_is_scored_on_frames_of_another(frames, tmp_path):
    bound = {'size': [64, 64], 'growth': 4, 'blocks': [1, 1], 'depth': True}
    given = recipe(network='rganet5-nb', config=bound, fit='letterbox', epochs=1)
    fit(given, frames, frames, tmp_path)
    assert len(json.loads((tmp_path / 'log.jsonl').read_text())['iou']) == 3
    rgb, depth, label = frames[0]
    assert label.shape != (64, 64)
    network = networks.restore(tmp_path / 'network.safetensors')
    for answered in answerer(network, torch.device('cpu'))(rgb, depth):
        assert answered.shape == label.shape


def test_a_backbone_is_not_kept_at_random(frames, tmp_path):
    given = recipe(backbone_rate=0.0)
    with pytest.raises(ValueError, match='--init'):
        fit(given, frames, frames, tmp_path)
    other = tmp_path / 'other.safetensors'
    networks.save(other, networks.build('attanet-light', {'depth': True}))
    refusal = r'random tensors, backbone\..* would be kept .*other\.safetensors does not have them'
    with pytest.raises(ValueError, match=refusal):
        fit(given, frames, frames, tmp_path, init=other)
    with pytest.raises(ValueError, match='head would be kept at random .*: give --init'):
        fit(recipe(kept='head'), frames, frames, tmp_path)
    without = recipe(network='ddrnet-23-slim', config={'depth': True}, backbone_rate=0.0)
    with pytest.raises(ValueError, match='ddrnet-23-slim has no backbone to keep'):
        fit(without, frames, frames, tmp_path, init=other)


def test_a_start_says_in_a_line_what_it_lacks(frames, tmp_path, capsys):
    wider = networks.build('fanet18', TINY | {'depth': True, 'reduced': 16})
    networks.save(tmp_path / 'wider.safetensors', wider)
    fit(recipe(epochs=1), frames, frames, tmp_path / 'run', init=tmp_path / 'wider.safetensors')
    (said,) = (line for line in capsys.readouterr().out.splitlines() if 'started from' in line)
    assert said.endswith('wider.safetensors, but for 40 tensors of attention')


@pytest.mark.parametrize('freeze', [False, True])
def test_it_goes_on_from_a_model_file_with_norms_that_know_what_they_see(freeze, frames, tmp_path):
    path = small_models.write(tmp_path, 'fanet18', blocks=(1, 1, 1, 1), depth=True)
    given = recipe(config={'blocks': [1, 1, 1, 1], 'depth': True}, freeze_norms=freeze, epochs=1)
    begun = Training(given, 1, open_fabric('cpu'))
    _begin(begun, Batches(frames, given), str(path))
    norm = begun.network.backbone.stem.norm
    assert torch.equal(norm.weight, begun.average.backbone.stem.norm.weight)
    changed = (norm.running_var - 1).abs().max()
    assert changed < 1e-4 if freeze else changed > 0.1
    # The same of every process, whatever its share of a batch is.
    shared = Training(given, 1, open_fabric('cpu'))
    _begin(shared, Batches(frames, given, 1, 2), str(path))
    assert torch.equal(norm.weight, shared.network.backbone.stem.norm.weight)


def test_the_bar_says_what_the_last_evaluation_found(frames, tmp_path, capsys):
    fit(recipe(epochs=3), frames, frames, tmp_path)
    found = json.loads((tmp_path / 'log.jsonl').read_text().splitlines()[1])['iou'][2]
    said = ' '.join(capsys.readouterr().out.split())
    assert 'epoch 3/3 loss ' in said and f' IoU {found:.3f} after 2' in said


def test_another_recipe_does_not_go_on(frames, tmp_path):
    fit(recipe(epochs=1), frames, frames, tmp_path)
    with pytest.raises(ValueError, match='made by another recipe'):
        fit(recipe(epochs=2), frames, frames, tmp_path)


def test_other_data_of_the_same_count_does_not_go_on(tmp_path):
    out, given = tmp_path / 'run', recipe(epochs=1)
    same, other = (
        write(tmp_path / str(first), [(f'{first + k}-0', make_frame(k), None) for k in range(4)])
        for first in (0, 4)
    )
    fit(given, same, same, out)
    fit(given, Frames(same.root, 'train'), same, out)
    (same.root / 'card.json').unlink()
    for different in (other, Frames(same.root, 'train')):
        with pytest.raises(ValueError, match='another recipe or data set'):
            fit(given, different, different, out)
    saved = torch.load(out / 'last.pt')
    for name in ('data_card', 'names'):  # as an older version saved it
        saved['about'].pop(name)
    torch.save(saved, out / 'last.pt')
    fit(given, other, other, out)


def test_a_run_that_is_cut_off_is_refused(frames, tmp_path):
    fit(recipe(epochs=1), frames, frames, tmp_path)
    whole = (tmp_path / 'last.pt').read_bytes()
    for kept in (0, 1, len(whole) // 2, len(whole) - 10):
        (tmp_path / 'last.pt').write_bytes(whole[:kept])
        with pytest.raises(ValueError, match='last.pt cannot be read, or is cut off'):
            fit(recipe(epochs=1), frames, frames, tmp_path)


def test_a_loss_that_is_not_a_number_names_its_frames_and_keeps_what_was(frames, tmp_path):
    fit(recipe(epochs=1), frames, frames, tmp_path / 'good')
    network = networks.restore(tmp_path / 'good' / 'network.safetensors')
    next(network.parameters()).data[0] = np.nan
    networks.save(tmp_path / 'bad.safetensors', network)
    out, names = (
        tmp_path / 'run',
        [frames.names[i] for (i,) in Batches(frames, recipe()).picked(0, 0)],
    )
    with pytest.raises(ValueError, match='epoch 1, step 1 is nan .frames') as error:
        fit(recipe(), frames, frames, out, init=tmp_path / 'bad.safetensors')
    assert all(name in str(error.value) for name in names)
    assert not list(out.glob('*.pt')) and not list(out.glob('*.safetensors'))


@pytest.mark.parametrize('name', [next(iter(rows)) for rows in networks.MODULES.values()])
def test_every_network_trains(name, frames, tmp_path):
    config = {'size': (64, 96)} if name.startswith('rganet') else {}
    given = {'network': name, 'config': config, 'crop': (64, 96), 'precision': 'fp32'}
    recipe = Recipe(epochs=1, batch=2, **given)
    before = networks.build(name, config)
    fit(recipe, frames, frames, tmp_path)
    after = networks.restore(tmp_path / 'network.safetensors')
    assert networks.notes(tmp_path / 'network.safetensors')['network'] == name
    assert after.config == before.config
    scores = json.loads((tmp_path / 'log.jsonl').read_text().splitlines()[-1])
    assert np.isfinite(scores['loss']) and 0 < scores['loss'] < 20
