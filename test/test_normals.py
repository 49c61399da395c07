import numpy as np
import pytest
from rganet_ros.normals import affordance, answer, normals
from scenes import CAMERA, cast, cylinder, plane


def test_normals_are_those_of_a_tilted_plane():
    tilt = np.array([0.3, -0.2, -1])
    depth, expected = cast(plane(normal=tilt))
    found = normals(depth, CAMERA)[5:-5, 5:-5]
    assert np.abs(found - expected[5:-5, 5:-5]).max() < 0.02


def test_flat_is_better_than_curved_and_edges_are_worst():
    depth, _ = cast(plane((0, 0, 0.6)), cylinder((0.1, 0, 0.6), (0, 1, 0), 0.03))
    found = affordance(depth, CAMERA)
    flat, curved = found[240, 150], found[240, 425]
    edge = found[240].argmin()
    assert flat > 0.99 > curved and found[240, edge] < 0.5
    assert found.min() >= 0 and found.max() <= 1 and found.dtype == np.float32
    labels = answer(depth, CAMERA)[1]
    assert labels[240, 150] == 2 and labels[240, edge] == 0


@pytest.mark.parametrize('value', [0, np.nan])
def test_where_nothing_is_known_nothing_holds(value):
    depth = np.full((480, 640), 0.5, np.float32)
    depth[:, 300:] = value
    found = affordance(depth, CAMERA)
    assert not found[:, 301:].any() and found[240, 100] == 1
    assert not affordance(np.full((480, 640), value, np.float32), CAMERA).any()
