"""The running account is what its parts say, picture by picture and pooled."""

import numpy as np
import pytest
from rganet_ros.metrics import confusion, scores
from rganet_ros.mgrid import Grid, mgrid
from rganet_ros.tally import Tally
from rganet_ros.top_precision import top_counts


def pictures(count=3):
    random = np.random.default_rng(0)
    for _ in range(count):
        labels, truth = random.integers(0, 3, (2, 40, 50)).astype(np.uint8)
        truth[:, 45:] = 255
        yield labels, truth, random.random((40, 50), np.float32)


def test_means_and_pools():
    tally, single, pooled, top = Tally(), [], np.zeros((3, 3)), 0
    for labels, truth, affordance in pictures():
        own = tally.add(labels, truth, affordance)
        matrix = confusion(labels, truth, 3)
        pooled += matrix
        single.append([
            scores(matrix)['class_accuracy'][2], scores(matrix)['iou'][2],
            mgrid(labels == 2, truth == 2, truth != 255),
        ])  # fmt: skip
        assert [own['accuracy'], own['iou'], own['mgrid']] == pytest.approx(single[-1])
        top = top + top_counts(affordance, truth)
    found = tally.summary()
    assert found['frames'] == 3
    for at, name in enumerate(('accuracy', 'iou', 'mgrid')):
        values = np.array(single)[:, at]
        expected = values.mean(), values.std()
        assert found['per_frame'][name] == pytest.approx(expected, abs=1e-4)
    assert found['mgrid'] == found['per_frame']['mgrid'][0]
    for name in ('iou', 'precision', 'recall', 'dice', 'mcc'):
        assert found[name] == pytest.approx(scores(pooled)[name], abs=1e-4)
    assert found['frame_iou'][2] == pytest.approx(found['per_frame']['iou'][0], abs=1e-4)
    assert found['mean_iou'] == pytest.approx(np.mean(scores(pooled)['iou']), abs=1e-4)
    assert found['top_5_percent'] == pytest.approx(top[2, 0] / top[2].sum(), abs=1e-4)


def test_pictures_with_nothing_to_score_do_not_pull_a_mean():
    tally, empty = Tally(), np.zeros((24, 24), np.uint8)
    full = np.full((24, 24), 2, np.uint8)
    tally.add(empty, empty)
    assert np.isnan(tally.summary()['mgrid'])
    tally.add(full, full)
    found = tally.summary()
    assert found['per_frame']['mgrid'] == found['per_frame']['iou'] == [1, 0]
    assert found['frame_iou'][2] == 1 and np.isnan(found['top_1'])
    faint = np.linspace(0, 0.01, 24 * 24, dtype=np.float32).reshape(24, 24)
    tally.add(empty, empty, faint)
    found = tally.summary()
    assert found['top_1'] == 0 and np.isnan(found['best_pixel'])  # nothing there to be found
    half = np.where(np.arange(24) < 12, full, empty)
    tally.add(half, half, (half / 2).astype(np.float32))
    assert 0 < tally.summary()['top_1'] < tally.summary()['best_pixel'] == 1
    code = Tally(grid=Grid(gamma_at_zero='code'))
    code.add(empty, empty)
    assert code.summary()['mgrid'] == 1


def test_nothing_counted_is_no_error():
    found = Tally().summary()
    assert found['frames'] == 0 and np.isnan(found['accuracy']) and np.isnan(found['iou']).all()


def test_other_classes_have_scores_and_no_suction():
    tally = Tally(('road', 'sky', 'tree', 'car'))
    truth = np.arange(16, dtype=np.uint8).reshape(4, 4) % 4
    assert tally.add(truth, truth) == {'accuracy': 1}
    found = tally.summary()
    assert found['iou'] == [1, 1, 1, 1] and found['mean_iou'] == 1
    assert 'mgrid' not in found and 'top_1' not in found
