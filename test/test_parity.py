"""The shipped models: every engine says what torch says."""

import numpy as np
import pytest
from rganet_ros import bag, models
from rganet_ros.predictor import Predictor
from rganet_ros.runtime import load

SHIPPED = ('fanet18-rgb', 'fanet18-rgbd')
COMPARED = ('onnxruntime', 'openvino')


@pytest.fixture(scope='module')
def frames():
    """Three frames of the demonstration, of the models' own size."""
    every = list(bag.frames(models.share('demo') / 'clutter'))
    return every[:: len(every) // 2][:3]


@pytest.fixture(scope='module', params=SHIPPED)
def answers(request, frames):
    """Run each engine on each frame."""
    model = models.find(request.param)
    said = {}
    for name in ('torch', *COMPARED):
        backend = load(name, model)
        said[name] = []
        for frame in frames:
            arrays = {'image': frame.rgb[None], 'depth': frame.depth[None]}
            given = {key: arrays[key] for key in backend.inputs}
            said[name].append(backend.run(given, backend.new_state()))
        backend.close()
    return said


@pytest.mark.parametrize('name', COMPARED)
def test_parity_with_torch(name, answers):
    for reference, found in zip(answers['torch'], answers[name]):
        assert reference['affordance'].max() > 0.5, 'a picture with nothing in it shows nothing'
        assert np.abs(reference['affordance'] - found['affordance']).max() < 1e-3
        assert (reference['labels'] == found['labels']).mean() >= 0.9999


def test_the_memory_of_a_clip_is_the_same_in_every_engine():
    model = models.find('fanet-lite0-temporal')
    frames = list(bag.frames(models.share('demo') / 'moving'))
    said = {}
    for name in COMPARED:
        predictor = Predictor(model, load(name, model))
        said[name] = [predictor.predict(frame) for frame in frames]
        assert predictor.remembered == predictor.window == 3
        predictor.reset()
        alone = predictor.predict(frames[-1])
        assert np.abs(alone.affordance - said[name][-1].affordance).max() > 1e-3
        predictor.close()
    for one, other in zip(*said.values(), strict=True):
        assert one.affordance.max() > 0.5
        assert np.abs(one.affordance - other.affordance).max() < 1e-3
        assert (one.labels == other.labels).mean() >= 0.9999
