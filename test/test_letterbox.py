"""Pictures of any size into a model's, and back."""

import numpy as np
import pytest
from rganet_ros.letterbox import letterbox, place, undo

SIZE = (48, 64)


def test_the_models_own_size_is_not_touched():
    picture = np.arange(48 * 64 * 3, dtype=np.uint8).reshape(48, 64, 3)
    boxed, spot = letterbox(picture, SIZE)
    assert boxed is picture
    answer = np.random.default_rng(0).random(SIZE, np.float32)
    assert np.shares_memory(undo(answer, spot), answer)
    assert np.array_equal(undo(answer, spot), answer)


@pytest.mark.parametrize(
    'shape', [(480, 640), (720, 1280), (100, 30), (30, 100), (48, 63), (1, 9)]
)
def test_shape_is_kept_and_the_answer_comes_back_on_the_pictures_pixels(shape):
    boxed, spot = letterbox(np.full((*shape, 3), 200, np.uint8), SIZE)
    assert boxed.shape == (*SIZE, 3)
    inner = boxed[
        spot.top : spot.top + spot.inner_height, spot.left : spot.left + spot.inner_width
    ]
    assert (inner == 200).all()
    assert (boxed == 200).all(axis=2).sum() == spot.inner_height * spot.inner_width
    assert spot.inner_height == SIZE[0] or spot.inner_width == SIZE[1]
    assert undo(np.ones(SIZE, np.float32), spot).shape == shape


def test_what_the_model_says_of_the_border_is_cut_off():
    spot = place((100, 30), SIZE)
    answer = np.ones(SIZE, np.float32)
    answer[:, spot.left : spot.left + spot.inner_width] = 0
    assert undo(answer, spot).max() == 0


def test_a_point_comes_back_where_it_was():
    picture = np.zeros((720, 1280, 3), np.uint8)
    picture[300:340, 900:940] = 255
    boxed, spot = letterbox(picture, (480, 640))
    rows, columns = np.nonzero(undo(boxed[..., 0].astype(np.float32), spot) > 127)
    assert rows.mean() == pytest.approx(319.5, abs=1)
    assert columns.mean() == pytest.approx(919.5, abs=1)


def test_depth_is_taken_not_averaged():
    depth = np.full((96, 128), 0.5, np.float32)
    depth[::3] = 0
    depth[:, 64:] *= 2
    boxed, _ = letterbox(depth, SIZE, nearest=True)
    assert set(np.unique(boxed)) <= {np.float32(0), np.float32(0.5), np.float32(1)}
