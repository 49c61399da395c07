"""The shipped models: every engine says the same, and what torch says."""

import numpy as np
import pytest
from rganet_ros import bag, models
from rganet_ros.letterbox import model_inputs
from rganet_ros.predictor import Predictor
from rganet_ros.runtime import load

SHIPPED = sorted(path.stem for path in models.share('models').glob('*.onnx'))
COMPARED = ('onnxruntime', 'openvino')
FOLDED = ('rganet5-nb-rgbd', 'sanet-lite0-rgbd')  # too deep for torch to read it from the file


@pytest.fixture(scope='module')
def frames():
    """Three frames of the demonstration."""
    every = list(bag.frames(models.share('demo') / 'clutter'))
    return every[:: len(every) // 2][:3]


@pytest.mark.parametrize('name', SHIPPED)
def test_parity_of_engines(name, frames):
    model = models.find(name)
    engines = COMPARED if name in FOLDED else ('torch', *COMPARED)
    said = []
    for engine in engines:
        backend = load(engine, model)
        given = [model_inputs(f.rgb, f.depth, tuple(model.card['size']))[0] for f in frames]
        given = [{key: arrays[key] for key in backend.inputs} for arrays in given]
        said.append([backend.run(arrays, backend.new_state()) for arrays in given])
        backend.close()
    for reference, *others in zip(*said, strict=True):
        assert reference['affordance'].max() > 0.5, 'a picture with nothing in it shows nothing'
        for found in others:
            assert np.abs(reference['affordance'] - found['affordance']).max() < 1e-3
            assert (reference['labels'] == found['labels']).mean() >= 0.9999


@pytest.mark.parametrize('name', FOLDED)
def test_torch_says_which_weights_it_would_need(name):
    with pytest.raises(ValueError, match=f'needs {name}.safetensors beside'):
        load('torch', models.find(name))


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
