"""One of each network as a model file of full size: engines agree, TensorRT takes it."""

import numpy as np
import pytest
from rganet_ros import bag, models, networks
from rganet_ros.runtime import load, tensorrt_builder
from rganet_ros.runtime.tensorrt_builder import Target
import small_models

SIZE = (480, 640)
DEFAULTS = [next(iter(variants)) for variants in networks.MODULES.values()]
CASES = [(name, False) for name in (*DEFAULTS, 'fanet18-temporal')] + [
    ('rganet5-nb', True), ('fanet18', True),
]  # fmt: skip


@pytest.fixture(scope='module')
def frame():
    return next(bag.frames(models.share('demo') / 'clutter'))


@pytest.fixture(scope='module', params=CASES, ids=str)
def path(request, tmp_path_factory):
    name, depth = request.param
    return small_models.write(tmp_path_factory.mktemp(name), name, SIZE, depth=depth)


def answer(backend, path, frame):
    engine = load(backend, models.find(path))
    arrays = {'image': frame.rgb[None], 'depth': frame.depth[None]}
    state, given = engine.new_state(), {name: arrays[name] for name in engine.inputs}
    out = [engine.run(given, state) for _ in range(2 if state else 1)][-1]
    engine.close()
    return out


@pytest.mark.slow
def test_promise_09_engines_answer_as_torch_does(path, frame):
    truth = answer('torch', path, frame)
    assert truth['affordance'].std() > 1e-5
    for backend in ('onnxruntime', 'openvino'):
        found = answer(backend, path, frame)
        assert np.abs(found['affordance'] - truth['affordance']).max() < 1e-3, backend
        assert (found['labels'] == truth['labels']).mean() >= 0.9999, backend


@pytest.mark.slow
def test_tensorrt_parses_and_builds(path):
    engine = tensorrt_builder.build_engine(models.find(path), Target('any', '8.6'))
    assert len(engine) > 1e6
