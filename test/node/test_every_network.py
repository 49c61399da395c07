"""Every network runs on the robot, not only in a table: in the live node, on every CPU backend."""

from live import Client, Process
import numpy as np
import pytest
from rganet_ros import models, networks
from rganet_ros.runtime import load
import small_models

BACKENDS = ('onnxruntime', 'openvino', 'torch')
SECOND = 10**9


@pytest.fixture(scope='module')
def model_of(tmp_path_factory):
    """Give the model file of a network; each is made once."""
    made = {}

    def find(name):
        if name not in made:
            made[name] = small_models.write(tmp_path_factory.mktemp(name), name)
        return made[name]

    return find


@pytest.fixture(scope='module', params=BACKENDS)
def node(request, ros, tmp_path_factory):
    """Start a node for one backend, unconfigured, and its client."""
    words = ('-p', 'autostart:=false', '-p', f'backend:={request.param}', '-p', 'threads:=1')
    process = Process(tmp_path_factory.mktemp('node') / 'node.log', *words)
    client = Client()
    client.backend, client.process = request.param, process
    yield client
    status = process.stop()
    client.close()
    assert status == 0, process.said()


@pytest.mark.slow
@pytest.mark.parametrize('name', networks.NETWORKS)
def test_frames_pass_through_the_live_node(node, name, model_of):
    path = model_of(name)
    assert node.set(model=str(path)) == (True, '')
    assert node.change('configure'), node.process.said()
    try:
        _pass_frames(node, path)
    finally:
        node.change('deactivate')
        assert node.change('cleanup')


def _pass_frames(node, path):
    assert node.change('activate')
    height, width = small_models.SIZE
    pictures = np.random.default_rng(0).integers(0, 256, (2, height, width, 3), np.uint8)
    node.meet(rgb=pictures[0])
    stamp = getattr(node, 'stamp', 10_000 * SECOND)
    backend = load(node.backend, models.find(path), threads=1)
    for rgb in pictures:
        stamp += 100 * SECOND  # a gap: nothing is remembered
        node.answer(stamp, rgb=rgb)
        node.spin_until(lambda s=stamp: node.of('affordance', s), 'the map')
        published = np.frombuffer(node.of('affordance', stamp)[0].data, np.float32)
        expected = backend.run({'image': rgb[None]}, backend.new_state())['affordance']
        assert np.abs(published - expected.ravel()).max() < 1e-4
        assert expected.std() > 1e-4
    backend.close()
    node.stamp = stamp
