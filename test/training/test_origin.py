"""The cup that a model is for: from the data set's card, through the checkpoint, to its own."""

from pathlib import Path

import pytest
from rganet_ros import cli, networks
from rganet_ros.training import export, origin
from rganet_ros.training.origin import Cup
from small_data import make_frame, split, write
from small_models import settled

SIZE = (64, 96)


def card(name, radius=0.015, splits=('train', 'test')):
    made = {split: {'recipe': {'cup': name}} for split in splits}
    return {'cup': {'radius': radius}, 'splits': made}


def mixed(*cards):
    return {f'set{k}': {'weight': 1.0, 'card': each} for k, each in enumerate(cards)}


@pytest.mark.parametrize(('given', 'expected'), [
    (card('strong', 0.02), Cup('strong', 0.02)),
    ({'cup': {'radius': 0.01}}, Cup('', 0.01)),
    ({'unlabelled': 'background'}, None),
    ({}, None),
    (mixed(card('rigid'), card('rigid')), Cup('rigid', 0.015)),
    (mixed(card('rigid'), card('strong')), None),
    (mixed(card('rigid'), {}), None),
])  # fmt: skip
def test_a_card_tells_its_cup(given, expected):
    assert origin.cup(given) == expected


def test_labels_for_two_cups_are_not_mixed(tmp_path, capsys):
    origin.check(mixed(card('rigid'), card('rigid'), {}))
    for name in ('rigid', 'strong'):
        given = {'cup': {'radius': 0.015}, 'splits': card(name)['splits']}
        data = write(
            tmp_path / name, [(f'00000{k}-0', make_frame(k), None) for k in (0, 1)], given
        )
        split(data.root)
    recipe = Path(__file__).parents[2] / 'config' / 'train' / 'default.yaml'
    sets = [f'{tmp_path / name}:1' for name in ('rigid', 'strong')]
    words = ['--recipe', str(recipe), '--data', *sets, '--out', str(tmp_path / 'run')]
    assert cli.main(['train', *words, '--accelerator', 'cpu']) == 2
    assert 'different cups, rigid 15 mm and strong 15 mm: ' in capsys.readouterr().err


@pytest.mark.parametrize(('asked', 'name', 'radius'), [
    (None, 'strong', 0.02), (0.02, 'strong', 0.02), (0.01, '', 0.01),
])  # fmt: skip
def test_an_exported_card_names_it(asked, name, radius, tmp_path):
    network = settled('fanet18', {'blocks': [1, 1, 1, 1], 'reduced': 8}, SIZE)
    networks.save(tmp_path / 'a.safetensors', network, made={'data': card('strong', 0.02)})
    found = export.export(tmp_path / 'a.safetensors', tmp_path / 'b.onnx', SIZE, asked)
    assert (found['cup'], found['cup_radius']) == (name, radius)
