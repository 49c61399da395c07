"""What reports are made of."""

import json

import cv2
import numpy as np
import pytest
from rganet_ros import report


def test_percentiles():
    assert report.percentiles(range(101)) == {'p50': 50.0, 'p95': 95.0}
    assert report.percentiles([], (99,)) == {'p99': None}


def test_json_is_strict_and_whole(tmp_path):
    path = tmp_path / 'new' / 'report.json'
    content = {'a': np.float32(0.5), 'b': [np.nan, np.inf, 1], 'c': (np.int64(3), None, True)}
    report.write_json(path, content)
    found = json.loads(path.read_text(), parse_constant=pytest.fail)
    assert found == {'a': 0.5, 'b': [None, None, 1], 'c': [3, None, True]}
    assert [each.name for each in path.parent.iterdir()] == ['report.json']


def test_pictures_are_rgb(tmp_path):
    red = np.zeros((4, 5, 3), np.uint8)
    red[..., 0] = 255
    report.write_picture(tmp_path / 'red.png', red)
    assert cv2.imread(str(tmp_path / 'red.png'))[0, 0].tolist() == [0, 0, 255]


def test_a_sheet_of_many_shows_some_evenly(tmp_path):
    greys = [np.full((40, 50, 3), value, np.uint8) for value in range(0, 250, 2)]
    paths = [tmp_path / f'{index}.png' for index in range(len(greys))]
    for path, grey in zip(paths, greys):
        report.write_picture(path, grey)
    for given in (greys, paths):
        report.write_sheet(tmp_path / 'sheet.png', given, most=6)
        shown = set(np.unique(cv2.imread(str(tmp_path / 'sheet.png')))) - {255}
        assert len(shown) == 6 and {0, 248} <= shown


def test_a_table_shows_what_is_missing_as_a_dash(capsys):
    report.print_table('title', [('known', 3), ('unknown', None)])
    said = capsys.readouterr().out
    assert 'title' in said and '3' in said and '-' in said and 'None' not in said
