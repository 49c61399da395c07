"""Frames that hang on each other, against poses that are right by construction."""

from types import SimpleNamespace

import numpy as np
import pytest
from rganet_ros import geometry
from rganet_ros.encodings import Undecodable
from rganet_ros.transforms import FixedTransforms

# A tree: frame, the one that it hangs on, x y z, quaternion.
HALF = 0.5**0.5
TREE = {
    'plate': ('world', (1.0, 2.0, 3.0), (0.0, 0.0, HALF, HALF)),
    'eye': ('plate', (0.1, 0.0, 0.0), (0.0, HALF, 0.0, HALF)),
    'depth_eye': ('plate', (0.0, 0.2, 0.0), (HALF, 0.0, 0.0, HALF)),
    'rim': ('depth_eye', (0.0, 0.0, 0.3), (0.0, 0.0, 0.0, 1.0)),
}


def link(child, parent, move, turn):
    return SimpleNamespace(
        header=SimpleNamespace(frame_id=parent),
        child_frame_id=child,
        transform=SimpleNamespace(
            translation=SimpleNamespace(**dict(zip('xyz', move))),
            rotation=SimpleNamespace(**dict(zip('xyzw', turn))),
        ),
    )


def told(*links):
    found = FixedTransforms()
    for each in links:  # a message each, as several publishers send them
        found.add(SimpleNamespace(transforms=[link(*each)]))
    return found


@pytest.fixture
def tree():
    return told(*((child, *rest) for child, rest in TREE.items()))


def in_world(frame):
    pose = np.eye(4)
    while frame in TREE:
        frame, move, turn = TREE[frame]
        pose = geometry.matrix(move, turn) @ pose
    return pose


@pytest.mark.parametrize('frame', [*TREE, 'world'])
@pytest.mark.parametrize('source', [*TREE, 'world'])
def test_up_and_down_the_tree(tree, frame, source):
    expected = np.linalg.inv(in_world(frame)) @ in_world(source)
    np.testing.assert_allclose(tree.pose(frame, source), expected, atol=1e-12)


def test_the_last_word_counts(tree):
    tree.add(SimpleNamespace(transforms=[link('rim', 'depth_eye', (0, 0, 0), (0, 0, 0, 1))]))
    np.testing.assert_allclose(tree.pose('depth_eye', 'rim'), np.eye(4), atol=1e-12)


@pytest.mark.parametrize(('frame', 'source'), [('eye', 'moon'), ('moon', 'eye')])
def test_what_is_not_told_is_refused(tree, frame, source):
    with pytest.raises(Undecodable, match='which tells of depth_eye, eye, plate, rim') as refusal:
        tree.pose(frame, source)
    assert refusal.value.reason == 'transform'
    with pytest.raises(Undecodable, match='no frames'):
        FixedTransforms().pose(frame, source)


def test_frames_that_hang_on_each_other_in_a_ring_end():
    ring = told(('a', 'b', (1, 0, 0), (0, 0, 0, 1)), ('b', 'a', (1, 0, 0), (0, 0, 0, 1)))
    np.testing.assert_allclose(ring.pose('a', 'a'), np.eye(4))
    with pytest.raises(Undecodable):
        ring.pose('a', 'c')


def test_a_turn_of_no_length_is_none():
    with pytest.raises(ValueError, match='no length'):
        told(('a', 'b', (0, 0, 0), (0, 0, 0, 0)))
