"""Pieces of pages: what is said is escaped, and what is drawn is where it belongs."""

import base64
import re
import xml.etree.ElementTree as ElementTree

import cv2
import numpy as np
import pytest
from rganet_ros import html


def test_words_are_escaped():
    assert '<td>a &lt;b&gt;</td><td>-</td>' in html.table(['x', 'y'], [['a <b>', None]])
    assert '<title>a &amp; b</title>' in html.page('a & b', '')


def test_an_image_holds_its_picture():
    picture = np.zeros((40, 80, 3), np.uint8)
    picture[:, :40] = 200, 60, 20
    data = re.search('base64,([^"]+)', html.image(picture, 'half "red"', 40)).group(1)
    shown = cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), 1)[..., ::-1]
    assert shown.shape == (20, 40, 3)
    assert np.abs(shown[10, 5].astype(int) - (200, 60, 20)).max() < 12


def test_points_are_drawn_to_scale():
    drawn = html.scatter([(10, 50, 'slow & good'), (5, 25, 'quick')], 'ms', '%')
    root = ElementTree.fromstring(drawn)
    space = '{http://www.w3.org/2000/svg}'
    (x1, y1), (x2, y2) = (
        (float(each.get('cx')), float(each.get('cy'))) for each in root.iter(f'{space}circle')
    )
    origin = 60, 400 - 45
    assert x1 - origin[0] == pytest.approx(2 * (x2 - origin[0]), abs=0.3)
    assert origin[1] - y1 == pytest.approx(2 * (origin[1] - y2), abs=0.3)
    words = [each.text for each in root.iter(f'{space}text')]
    assert {'slow & good', 'quick', 'ms', '%'} <= {*words}
    assert {'0', '5', '10', '20', '40'} <= {*words}  # round numbers at the axes
    unknown = float('nan')
    assert html.scatter([(9, unknown, 'a'), (10, 50, 'b')], 'ms', '%').count('<circle') == 1
    assert html.scatter([(9, unknown, 'a')], 'ms', '%').count('<circle') == 0
    assert html.scatter([], 'ms', '%') and html.scatter([(0, 0, 'nothing')], 'ms', '%')


def test_names_of_points_that_lie_together_are_all_legible():
    points = [(5, 30, f'a network of many letters {place}') for place in range(4)]
    drawn = html.scatter([*points, (7, 30, 'near'), (90, 31, 'far')], 'ms', '%')
    words = re.findall('y="([^"]+)" text-anchor="[^"]+">([a-z][^<]+ [0-3]|near)<', drawn)
    lines = sorted(float(line) for line, _ in words)
    assert len(lines) == 5 and min(np.diff(lines)) > 13  # pixels
