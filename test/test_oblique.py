"""The scene from the side, where geometry says what is seen."""

from dataclasses import replace

import numpy as np
import pytest
from rganet_ros import oblique, viz
from rganet_ros.types import Camera, Candidate, Detection, Frame

CAMERA = Camera(150.0, 150.0, 80.0, 60.0, 161, 121)
NAN = float('nan')
RED, GREY = (255, 0, 0), (120, 120, 120)


def plane(depth=0.5):
    """See a grey plate across the axis, with a red square in its middle."""
    rgb = np.full((121, 161, 3), GREY, np.uint8)
    rgb[55:66, 75:86] = RED
    return Frame(rgb, np.full((121, 161), depth, np.float32), CAMERA, 1, 'eye')


def candidate(x=0.0, y=0.0, z=0.5, normal=(0.0, 0.0, -1.0)):
    return Candidate(x, y, z, *normal, 0.9, 0.9, 1.0, 1.0, 1.0, 80.0, 60.0)


def where(seen, colour):
    rows, columns = np.nonzero((seen == colour).all(axis=2))
    return (columns.mean(), rows.mean(), len(rows)) if len(rows) else None


def test_the_middle_stays_and_the_scene_is_tilted_and_narrower():
    seen = oblique.oblique(plane(), (), 0.015)
    column, row, count = where(seen, RED)
    assert (column, row) == pytest.approx((80, 60), abs=2)
    assert 0.5 * 121 < count < 1.2 * 121  # a square turned away is smaller, and has no gaps
    # The upper side leans away from who looks, so it is seen narrower than the lower one.
    wide = (seen != oblique.GROUND).any(axis=2).sum(axis=1)
    rows = np.flatnonzero(wide)
    assert wide[rows[3]] < wide[rows[-4]] and len(rows) < 121


def test_the_nearer_hides_what_is_behind():
    frame = plane()
    frame.depth[:, :80] = 0.3
    frame.rgb[:, :80] = (0, 0, 255)
    seen = oblique.oblique(frame, (), 0.015)
    there = (seen == (0, 0, 255)).all(axis=2)
    row, column = (int(np.median(each)) for each in np.nonzero(there))
    assert there[row - 8 : row + 9, column - 8 : column + 9].mean() > 0.98


def test_the_best_is_an_orange_disc_of_the_cups_size_and_the_others_are_white():
    found = candidate(), candidate(0.08, 0.03)
    small, large = (oblique.oblique(plane(), found, radius) for radius in (0.01, 0.02))
    for seen in (small, large):
        assert where(seen, viz.ORANGE)[:2] == pytest.approx((80, 60), abs=5)
        assert where(seen, viz.WHITE)[0] > 90
    assert where(large, viz.ORANGE)[2] > 1.3 * where(small, viz.ORANGE)[2]


@pytest.mark.parametrize('lost', [candidate(NAN), candidate(normal=(NAN, NAN, NAN))])
def test_what_has_no_place_is_not_drawn(lost):
    assert where(oblique.oblique(plane(), (lost,), 0.015), viz.ORANGE) is None


@pytest.mark.parametrize('changes', [{'depth': None}, {'camera': None}, {'depth': 'zero'}])
def test_without_places_nothing_is_seen(changes):
    frame = plane(0.0) if changes == {'depth': 'zero'} else replace(plane(), **changes)
    assert (oblique.oblique(frame, (candidate(),), 0.015) == oblique.GROUND).all()


def test_a_view_is_four_pictures():
    frame = plane()
    affordance = np.linspace(0, 1, 121 * 161, dtype=np.float32).reshape(121, 161)
    found = Detection(affordance, np.zeros((121, 161), np.uint8), (candidate(),), {})
    seen = oblique.view(frame, found, 0.015)
    assert seen.shape == (242, 322, 3) and seen.dtype == np.uint8
    assert (seen[:121, :161] == frame.rgb).all()
    assert (seen[:121, 161:] == viz.overlay(frame.rgb, found)).all()
    assert (seen[121:, :161] == viz.colormap(affordance)).all()
    assert (seen[121:, 161:] == oblique.oblique(frame, found.candidates, 0.015)).all()
