import numpy as np
import pytest
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
