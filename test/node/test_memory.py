"""The memory of past frames is alive in the node: what it publishes depends on them."""

from live import LONG
import numpy as np
import pytest
from rganet_ros import models
from rganet_ros.predictor import Predictor
from rganet_ros.runtime import load
from rganet_ros.types import Frame
import small_models
from std_srvs.srv import Trigger

SECOND = 10**9
FRAMES, WINDOW = 16, 4


@pytest.fixture(scope='module')
def path(tmp_path_factory):
    folder = tmp_path_factory.mktemp('memory')
    return small_models.write(folder, 'fanet18-temporal', frames=WINDOW)


@pytest.fixture(scope='module')
def pictures():
    rng = np.random.default_rng(3)
    wide = rng.integers(0, 256, (*small_models.SIZE, 3), np.uint8)
    return [np.ascontiguousarray(np.roll(wide, 5 * k, 1)) for k in range(FRAMES)]


def published(client, stamp, rgb):
    client.answer(stamp, rgb=rgb)
    client.spin_until(lambda: client.of('affordance', stamp), 'the map', seconds=LONG)
    data = client.of('affordance', stamp)[0].data
    return np.frombuffer(data, np.float32).reshape(small_models.SIZE)


@pytest.mark.parametrize('backend', ['onnxruntime', 'openvino'])
def test_sixteen_frames_over_dds_are_the_offline_predictors(
    backend, start, client, path, pictures
):
    start('-p', f'model:={path}', '-p', f'backend:={backend}', '-p', 'threads:=1')
    client.meet(rgb=pictures[0])
    model = models.find(path)
    predictor = Predictor(model, load(backend, model, threads=1))
    stamps = [10_000 * SECOND + k * SECOND // 30 for k in range(FRAMES)]  # after a gap
    for stamp, rgb in zip(stamps, pictures, strict=True):
        found = published(client, stamp, rgb)
        expected = predictor.predict(Frame(rgb, None, None, stamp, 'camera')).affordance
        assert np.abs(found - expected).max() < 1e-4
    alone = Predictor(model, load(backend, model, threads=1))
    forgetful = alone.predict(Frame(pictures[-1], None, None, 0, 'camera')).affordance
    assert np.abs(found - forgetful).max() > 1e-3
    full = f'{WINDOW - 1} of {WINDOW - 1} frames'
    client.spin_until(lambda: client.diagnostics.get('memory') == full, f'memory {full}')
    assert not [key for key in client.diagnostics if key.startswith('dropped')]

    assert client.call(Trigger, 'reset', Trigger.Request()).success
    again = published(client, stamps[-1] + SECOND // 30, pictures[-1])
    assert np.abs(again - forgetful).max() < 1e-4
    client.spin_until(lambda: client.count('resets.asked') == 1, 'the count of resets')


def test_what_the_node_forgets_is_counted(start, client, path, pictures):
    start('-p', f'model:={path}', '-p', 'threads:=1', '-p', 'scene_cut:=0.2')
    client.meet(rgb=pictures[0])
    stamp = 20_000 * SECOND
    published(client, stamp, pictures[0])
    before = dict(client.diagnostics)
    published(client, stamp + SECOND // 30, np.zeros_like(pictures[0]))
    client.spin_until(lambda: client.count('resets.cut') == 1, 'the scene cut')
    published(client, stamp + 5 * SECOND, np.zeros_like(pictures[0]))
    gaps = int(before.get('resets.gap', 0))
    client.spin_until(lambda: client.count('resets.gap') > gaps, 'the gap')
    published(client, stamp - 100 * SECOND, pictures[0])
    client.spin_until(lambda: client.count('resets.jump_back') == 1, 'the jump back')
