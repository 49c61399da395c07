"""The cup that a model is for: from the data set's card, through the checkpoint, to its own."""

import pytest
from rganet_ros import networks
from rganet_ros.training import export, origin
from rganet_ros.training.origin import Cup
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


@pytest.mark.parametrize(('asked', 'name', 'radius'), [
    (None, 'strong', 0.02), (0.02, 'strong', 0.02), (0.01, '', 0.01),
])  # fmt: skip
def test_an_exported_card_names_it(asked, name, radius, tmp_path):
    network = settled('fanet18', {'blocks': [1, 1, 1, 1], 'reduced': 8}, SIZE)
    networks.save(tmp_path / 'a.safetensors', network, made={'data': card('strong', 0.02)})
    found = export.export(tmp_path / 'a.safetensors', tmp_path / 'b.onnx', SIZE, asked)
    assert (found['cup'], found['cup_radius']) == (name, radius)
