"""Scores of answers against labels and against the frame before."""

from dataclasses import replace

import numpy as np
import pytest
from rganet_ros.replay.scores import Scores, stability
from rganet_ros.types import Camera, Candidate, Detection, Frame

NAN = float('nan')


def at(x, z=0.5, u=0.0):
    return Candidate(x, 0.0, z, 0, 0, -1, 1, 1, 1, 1, 1, u, 3.0)


def detection(labels, *candidates):
    labels = np.array(labels, np.uint8)
    return Detection(labels / np.float32(2), labels, candidates)


def frame(stamp):
    return Frame(np.zeros((1, 4, 3), np.uint8), stamp=stamp)


def test_by_hand():
    scores = Scores()
    truth = np.array([[2, 2, 1, 255]], np.uint8)
    own = scores.add('', frame(0), detection([[2, 0, 1, 2]]), truth)
    # One cell with a hit, nothing that is not and one missed: F = 1.25 / 1.5, curved 0.6657.
    assert own == {'iou': 0.5, 'mgrid': 0.6657}
    own = scores.add('', frame(10**8), detection([[2, 2, 1, 0]]), truth)
    # Two of four pixels changed: the true class did not, unlabelled or not.
    assert own == {'iou': 1.0, 'mgrid': 1.0, 'flicker': 0.5}
    found = scores.summary()
    assert (found['iou'], found['precision'], found['recall']) == (0.75, 1.0, 0.75)
    assert (found['mgrid'], found['top_1']) == (0.8329, 1.0)
    assert (found['frames'], found['labelled_frames'], found['flicker']) == (2, 2, 0.5)
    assert found['best_holds'] is None and found['frames_with_nothing_to_pick'] == 2


def test_flicker_follows_a_camera_whose_poses_are_known():
    pose, depth = np.eye(4), np.full((1, 4), 0.5, np.float32)
    pose[0, 3] = 0.005  # a pixel
    given = {'depth': depth, 'camera': Camera(100.0, 100.0, 0, 0, 4, 1)}
    before = replace(frame(0), pose=np.eye(4), **given)
    now = replace(frame(1), pose=pose, **given)
    labels = detection([[0, 1, 2, 0]]), detection([[1, 2, 0, 2]])
    for seen, expected in (((before, now), 0), ((frame(0), frame(1)), 1)):
        scores = Scores()
        scores.add('', seen[0], labels[0], None)
        assert scores.add('', seen[1], labels[1], None)['flicker'] == expected


def test_frames_of_other_cameras_sizes_and_times_do_not_follow():
    scores = Scores()
    one, other = detection([[2, 2, 2, 2]]), detection([[0, 0, 0, 0]])
    scores.add('left', frame(0), one, None)
    assert scores.add('right', frame(1), other, None) == {}
    assert scores.add('left', frame(2 * 10**9), other, None) == {}
    assert scores.add('left', frame(10**9), one, None) == {}
    assert scores.add('left', frame(10**9), detection([[0, 0]]), None) == {}
    scores.forget()
    assert scores.add('left', frame(10**9 + 1), detection([[1, 1]]), None) == {}
    assert scores.summary()['flicker'] is None


@pytest.mark.parametrize(
    ('before', 'now', 'expected'),
    [
        ([at(0), at(0.1)], [at(0.01)], (0.5, 0.01)),
        ([at(0)], [at(0.2), at(0)], (1, 0.2)),
        ([at(0, NAN, 5)], [at(0, 0.5, 30), at(0, NAN, 15)], (1, 25)),  # pixels
    ],
)
def test_stability_of_candidates(before, now, expected):
    assert stability(before, now) == pytest.approx(expected)
