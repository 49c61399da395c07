import numpy as np
import pytest
from rganet_ros import metrics
from rganet_ros.metrics import confusion, scores


def test_confusion_by_hand():
    truth = np.array([[0, 0, 1, 2, 255], [2, 2, 1, 0, 255]], np.uint8)
    said = np.array([[0, 1, 1, 2, 2], [2, 0, 1, 0, 0]], np.uint8)
    matrix = confusion(said, truth, 3)
    assert matrix.tolist() == [[2, 1, 0], [0, 2, 0], [1, 0, 2]]
    found = scores(matrix)
    assert found['iou'] == pytest.approx([2 / 4, 2 / 3, 2 / 3])
    assert found['precision'] == pytest.approx([2 / 3, 2 / 3, 1])
    assert found['recall'] == pytest.approx([2 / 3, 1, 2 / 3])
    assert found['accuracy'] == pytest.approx(6 / 8)


def test_a_class_that_is_nowhere_has_no_score():
    found = scores(confusion(np.zeros(4, np.uint8), np.zeros(4, np.uint8), 3))
    assert np.isnan(found['iou'][1:]).all() and found['iou'][0] == 1


def test_warp_follows_the_flow():
    labels = np.zeros((72, 96), np.uint8)
    labels[30:40, 50:60] = 2
    flow = np.full((72, 96, 2), (4, -1), np.float32)
    warped = metrics.warp(labels, flow)
    assert (warped[31:41, 46:56] == 2).all() and (warped == 2).sum() == 100


def test_flicker_counts_changes_that_the_truth_does_not_have():
    truth = np.zeros((2, 20, 20), np.uint8)
    truth[1, :2] = 2  # a true change: not counted
    labels = truth.copy()
    labels[1, 10, :5] = 1
    assert metrics.flicker(labels, truth) == (5, 18 * 20)
    seen = np.ones((20, 20), bool)
    seen[10, :3] = False
    assert metrics.flicker(labels, truth, seen=seen) == (2, 18 * 20 - 3)


def test_a_moving_camera_is_no_flicker():
    rng = np.random.default_rng(0)
    wide = rng.integers(0, 3, (20, 30), np.uint8)
    pair = np.stack([wide[:, :20], wide[:, 3:23]])
    flow = np.zeros((20, 20, 2), np.float32)
    flow[..., 0] = 3
    seen = np.zeros((20, 20), bool)
    seen[:, :17] = True
    assert metrics.flicker(pair, pair, flow, seen) == (0, 20 * 17)
    changed, counted = metrics.flicker(pair, np.zeros_like(pair))
    assert counted == 400 and changed > 150
