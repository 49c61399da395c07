from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest
from rganet_ros import metrics
from rganet_ros.metrics import confusion, scores

MAPS = st.integers(0, 2**32 - 1).map(
    lambda seed: np.random.default_rng(seed).integers(0, 3, (2, 9, 11), np.uint8)
)


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


def test_dice_and_mcc_by_hand():
    # One against the rest, of class 1: TP 6, FN 2, FP 1, TN 11.
    found = scores(np.array([[11, 1], [2, 6]]))
    assert found['dice'][1] == pytest.approx(12 / 15)
    assert found['mcc'][1] == pytest.approx((6 * 11 - 1 * 2) / np.sqrt(7 * 8 * 13 * 12))
    assert found['class_accuracy'] == pytest.approx([17 / 20] * 2)


@settings(max_examples=50, deadline=None)
@given(MAPS)
def test_scores_are_those_of_a_count_by_pixel(maps):
    said, true = maps
    found = scores(confusion(said, true, 3))
    for k in range(3):
        pairs = [(a == k, b == k) for a, b in zip(said.ravel(), true.ravel())]
        tp, fp, fn, tn = (
            pairs.count(pair)
            for pair in ((True, True), (True, False), (False, True), (False, False))
        )
        assert found['iou'][k] == pytest.approx(tp / (tp + fp + fn))
        assert found['precision'][k] == pytest.approx(tp / (tp + fp))
        assert found['recall'][k] == pytest.approx(tp / (tp + fn))
        assert found['dice'][k] == pytest.approx(2 * tp / (2 * tp + fp + fn))
        assert found['class_accuracy'][k] == pytest.approx((tp + tn) / len(pairs))
        product = float((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
        assert found['mcc'][k] == pytest.approx((tp * tn - fp * fn) / np.sqrt(product))


@settings(max_examples=50, deadline=None)
@given(MAPS)
def test_swapped_and_perfect(maps):
    found, swapped, perfect = (
        scores(confusion(*pair, 3)) for pair in (maps, maps[::-1], (maps[0], maps[0]))
    )
    assert found['precision'] == pytest.approx(swapped['recall'])
    for name in ('iou', 'dice', 'mcc', 'class_accuracy', 'accuracy'):
        assert found[name] == pytest.approx(swapped[name])
        assert perfect[name] == pytest.approx(np.ones_like(perfect[name]))


def test_nothing_labelled_has_no_score_at_all():
    found = scores(confusion(np.zeros(4, np.uint8), np.full(4, 255, np.uint8), 3))
    assert all(np.isnan(value).all() for value in found.values())


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
    changed, counted = metrics.flicker(pair)
    assert counted == 400 and changed > 150
