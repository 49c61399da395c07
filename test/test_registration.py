"""Depth seen from another place, against scenes whose depth is right by formula."""

import numpy as np
import pytest
from rganet_ros import registration
from rganet_ros.decode import Undecodable
from rganet_ros.types import Camera
import scenes

TARGET = Camera(300.0, 300.0, 159.5, 119.5, 320, 240)
FINE = Camera(320.0, 310.0, 200.0, 150.0, 400, 300)
COARSE = Camera(120.0, 120.0, 80.0, 60.0, 160, 120)


def place(angle=0.05, move=(0.03, -0.01, 0.02)):
    """Make the pose of the source in the target: a small turn about y, and a step."""
    c, s = np.cos(angle), np.sin(angle)
    pose = np.eye(4)
    pose[:3, :3] = [[c, 0, s], [0, 1, 0], [-s, 0, c]]
    pose[:3, 3] = move
    return pose


def views(source, pose, ball=True):
    """See a tilted plane and a ball before it from both places; returns both depths."""
    normal, back, centre = np.array([0.3, 0.1, -1.0]), np.array([0.0, 0, 0.8]), (0.02, 0.01, 0.5)

    def shapes(turn, move):
        plane = scenes.plane(turn @ back + move, turn @ normal)
        return [plane, scenes.sphere(turn @ np.array(centre) + move, 0.08)][: 1 + ball]

    inverse = np.linalg.inv(pose)
    there = scenes.cast(*shapes(inverse[:3, :3], inverse[:3, 3]), camera=source)[0]
    return there, scenes.cast(*shapes(np.eye(3), np.zeros(3)), camera=TARGET)[0]


@pytest.mark.parametrize('source', [FINE, COARSE], ids=['fine', 'coarse'])
@pytest.mark.parametrize('angle', [0.0, 0.05, -0.1])
def test_a_scene_is_where_it_would_be_seen(source, angle):
    pose = place(angle)
    there, truth = views(source, pose)
    found = registration.project(there, source, TARGET, pose)
    assert found.dtype == np.float32 and found.shape == truth.shape
    known = (found > 0) & (truth > 0)
    off = np.abs(found - truth)[known]
    assert np.median(off) < 0.002
    # At the ball's edge the pixels of two cameras cannot agree; elsewhere nothing is far off.
    assert (off > 0.02).mean() < (0.01 if source is FINE else 0.03)


@pytest.mark.parametrize('source', [FINE, COARSE], ids=['fine', 'coarse'])
def test_a_surface_has_no_holes(source):
    pose = place(0.03, (0.01, 0.0, 0.0))
    there, _ = views(source, pose, ball=False)
    found = registration.project(there, source, TARGET, pose)
    assert (found[60:180, 80:240] > 0).all()
    assert (found > 0).mean() > 0.9


def test_what_is_behind_is_hidden_and_what_was_not_seen_is_unknown():
    """Two fronto-parallel planes, the nearer half as wide: its shadow is known to the pixel."""
    near, far = 0.5, 1.0
    there = np.full((FINE.height, FINE.width), far, np.float32)
    there[:, :200] = near  # left of x = 0 in the source
    pose = place(0.0, (-0.05, 0.0, 0.0))  # the target stands to the right of the source
    found = registration.project(there, FINE, TARGET, pose)
    row = found[120]
    edge = TARGET.fx * (-0.05) / near + TARGET.cx, TARGET.fx * (-0.05) / far + TARGET.cx
    assert (row[40 : int(edge[0]) - 1] == np.float32(near)).all()
    assert (row[int(edge[0]) + 2 : int(edge[1]) - 1] == 0).all()
    assert (row[int(edge[1]) + 2 : 300] == np.float32(far)).all()
    # From the other side the near plane hides a part of the far one.
    found = registration.project(there, FINE, TARGET, place(0.0, (0.05, 0.0, 0.0)))
    edge = TARGET.fx * 0.05 / near + TARGET.cx
    assert (found[120, 60 : int(edge) - 1] == np.float32(near)).all()
    assert (found[120, int(edge) + 2 : 300] == np.float32(far)).all()


def test_the_same_place_gives_back_the_same_picture():
    depth = np.random.default_rng(0).uniform(0.3, 2, (240, 320)).astype(np.float32)
    depth[::7, ::5] = 0
    np.testing.assert_allclose(registration.project(depth, TARGET, TARGET, np.eye(4)), depth)


def test_behind_the_camera_or_nothing_at_all():
    depth = np.full((240, 320), 0.5, np.float32)
    assert not registration.project(depth, TARGET, TARGET, place(0, (0, 0, -1))).any()
    assert not registration.project(depth * 0, TARGET, TARGET, place()).any()


def test_without_both_intrinsics_it_is_refused():
    depth = np.ones((240, 320), np.float32)
    for source, target in ((None, TARGET), (TARGET, None)):
        with pytest.raises(Undecodable, match='depth_camera_info') as refusal:
            registration.onto(depth, source, target, (240, 320), ('a', 'b'), np.eye(4))
        assert refusal.value.reason == 'depth_camera_info'
