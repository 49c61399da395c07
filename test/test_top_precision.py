import cv2
import numpy as np
import pytest
from rganet_ros.top_precision import precision_at_ranks, top_counts


def hill(x, y, height=1.0, shape=(100, 120)):
    v, u = np.indices(shape)
    return (height * np.exp(-((u - x) ** 2 + (v - y) ** 2) / 800)).astype(np.float32)


def test_the_peak_is_what_top_1_looks_at():
    truth = np.zeros((100, 120), np.uint8)
    truth[20:40, 20:40] = 2
    assert (top_counts(hill(30, 30), truth)[0] > 0).tolist() == [True, False]
    assert (top_counts(hill(90, 70), truth)[0] > 0).tolist() == [False, True]
    # A spike of one pixel is smoothed away.
    spiked = hill(30, 30)
    spiked[80, 100] = 5
    assert (top_counts(spiked, truth)[0] > 0).tolist() == [True, False]


def test_tops_are_shares_of_the_picture_and_one_holds_the_next():
    random = np.random.default_rng(0)
    affordance = random.random((100, 120), np.float32)
    counts = top_counts(affordance, random.integers(0, 3, (100, 120)).astype(np.uint8))
    assert counts[1:].sum(1).tolist() == [120, 600, 1200]
    assert (np.diff(counts, axis=0) >= 0).all()


def test_it_is_what_a_plain_count_says():
    random = np.random.default_rng(1)
    affordance = random.random((60, 80), np.float32)
    truth = random.choice(np.uint8([0, 1, 2, 255]), (60, 80))
    smooth = cv2.GaussianBlur(affordance, (0, 0), 7, borderType=cv2.BORDER_REPLICATE)
    levels = [smooth.max() - 1e-4, *np.percentile(smooth, (99, 95, 90))]
    counts = [
        [sum(value > level and label in kinds
             for value, label in zip(smooth.ravel(), truth.ravel())) for kinds in ((2,), (0, 1))]
        for level in levels
    ]  # fmt: skip
    assert top_counts(affordance, truth).tolist() == counts


def test_unlabelled_pixels_are_neither_right_nor_wrong():
    truth = np.full((100, 120), 255, np.uint8)
    assert not top_counts(hill(30, 30), truth).any()
    truth[25:35, 25:35] = 2
    true, false = top_counts(hill(30, 30), truth)[1]
    assert true and not false


def test_precision_at_ranks_by_hand():
    found = precision_at_ranks([0.9, 0.1, 0.5], (0.2, 0.6), 4)
    assert found == pytest.approx(np.array([[1, 1 / 2, 2 / 3, 2 / 4], [1, 1 / 2, 1 / 3, 1 / 4]]))
    assert not precision_at_ranks([]).any() and precision_at_ranks([]).shape == (4, 50)
    assert (precision_at_ranks(np.ones(60)) == 1).all()
    # A hold that is no better than the threshold is none.
    assert not precision_at_ranks([0.8], (0.8,), 1).any()
