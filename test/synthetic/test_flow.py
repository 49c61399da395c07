import cv2
import numpy as np
import pytest
from rganet_ros import metrics
from rganet_ros.synthetic import clip, flow
from rganet_ros.types import Camera

CAMERA = Camera(100.0, 100.0, 47.5, 35.5, 96, 72)


def moment(depth, instance=None, pose=None, position=(0, 0, 0), turn=0.0):
    rotation = cv2.Rodrigues(np.array([0, 0, turn]))[0]
    instance = np.zeros((72, 96), np.uint8) if instance is None else instance
    pose = np.eye(4) if pose is None else pose
    return flow.Moment(depth, instance, CAMERA, pose, np.array([position]), rotation[None])


def plane(depth=0.5):
    return np.full((72, 96), depth, np.float32)


def test_a_camera_that_moves_along_a_plane_shifts_the_picture():
    moved = np.eye(4)
    moved[0, 3] = 0.02  # to the right: what is seen was 4 pixels further right
    found, seen = flow.backward(moment(plane(), pose=moved), moment(plane()))
    assert np.allclose(found[seen], (4, 0), atol=1e-3)
    assert seen[:, :-5].all() and not seen[:, -4:].any()
    assert not found[~seen].any()


def test_a_thing_that_turned_is_followed_in_its_own_frame():
    instance = np.zeros((72, 96), np.uint8)
    cv2.circle(instance, (48, 36), 20, 1, -1)
    depth = np.where(instance > 0, 0.4, 0.5).astype(np.float32)
    centre = ((48 - 47.5) * 0.4 / 100, (36 - 35.5) * 0.4 / 100, 0.4)
    turned = moment(depth, instance, position=centre, turn=0.1)
    found, seen = flow.backward(turned, moment(depth, instance, position=centre))
    row, column = np.indices((72, 96))
    x, y = column - 48, row - 36
    expected = np.dstack([np.cos(0.1) * x + np.sin(0.1) * y, -np.sin(0.1) * x + np.cos(0.1) * y])
    inner = (instance > 0) & seen
    assert inner.sum() > 1000
    assert np.abs(found - (expected - np.dstack([x, y])))[inner].max() < 1e-3
    assert np.abs(found[instance == 0]).max() < 1e-4 and seen[instance == 0].all()


def test_what_was_behind_something_was_not_seen():
    before = np.zeros((72, 96), np.uint8)
    before[20:50, 30:60] = 1
    depth = np.where(before > 0, 0.3, 0.5).astype(np.float32)
    found, seen = flow.backward(moment(plane()), moment(depth, before))
    assert not seen[20:50, 30:60].any() and seen[:20].all()


def test_the_flow_of_a_clip_finds_the_same_thing_with_the_same_look(small):
    shots = list(clip.samples(small, 'train', 3, 0, 5, 0.0))
    for before, now in zip(shots, shots[1:]):
        bent, seen = now.flow
        same = metrics.warp(before.instance, bent)[seen] == now.instance[seen]
        assert seen.mean() > 0.6 and same.mean() > 0.99
        label = metrics.warp(before.label, bent)
        assert (label[seen] == now.label[seen]).mean() > 0.9
        row, column = np.indices(seen.shape, np.float32)
        moved = cv2.remap(before.rgb, column + bent[..., 0], row + bent[..., 1], cv2.INTER_LINEAR)
        assert np.abs(moved.astype(int) - now.rgb)[seen].mean() < 12
    assert shots[0].flow is None


@pytest.mark.parametrize('name', ['depth', 'instance'])
def test_moments_are_of_one_size(name):
    small = getattr(moment(plane()), name)[:10]
    with pytest.raises((IndexError, ValueError)):
        flow.backward(moment(plane())._replace(**{name: small}), moment(plane()))
