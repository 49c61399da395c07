"""Classes of one's own: named from data to the model file's card; refused where ours belong."""

import json

import numpy as np
import pytest
from rganet_ros import cli, models, networks, pipeline
from rganet_ros.options import make
from rganet_ros.predictor import PredictorOptions
from rganet_ros.training import origin
from rganet_ros.types import CLASSES
from test_masks import folder

NAMES = ['road', 'sky', 'tree', 'car', 'boat']  # nothing is a boat
SIZE = '64', '96'


def told(count, **made):
    return {'config': {'classes': count}} | ({'made': made} if made else {})


@pytest.fixture(scope='module')
def city(tmp_path_factory):
    """Train for an epoch on five classes and export; there are data/, run/, five.onnx."""
    root = tmp_path_factory.mktemp('city')
    mask = np.random.default_rng(0).integers(0, 4, (8, 12)).astype(np.uint8)
    mask = mask.repeat(8, 0).repeat(8, 1)
    folder(root / 'data', '\n'.join(NAMES), mask, ('a', 'b', 'town/c', 'd'))
    for name, listed in (('train', 'b\ntown/c'), ('more', 'd')):
        (root / 'data' / f'{name}.txt').write_text(listed)
    (root / 'recipe.yaml').write_text(
        'config: {blocks: [1, 1, 1, 1], reduced: 8, classes: 5}\nepochs: 1\nbatch: 2\n'
        'crop: [64, 64]\nprecision: fp32\noverlap: 0\nclass_weights: [1, 1, 1, 1, 1]\n'
    )
    words = '--recipe', 'recipe.yaml', '--data', 'data', '--out', 'run', '--accelerator', 'cpu'
    words = [str(root / word) if not word.startswith('-') and word != 'cpu' else word
             for word in words]  # fmt: skip
    assert cli.main(['train', *words]) == 0
    checkpoint, model = (str(root / name) for name in ('run/network.safetensors', 'five.onnx'))
    assert cli.main(['export', checkpoint, model, '--size', *SIZE]) == 0
    return root


def test_the_log_is_json_though_a_class_is_nowhere(city):
    (line,) = (city / 'run' / 'log.jsonl').read_text().splitlines()

    def refuse(word):
        raise AssertionError(word)

    found = json.loads(line, parse_constant=refuse)
    assert found['recall'][4] is None and len(found['iou']) == 5


def test_checkpoint_and_card_name_the_classes(city):
    assert networks.notes(city / 'run' / 'network.safetensors')['made']['classes'] == NAMES
    assert models.find(city / 'five.onnx').card['classes'] == NAMES
    assert origin.classes(networks.notes(city / 'five.safetensors')) == tuple(NAMES)


@pytest.mark.parametrize('model', ['five.onnx', 'run/network.safetensors'])
def test_it_is_scored_on_data_of_its_classes_alone(city, model, frames, tmp_path, capsys):
    out = tmp_path / 'scores.json'
    assert cli.main(['evaluate', str(city / model), str(city / 'data'), '--out', str(out)]) == 0
    found = json.loads(out.read_text())
    assert found['classes'] == NAMES and len(found['iou']) == 5
    renamed = folder(tmp_path / 'b', '\n'.join(['boat', *NAMES[:4]]), np.zeros((64, 96), np.uint8))
    for root in (renamed, frames.root):
        assert cli.main(['evaluate', str(city / model), str(root), '--split', 'train']) == 2
        assert 'tells road, sky, tree, car, boat; ' in capsys.readouterr().err


def test_the_node_refuses_it(city):
    options = make(PredictorOptions, {'model': str(city / 'five.onnx')})
    with pytest.raises(ValueError, match='five tells road, sky.*expected are background, not suc'):
        pipeline.open_pipeline(options)


def test_an_affordance_is_not_calibrated_or_compared_where_there_is_none(city, tmp_path, capsys):
    checkpoint, data = str(city / 'run' / 'network.safetensors'), str(city / 'data')
    assert cli.main(['calibrate', checkpoint, data, '--split', 'more', '--score', 'test']) == 2
    assert 'must have the classes background, not' in capsys.readouterr().err
    words = str(city / 'five.onnx'), str(tmp_path / 'half.onnx'), '--precision', 'fp16'
    assert cli.main(['export', *words, '--check', data]) == 2
    assert 'leave --check out' in capsys.readouterr().err


def test_a_checkpoint_that_names_no_classes_has_ours_or_numbers():
    assert origin.classes(told(3)) == CLASSES
    assert origin.classes(told(4)) == ('class 0', 'class 1', 'class 2', 'class 3')
    assert origin.classes(told(3, classes=['a', 'b', 'c'])) == ('a', 'b', 'c')
