from pathlib import Path
import xml.etree.ElementTree as xml

import pytest
from rganet_ros import cli, networks
from rganet_ros.catalogue import drawing, rows
import torch

DOCS = Path(__file__).parents[2] / 'docs'


def test_the_table_says_what_was_counted_and_what_was_published(capsys):
    (row,) = rows(['rganet5-b3-deconv'])
    assert row.parameters == '3.667 M' and row.multiply_adds == '7.18 G'
    assert row.counted_at == '480x640, 3' and '9.17 G / 5' in row.published
    assert row.status == 'proven'
    assert cli.main(['networks', 'rganet5-b4']) == 0
    assert 'rganet5-b4' in (said := capsys.readouterr().out) and '3.300 M' in said


def test_an_unknown_name_lists_the_known_ones(capsys):
    assert cli.main(['networks', 'rganet7']) == 2
    assert 'no network begins with rganet7: there are rganet5-nb' in capsys.readouterr().err


@pytest.fixture(scope='module')
def fanet():
    with torch.device('meta'):
        return drawing.trace(networks.build('fanet18'), (480, 640))


def test_a_drawing_follows_the_data(fanet):
    fed = {box.name: [fanet[i].name for i in box.inputs] for box in fanet}
    assert fed['up64'] == ['attention 4']
    assert fed['up32'] == ['attention 3', 'up64']
    assert fed['head'] == ['smooth32', 'smooth8']
    assert fanet[0].name == 'image' and fanet[-1].inputs == (len(fanet) - 2,)
    assert [box.scale for box in fanet if box.name == 'backbone'] == [8, 16, 32, 64]
    assert next(box for box in fanet if box.name == 'attention 2').shape == (128, 30, 40)


def test_what_only_training_reads_is_not_drawn(fanet):
    assert not {'smooth64', 'aux32', 'aux64'} & {box.name for box in fanet}


def test_a_drawing_is_svg_with_a_box_for_each_part(fanet):
    root = xml.fromstring(drawing.svg(fanet))
    names = [each.text for each in root.iter('{http://www.w3.org/2000/svg}text')]
    assert {box.name for box in fanet} <= set(names)
    places = [(r.get('x'), r.get('y')) for r in root.iter('{http://www.w3.org/2000/svg}rect')][1:]
    assert len(set(places)) == len(places) == len(fanet)


@pytest.mark.slow
def test_the_page_is_what_the_command_writes(tmp_path):
    assert cli.main(['networks', '--page', str(tmp_path / 'networks.md')]) == 0
    for path in tmp_path.rglob('*.*'):
        assert path.read_text() == (DOCS / path.relative_to(tmp_path)).read_text(), path.name
