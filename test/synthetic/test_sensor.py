"""The depth sensor over a plain floor, and the colour sensor over a grey card."""

from dataclasses import replace

import numpy as np
import pytest
from rganet_ros.synthetic import sensor
from rganet_ros.synthetic.recipe import Recipe
from rganet_ros.types import Camera

SHAPE = (240, 320)
CAMERA = Camera(300, 300, 159.5, 119.5, 320, 240)
USUAL = Recipe(clean_depth_share=0, dotted_depth_share=0)


def see(seed, recipe=USUAL, true=0.7, dark=0.0, clear=False, surface=1):
    depth = np.broadcast_to(np.float32(true), SHAPE).copy()
    normal = np.broadcast_to(np.float32([0, 0, -1]), (*SHAPE, 3))
    return sensor.depth(
        np.random.default_rng(seed), depth, np.broadcast_to(surface, SHAPE), normal, -normal,
        CAMERA, np.full(SHAPE, np.float32(dark)), np.full(SHAPE, clear), recipe,
    )  # fmt: skip


@pytest.mark.parametrize('seed', range(4))
def test_a_plain_surface_is_seen_within_millimetres_and_with_few_holes(seed):
    depth = see(seed)
    assert depth.dtype == np.float32 and np.isfinite(depth).all() and depth.min() >= 0
    assert 0 < (depth == 0).mean() < 0.4
    assert (depth[60:180, 80:240] == 0).mean() < 0.12
    error = depth[depth > 0] - 0.7
    assert abs(np.median(error)) < 0.002 and 0.0003 < error.std() < 0.004


@pytest.mark.parametrize('what', [{'dark': 1.3}, {'true': 1.6}, {'true': 0.1}])
def test_black_far_and_near_are_holes(what):
    assert (see(1, **what) == 0).mean() > 0.8


def test_clear_things_are_full_of_holes():
    assert np.mean([(see(seed, clear=True) == 0).mean() for seed in range(4)]) > 0.4


def test_the_projector_casts_a_shadow_beside_a_step():
    step = np.full(SHAPE, 0.8, np.float32)
    step[:, 100:200] = 0.6
    holes = (see(2, true=step) == 0).mean(0)
    assert max(holes[92:100].max(), holes[200:208].max()) > 0.8
    assert np.median(holes[110:190]) < 0.1


def test_frames_are_from_nearly_clean_to_bad_and_the_border_is_worst():
    holes = np.array([see(seed) == 0 for seed in range(30)])
    share = holes.mean((1, 2))
    assert share.min() < 0.02 and share.max() > 0.12
    assert holes[:, :, :16].mean() > 3 * holes[:, 60:180, 80:240].mean()


def test_what_is_around_a_tote_is_mostly_unseen():
    outside = np.ones(SHAPE, int)
    outside[:, :160] = 0
    holes = np.mean([see(seed, surface=outside) == 0 for seed in range(20)], (0, 1))
    assert holes[20:150].mean() > 0.5 and holes[170:300].mean() < 0.15


def test_clean_and_dotted_shares_do_what_they_say():
    clean = see(3, replace(USUAL, clean_depth_share=1))
    assert not (clean == 0).any() and abs(clean - 0.7).max() < 0.003
    dotted = see(3, replace(USUAL, dotted_depth_share=1))
    assert 0.25 < (dotted == 0).mean() < 0.8


@pytest.mark.parametrize('seed', range(6))
def test_colour_keeps_grey_about_grey(seed):
    card = np.full((*SHAPE, 3), 0.5, np.float32)
    photograph = sensor.colour(np.random.default_rng(seed), card)
    assert photograph.dtype == np.uint8 and photograph.shape == card.shape
    assert abs(photograph.mean() - 127) < 40 and 0.1 < photograph.std() < 30
