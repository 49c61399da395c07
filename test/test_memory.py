"""FANet's memory of past frames, in every engine and over many frames."""

from dataclasses import replace

import numpy as np
import pytest
from rganet_ros import models
from rganet_ros.predictor import Predictor
from rganet_ros.runtime import load
from rganet_ros.types import Frame
import small_models

SECOND = 1_000_000_000
WINDOW = 4
BACKENDS = ('onnxruntime', 'openvino', 'torch')


@pytest.fixture(scope='module')
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp('memory')
    return models.find(small_models.write(folder, 'fanet18-temporal', frames=WINDOW))


@pytest.fixture(scope='module')
def clip():
    """Sixteen frames of a texture that drifts, at 30 Hz."""
    rng = np.random.default_rng(3)
    wide = rng.integers(0, 256, (*small_models.SIZE, 3), np.uint8)
    return [
        Frame(np.roll(wide, 5 * k, 1), None, None, 100 * SECOND + k * SECOND // 30, 'eye')
        for k in range(16)
    ]


def maps(predictor, frames):
    return [predictor.predict(frame).affordance for frame in frames]


@pytest.fixture(scope='module')
def truth(model, clip):
    return maps(Predictor(model, load('torch', model)), clip)


@pytest.mark.parametrize('backend', BACKENDS[:2])
def test_engines_remember_as_torch_does(backend, model, clip, truth):
    predictor = Predictor(model, load(backend, model))
    for found, expected in zip(maps(predictor, clip), truth, strict=True):
        assert np.abs(found - expected).max() < 1e-3
    assert predictor.remembered == predictor.window == WINDOW - 1
    predictor.reset()
    forgetful = predictor.predict(clip[-1]).affordance
    assert np.abs(forgetful - truth[-1]).max() > 1e-3
    assert predictor.remembered == 1


@pytest.mark.parametrize('backend', BACKENDS)
def test_only_the_window_is_remembered(backend, model, clip):
    predictor = Predictor(model, load(backend, model))
    whole = maps(predictor, clip)[-1]
    predictor.reset()
    assert np.abs(maps(predictor, clip[-WINDOW:])[-1] - whole).max() < 1e-5


@pytest.mark.parametrize('backend', BACKENDS)
def test_two_cameras_on_one_engine_never_mix(backend, model, clip):
    engine = load(backend, model)
    ahead, back = Predictor(model, engine), Predictor(model, engine)
    turned = [replace(frame, rgb=frame.rgb[:, ::-1].copy()) for frame in clip]
    mixed = [(ahead.predict(a).affordance, back.predict(b).affordance)
             for a, b in zip(clip, turned)]  # fmt: skip
    for alone, side in ((clip, 0), (turned, 1)):
        expected = maps(Predictor(model, engine), alone)
        for found, one in zip(mixed, expected, strict=True):
            assert np.abs(found[side] - one).max() < 1e-5


@pytest.mark.parametrize('backend', BACKENDS)
def test_a_dropped_frame_is_only_not_there(backend, model, clip):
    """What comes after is what a camera would give that never took it."""
    predictor, kept = Predictor(model, load(backend, model)), [*clip[:5], *clip[6:]]
    found = maps(predictor, kept)[-1]
    assert np.isfinite(found).all() and predictor.resets == {}
    again = Predictor(model, load(backend, model))
    assert np.abs(maps(again, kept[-WINDOW:])[-1] - found).max() < 1e-5
