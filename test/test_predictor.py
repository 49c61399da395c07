"""Frames in, affordance out, and what is remembered in between."""

from collections import Counter

import numpy as np
import pytest
from rganet_ros import models
from rganet_ros.options import make
from rganet_ros.predictor import open_predictor, Predictor, PredictorOptions
from rganet_ros.runtime import load
from rganet_ros.types import Camera, Frame
import tiny

SECOND = 1_000_000_000
WHITE = np.full((*tiny.SIZE, 3), 255, np.uint8)
CAMERA = Camera(10.0, 10.0, 4.0, 3.0, 8, 6)


@pytest.fixture
def predictor(tmp_path):
    model = models.find(tiny.write(tmp_path))
    opened = Predictor(model, load('onnxruntime', model), state_gap=1.0)
    yield opened
    opened.close()


def seen(predictor, frame):
    """Ask the graph how many frames it has seen, with this one."""
    return round(float(predictor.predict(frame).affordance.max()))


def frame(stamp, rgb=WHITE, **changes):
    return Frame(rgb, None, changes.get('camera', CAMERA), stamp, changes.get('frame_id', 'eye'))


def test_frames_that_follow_each_other_are_remembered(predictor):
    stamps = [10 * SECOND + k * SECOND // 30 for k in range(5)]
    assert [seen(predictor, frame(stamp)) for stamp in stamps] == [1, 2, 3, 4, 5]
    assert predictor.resets == Counter()


@pytest.mark.parametrize(
    ('reason', 'then'),
    [
        ('gap', frame(12 * SECOND)),
        ('jump_back', frame(9 * SECOND)),
        ('camera', frame(10 * SECOND, frame_id='other')),
        ('camera', frame(10 * SECOND, camera=CAMERA._replace(fx=11.0))),
        ('size', frame(10 * SECOND, WHITE[:4])),
    ],
)
def test_what_makes_it_forget(predictor, reason, then):
    assert seen(predictor, frame(10 * SECOND)) == 1
    assert seen(predictor, then) == 1
    assert predictor.resets == Counter({reason: 1})


@pytest.mark.parametrize('then', [frame(11 * SECOND), frame(10 * SECOND), frame(9.6 * SECOND)])
def test_what_does_not(predictor, then):
    assert seen(predictor, frame(10 * SECOND)) == 1
    assert seen(predictor, then) == 2


@pytest.mark.parametrize(('limit', 'expected'), [(0.0, 2), (0.5, 1)])
def test_a_scene_cut_is_forgotten_by_choice(predictor, limit, expected):
    predictor.scene_cut = limit
    grey, dark = (np.full_like(WHITE, value) for value in (240, 40))
    predictor.predict(frame(10 * SECOND, grey))
    assert seen(predictor, frame(10 * SECOND + 1)) == 2  # nearly the same
    predictor.reset()
    predictor.predict(frame(10 * SECOND + 2, dark))
    assert seen(predictor, frame(10 * SECOND + 3)) == expected
    assert predictor.resets['cut'] == 2 - expected


def test_reset_and_warm_up_leave_nothing(predictor):
    predictor.warm_up()
    assert seen(predictor, frame(10 * SECOND)) == 1
    predictor.reset()
    assert seen(predictor, frame(10 * SECOND)) == 1
    assert predictor.resets == Counter(asked=1)


def test_no_picture_is_kept(predictor):
    import gc
    import weakref

    picture = WHITE.copy()
    kept = weakref.ref(picture)
    predictor.predict(frame(10 * SECOND, picture))
    del picture
    gc.collect()
    assert kept() is None


def test_any_size_comes_back_on_its_own_pixels(predictor):
    picture = np.zeros((120, 100, 3), np.uint8)
    picture[30:90, 20:80] = 255
    found = predictor.predict(frame(0, picture))
    assert found.affordance.shape == found.labels.shape == (120, 100)
    assert found.affordance[60, 50] == 1
    assert set(found.ms) == {'letterbox', 'infer', 'undo'}


def test_a_model_that_takes_depth_says_what_is_missing(tmp_path):
    fake = load('fake', models.Model('fake', None, '', _fake_card(depth=True)))
    predictor = Predictor(models.Model('needy', None, '', _fake_card(depth=True)), fake)
    with pytest.raises(ValueError, match=r'model needy takes depth .*fanet-lite0-rgb'):
        predictor.predict(frame(0))
    given = Frame(WHITE, np.ones(tiny.SIZE, np.float32))
    assert predictor.predict(given).affordance.max() == 1


def _fake_card(**changes):
    from rganet_ros.runtime.fake_backend import MODEL

    return MODEL.card | {'size': list(tiny.SIZE)} | changes


def test_opened_by_options():
    predictor = open_predictor(make(PredictorOptions, {'model': 'fake', 'backend': 'fake'}))
    assert predictor.model.name == 'fake'
    for options in ({'model': 'fake'}, {'backend': 'fake'}):
        with pytest.raises(ValueError, match='fake goes with fake only'):
            open_predictor(make(PredictorOptions, options))
