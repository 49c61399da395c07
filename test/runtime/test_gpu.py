"""On a machine with a GPU and TensorRT: every shipped model says what ONNX Runtime says."""

import statistics
import time

import numpy as np
import pytest
from rganet_ros import bag, models
from rganet_ros.predictor import Predictor
from rganet_ros.runtime import load

pytestmark = pytest.mark.gpu
SHIPPED = sorted(path.stem for path in models.share('models').glob('*.onnx'))


@pytest.fixture(scope='module')
def cache(tmp_path_factory):
    return str(tmp_path_factory.mktemp('engines'))


@pytest.fixture(params=SHIPPED)
def both(request, cache):
    model = models.find(request.param)
    engine = load('tensorrt', model, build_engine='if_missing', cache=cache)
    found = Predictor(model, load('onnxruntime', model)), Predictor(model, engine)
    yield found
    for predictor in found:
        predictor.close()


def frames():
    return list(bag.frames(models.share('demo') / 'moving'))[:8]


def test_parity(both):
    for frame in frames():
        expected, found = (each.predict(frame) for each in both)
        assert np.abs(found.affordance - expected.affordance).max() < 1e-2
        assert (found.labels == expected.labels).mean() >= 0.999


def test_speed(both, capsys):
    _, predictor = both
    times = []
    frame = frames()[0]
    for _ in range(100):
        start = time.perf_counter()
        predictor.predict(frame)
        times.append(1e3 * (time.perf_counter() - start))
    with capsys.disabled():
        print(f'\n{predictor.model.name}: {statistics.median(times):.2f} ms median of 100, '
              f'{predictor.backend.describe()}')  # fmt: skip
