"""What stands still is followed back to the frame before; what does not is not seen."""

from dataclasses import replace

import numpy as np
import pytest
from rganet_ros import metrics, motion
from rganet_ros.types import Camera, Frame

CAMERA = Camera(100.0, 100.0, 31.5, 23.5, 64, 48)
Z = 0.5


def plane(pose, **changes):
    given = {'depth': np.full((48, 64), Z, np.float32), 'camera': CAMERA, 'pose': pose}
    return Frame(np.zeros((48, 64, 3), np.uint8), **(given | changes))


def moved(x=0.0, y=0.0):
    pose = np.eye(4)
    pose[:2, 3] = x, y
    return pose


def test_a_camera_that_moves_along_a_plane_sees_it_shifted():
    flow, seen = motion.flow(plane(moved(0.0195, -0.00975)), plane(np.eye(4)))
    assert flow.dtype == np.float32
    assert np.abs(flow[seen] - [3.9, -1.95]).max() < 1e-3  # 100 px * 0.0195 m / 0.5 m
    assert seen[2:, :-4].all() and not seen[:, -4:].any() and not seen[:2].any()


def test_what_was_hidden_moved_or_unknown_is_not_seen():
    depth = plane(None).depth.copy()
    depth[10:20, 10:20] = 0.4
    before, now = plane(np.eye(4), depth=depth), plane(np.eye(4))
    holes = now.depth.copy()
    holes[:5] = 0
    seen = motion.flow(replace(now, depth=holes), before)[1]
    expected = np.ones((48, 64), bool)
    expected[:5] = expected[10:20, 10:20] = False
    assert np.array_equal(seen, expected)


@pytest.mark.parametrize('lost', ['depth', 'camera', 'pose'])
def test_without_what_it_needs_there_is_no_flow(lost):
    whole = plane(np.eye(4))
    assert motion.flow(whole, whole) is not None
    assert motion.flow(replace(whole, **{lost: None}), whole) is None
    assert motion.flow(whole, replace(whole, **{lost: None})) is None


def test_classes_that_go_with_the_things_do_not_flicker():
    labels = np.random.default_rng(0).integers(0, 3, (48, 64))
    shifted, nothing = np.roll(labels, -4, 1), np.zeros_like(labels)
    flow, seen = motion.flow(plane(moved(0.02)), plane(np.eye(4)))
    assert metrics.flicker((labels, shifted), (nothing,) * 2, flow, seen)[0] == 0
    assert metrics.flicker((labels, shifted), (nothing,) * 2)[0] > 1000
    frames = [plane(moved(x)) for x in (0, 0.02, 0.02)]
    assert motion.flicker_along(zip(frames, [labels, shifted, shifted])) == 0
    assert motion.flicker_along(zip(frames, [labels, labels, shifted])) > 0.3
    assert motion.flicker_along([(replace(frames[0], pose=None), labels)] * 2) is None
