"""What is added to a rendered picture."""

import numpy as np
import pytest
from rganet_ros.synthetic import shading, view

SEEN = view.look_at(np.array([0, 0, 0.7]), [0, 0, 0], [0, 1, 0], np.radians(42))


@pytest.mark.parametrize('width', [160, 640])
def test_a_pit_is_darker_by_as_much_at_every_size(width):
    depth = np.full((width * 3 // 4, width), 0.7, np.float32)
    pit = slice(width // 3, width // 3 + width // 16)
    depth[pit, pit] = 0.75
    light = shading.occlusion(depth)
    middle = width // 3 + width // 32
    assert light[middle, middle] == pytest.approx(0.84, abs=0.03)
    assert light[2, 2] == 1


def clear(opacity: float, tilt: float = 0.0):
    """Lay a see-through wall that leans by `tilt` rad over a checked ground."""
    shape = (60, 80)
    ground = np.indices(shape).sum(0) // 8 % 2
    picture = np.repeat(ground[..., None], 3, -1).astype(np.float32)
    rgba = np.ones((*shape, 4), np.float32)
    rgba[20:40, 20:60, 3] = opacity
    normal = np.broadcast_to(np.float32([np.sin(tilt), 0, -np.cos(tilt)]), (*shape, 3))
    ray, depth = shading.rays(shape, SEEN), np.full(shape, 0.7, np.float32)
    return picture, shading.see_through(picture, rgba, depth, normal, ray, 600)


def test_clear_plastic_lets_through_what_is_behind_and_leaves_the_rest():
    picture, laid = clear(0.1)
    outside = np.ones(picture.shape[:2], bool)
    outside[20:40, 20:60] = False
    assert (laid[outside] == picture[outside]).all()
    inside = laid[25:35, 25:55, 0], picture[25:35, 25:55, 0]
    assert np.corrcoef(inside[0].ravel(), inside[1].ravel())[0, 1] > 0.99
    assert 0.5 < np.ptp(inside[0]) < 1


def test_a_wall_that_leans_bends_and_is_denser():
    straight, leaning = clear(0.3)[1], clear(0.3, 1.0)[1]
    inside = (slice(25, 35), slice(25, 55))
    assert np.ptp(leaning[inside]) < np.ptp(straight[inside]) - 0.1
    a, b = straight[inside][..., 0].ravel(), leaning[inside][..., 0].ravel()
    assert np.corrcoef(a, b)[0, 1] < 0.5
