"""What a training reads: mixtures, other classes, and what does not fit a recipe."""

import json

import numpy as np
import pytest
from rganet_ros import cli, networks
from rganet_ros.training import data
from rganet_ros.training.batches import Batches
from rganet_ros.training.config import Recipe
from rganet_ros.training.fit import fit
from small_data import make_frame, split, write
from test_masks import folder

CITY = ('road', 'sky', 'tree', 'car')
CONFIG = {'blocks': [1, 1, 1, 1], 'reduced': 8, 'scale_by_n': True}


def recipe(**changes):
    return Recipe(**{
        'config': CONFIG, 'epochs': 1, 'batch': 2, 'crop': (64, 64), 'precision': 'fp32',
    } | changes)  # fmt: skip


@pytest.fixture(scope='module')
def city(tmp_path_factory):
    """Two pictures of four classes, without depth."""
    mask = np.random.default_rng(0).integers(0, 4, (8, 12)).astype(np.uint8)
    return folder(tmp_path_factory.mktemp('city'), mask=mask.repeat(8, 0).repeat(8, 1))


def test_four_classes_are_trained_and_scored(city, tmp_path):
    frames = data.Frames(city, 'train')
    given = recipe(config=CONFIG | {'classes': 4}, class_weights=(1.0,) * 4, overlap=0.0)
    network = fit(given, frames, frames, tmp_path)
    assert network.config.classes == 4
    scores = json.loads((tmp_path / 'log.jsonl').read_text())
    assert len(scores['iou']) == 4 and 0 <= scores['mean_iou'] <= 1 and 'mgrid' not in scores


@pytest.mark.parametrize(
    ('changes', 'said'),
    [
        ({}, r'has 4 classes \(road, sky, tree, car\), the network 3'),
        ({'config': CONFIG | {'classes': 4}}, 'class_weights has 3 numbers: expected 4'),
        (
            {'config': CONFIG | {'classes': 4}, 'class_weights': (1.0,) * 4},
            'overlap = 0.5 is a loss of suctionable.*give overlap: 0',
        ),
        (
            {
                'config': CONFIG | {'classes': 4, 'depth': True},
                'class_weights': (1.0,) * 4,
                'overlap': 0.0,
            },
            'has no depth',
        ),
    ],
)
def test_a_recipe_that_does_not_fit_is_refused(changes, said, city, tmp_path):
    frames = data.Frames(city, 'train')
    with pytest.raises(ValueError, match=said):
        fit(recipe(**changes), frames, frames, tmp_path)


def test_a_training_of_three_classes_says_what_counts(frames, tmp_path):
    fit(recipe(), frames, frames, tmp_path)
    scores = json.loads((tmp_path / 'log.jsonl').read_text())
    assert {'mgrid', 'top_1', 'iou', 'frame_iou'} <= scores.keys()


def test_a_mixture_is_trained_by_the_command_and_noted(tmp_path):
    for name, first in (('a', 0), ('b', 4)):
        made = [(f'{seed:06d}-0', make_frame(seed), None) for seed in range(first, first + 3)]
        write(tmp_path / name, made)
        for part, listed in (('train', made[:2]), ('test', made[2:])):
            text = '\n'.join(each for each, *_ in listed)
            (tmp_path / name / 'data' / f'{part}-split.txt').write_text(text)
    (tmp_path / 'recipe.yaml').write_text(
        'epochs: 1\nbatch: 2\ncrop: [64, 64]\nprecision: fp32\nconfig: {blocks: [1, 1, 1, 1]}\n'
    )
    words = [f'{tmp_path}/a:3', f'{tmp_path}/b:1', '--out', str(tmp_path / 'run')]
    assert cli.main(['train', '--recipe', f'{tmp_path}/recipe.yaml', '--data', *words]) == 0
    noted = networks.notes(tmp_path / 'run' / 'network.safetensors')['made']['data']
    assert noted[f'{tmp_path}/a']['weight'] == 3
    assert json.loads((tmp_path / 'run' / 'log.jsonl').read_text())['frames'] == 2


def test_whole_frames_of_several_sizes_fill_one_batch(tmp_path):
    for name, seed, size in (('a', 0, (64, 96)), ('b', 1, (48, 64))):
        write(tmp_path / name, [(f'{seed:06d}-0', make_frame(seed, *size), None)])
    frames = data.Frames([tmp_path / 'a', tmp_path / 'b'], 'train')
    drawn = Batches(frames, recipe(epochs=9, whole_epochs=9))
    sizes = {tuple(drawn[epoch, 0][0][2].shape) for epoch in range(9)}
    assert sizes == {(2, 64, 96), (2, 48, 64)}


def test_splits_and_processes_share_half_of_the_memory(tmp_path, monkeypatch):
    write(tmp_path, [(f'00000{k}-0', make_frame(k), None) for k in range(4)])
    split(tmp_path)
    train, test = (data.Frames(tmp_path, name).held for name in ('train', 'test'))
    assert train == 3 * test > 0
    for spare, processes, held in ((0, 1, [train, test]), (-1, 1, [train, 0]), (0, 2, [0, test])):
        monkeypatch.setattr(data, 'half_of_memory', lambda: train + test + spare)  # noqa: B023
        assert [each.held for each in data.read_splits(tmp_path, 1, processes)] == held


def test_training_names_a_missing_file_before_it_begins(tmp_path, capsys):
    write(tmp_path, [('000000-0', make_frame(0), None), ('000001-0', make_frame(1), None)])
    (tmp_path / 'data' / 'train-split.txt').write_text('000000-0')
    (tmp_path / 'data' / 'test-split.txt').write_text('000001-0')
    (tmp_path / 'data' / 'depth-input' / '000001-0.png').unlink()
    (tmp_path / 'recipe.yaml').write_text('epochs: 1')
    given = ['--recipe', f'{tmp_path}/recipe.yaml', '--data', str(tmp_path)]
    assert cli.main(['train', *given, '--out', str(tmp_path / 'run')]) == 2
    assert 'depth-input/000001-0.png is missing' in capsys.readouterr().err
    assert not (tmp_path / 'run').exists()
