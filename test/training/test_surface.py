"""Errors of candidates against a surface that is known, by hand and through evaluate."""

import json

import cv2
import numpy as np
import pytest
from rganet_ros import cli
from rganet_ros.dataset import depth_picture, write_sample
from rganet_ros.mixture import DataSet
from rganet_ros.training import evaluate
from rganet_ros.training.surface import errors
from rganet_ros.types import Camera, Candidate

CAMERA = Camera(300.0, 300.0, 80.0, 60.0, 160, 120)
RADIUS = 0.015
TILT = np.radians(20)
NORMAL = np.array([np.sin(TILT), 0, -np.cos(TILT)])  # towards the camera


def plane(normal=NORMAL, middle=0.5):
    """Depth (H, W) of the plane through (0, 0, middle)."""
    v, u = np.indices((CAMERA.height, CAMERA.width))
    ray = np.stack([(u - CAMERA.cx) / CAMERA.fx, (v - CAMERA.cy) / CAMERA.fy, np.ones(u.shape)], 2)
    return (normal[2] * middle / (ray @ normal)).astype(np.float32)


def place(u, v, off, turned):
    """Put a candidate off the plane, metres along its ray, its normal turned by an angle."""
    ray = np.array([(u - CAMERA.cx) / CAMERA.fx, (v - CAMERA.cy) / CAMERA.fy, 1.0])
    point = ray * plane()[v, u] + off * ray / np.linalg.norm(ray)
    normal = np.array([np.sin(TILT + turned), 0, -np.cos(TILT + turned)])
    return Candidate(*point, *normal, 1.0, 1.0, 1.0, 1.0, 1.0, u, v)


@pytest.mark.parametrize(('off', 'turned'), [(0, 0), (0.002, 0.05), (-0.001, -0.1)])
def test_what_is_off_by_so_much_is_off_by_so_much(off, turned):
    places = [place(u, v, off, turned) for u, v in ((80, 60), (30, 20), (150, 110))]
    found = errors(places, plane(), CAMERA, RADIUS)
    assert found[:, 0] == pytest.approx(1e3 * abs(off), abs=0.01)
    assert found[:, 1] == pytest.approx(np.degrees(abs(turned)), abs=0.1)


def test_only_what_is_under_the_cup_counts():
    depth = plane()
    v, u = np.indices(depth.shape)
    away = np.hypot(u - 80, v - 60) > 12  # px; the cup has 9
    depth[away] -= 0.1
    assert errors([place(80, 60, 0, 0)], depth, CAMERA, RADIUS)[0, 1] < 0.2
    assert errors([place(80, 60, 0, 0)], depth, CAMERA, 2 * RADIUS)[0, 1] < 0.2  # nor the rest


def test_a_surface_that_is_not_known_gives_no_number():
    depth = plane()
    depth[60, 80] = 0
    assert np.isnan(errors([place(80, 60, 0, 0)], depth, CAMERA, RADIUS)).all()
    assert errors([], depth, CAMERA, RADIUS).shape == (0, 2)


@pytest.fixture
def made(tmp_path):
    """Write two frames of a tilted plate that the sensor sees 3 mm too near."""
    label = np.zeros((CAMERA.height, CAMERA.width), np.uint8)
    label[20:100, 30:130] = 2
    for k, name in enumerate(('000000-0', '000001-0')):
        rgb = np.full((*label.shape, 3), 40 + k, np.uint8)
        given = {'rgb': rgb, 'depth': plane(middle=0.497), 'label': label, 'camera': CAMERA}
        write_sample(tmp_path, name, **given, extra={'depth-true': depth_picture(plane())})
    (tmp_path / 'data' / 'test-split.txt').write_text('000000-0\n000001-0\n')
    return tmp_path


def labelled(rgb, depth, new=True):
    """Answer what the label says."""
    affordance = np.zeros(depth.shape, np.float32)
    affordance[20:100, 30:130] = 0.9
    return affordance, np.where(affordance > 0, 2, 0).astype(np.uint8)


def test_what_would_be_published_is_measured(made):
    found = evaluate.evaluate(labelled, DataSet(made, 'test'), 0, False)[0]['candidates']
    assert found['count'] >= 6 and found['suctionable'] == 1
    assert found['point_mm']['p50'] == pytest.approx(3, abs=0.5)
    assert found['normal_degrees']['p95'] < 1
    for path in (made / 'data' / 'depth-true').iterdir():
        path.unlink()
    assert 'candidates' not in evaluate.evaluate(labelled, DataSet(made, 'test'), 0, False)[0]


def test_it_is_in_table_page_and_json_though_there_is_no_candidate(made, tmp_path, capsys):
    for path in (made / 'data' / 'depth-input').iterdir():
        cv2.imwrite(str(path), np.zeros((CAMERA.height, CAMERA.width), np.uint16))
    out = tmp_path / 'page'
    assert cli.main(['evaluate', 'normals', str(made), '--out', str(out)]) == 0
    assert json.loads((out / 'scores.json').read_text())['candidates'] == {
        'count': 0,
        'suctionable': None,
        'point_mm': {'p50': None, 'p95': None},
        'normal_degrees': {'p50': None, 'p95': None},
    }
    for text in (capsys.readouterr().out, (out / 'index.html').read_text()):
        assert 'against the true surface' in text
