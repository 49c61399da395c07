"""Model files are found, and are what their cards say."""

import json

import pytest
from rganet_ros import models
import tiny


def test_by_path_of_graph_or_card(tmp_path):
    path = tiny.write(tmp_path)
    for given in (path, str(path), path.with_suffix('.json')):
        found = models.find(given)
        assert (found.name, found.onnx, found.weights) == ('tiny', path, None)
        assert found.sha256 == found.card['sha256']


def test_weights_are_those_beside_it(tmp_path):
    path = tiny.write(tmp_path)
    path.with_suffix('.safetensors').touch()
    assert models.find(path).weights == path.with_suffix('.safetensors')


def test_by_name_in_the_source_tree():
    assert models.find('fanet18-rgb').onnx == models.share('models') / 'fanet18-rgb.onnx'


@pytest.mark.parametrize('name', ['nonesuch', 'folder/nonesuch.onnx'])
def test_what_is_not_there_is_named(name):
    with pytest.raises(FileNotFoundError, match='nonesuch') as refusal:
        models.find(name)
    assert '.onnx' in str(refusal.value)


def test_a_truncated_file_is_refused(tmp_path):
    path = tiny.write(tmp_path)
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(ValueError, match=r'tiny.onnx is not the file its card describes'):
        models.find(path)


@pytest.mark.parametrize(
    ('changes', 'words'),
    [
        ({'format': 2}, 'format 2'),
        ({'format': None}, 'format None'),
        ({'size': ...}, 'lacks size'),
    ],
)
def test_a_card_of_another_kind_is_refused(tmp_path, changes, words):
    path = tiny.write(tmp_path)
    card_path = path.with_suffix('.json')
    card = json.loads(card_path.read_text()) | changes
    card_path.write_text(json.dumps({k: v for k, v in card.items() if v is not ...}))
    with pytest.raises(ValueError, match=words):
        models.find(path)


def test_no_card_and_a_broken_one(tmp_path):
    path = tiny.write(tmp_path)
    path.with_suffix('.json').write_text('{')
    with pytest.raises(ValueError, match='not readable JSON'):
        models.find(path)
    path.with_suffix('.json').write_text('[{"format": 1}]')
    with pytest.raises(ValueError, match='is no card of a model'):
        models.find(path)
    path.with_suffix('.json').unlink()
    with pytest.raises(ValueError, match='has no card'):
        models.find(path)


def test_a_model_of_which_the_card_alone_is_there(tmp_path, monkeypatch):
    tiny.write(tmp_path).rename(tmp_path / 'elsewhere.onnx')
    monkeypatch.setattr(models, 'share', lambda folder: tmp_path)
    for name in ('tiny', tmp_path / 'tiny.onnx'):
        with pytest.raises(FileNotFoundError, match='its file is not: "made" in the card'):
            models.find(name)


def test_a_folder_that_is_nowhere():
    with pytest.raises(FileNotFoundError, match='install it again'):
        models.share('nonesuch')
