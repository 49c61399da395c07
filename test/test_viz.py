import cv2
import numpy as np
from PIL import Image
import pytest
from rganet_ros import viz
from rganet_ros.types import Candidate, Detection

NAN = float('nan')


def detection(affordance, *candidates):
    return Detection(affordance, np.zeros(affordance.shape, np.uint8), candidates)


def candidate(u, v, normal=(NAN, NAN, NAN)):
    return Candidate(NAN, NAN, NAN, *normal, 0.5, 0.5, NAN, NAN, NAN, u, v)


def changed(a, b):
    return (a != b).any(axis=2)


def test_the_colour_map_gets_lighter_with_affordance_and_nan_is_zero():
    ramp = np.linspace(0, 1, 256, dtype=np.float32)[None]
    colours = viz.colormap(ramp)
    assert colours.shape == (1, 256, 3)
    assert colours.dtype == np.uint8
    light = colours[0] @ (0.2126, 0.7152, 0.0722)
    assert (np.diff(light) > -1).all()
    assert light[0] < 40
    assert light[-1] > 200
    beyond = viz.colormap(np.array([[NAN, -1, 0, 1, 2]], np.float32))[0]
    assert (beyond[:3] == colours[0, 0]).all()
    assert (beyond[3:] == colours[0, -1]).all()


def test_promise_29_only_affordance_is_tinted_and_the_picture_stays_visible():
    random = np.random.default_rng(0)
    rgb = random.integers(0, 256, (120, 160, 3), np.uint8)
    affordance = np.zeros((120, 160), np.float32)
    affordance[:, 40:80], affordance[:, 80:120], affordance[:, 120:] = 0.15, 0.6, 1
    before = rgb.copy()
    picture = viz.overlay(rgb, detection(affordance, candidate(20.0, 100.0)))
    np.testing.assert_array_equal(rgb, before)
    assert picture.dtype == np.uint8
    assert not changed(picture, rgb)[:80, :80].any()
    step = np.abs(picture.astype(int) - rgb).mean(axis=(0, 2))
    assert 0 < step[80:120].mean() < step[120:].mean()
    for channel in range(3):
        seen, real = picture[:, 130:, channel].ravel(), rgb[:, 130:, channel].ravel()
        assert np.corrcoef(seen, real)[0, 1] > 0.95


@pytest.mark.parametrize('shape', [(480, 640), (120, 160), (1080, 1920)])
def test_candidates_are_at_their_pixels_and_the_best_is_orange_and_larger(shape):
    rgb = np.full((*shape, 3), 90, np.uint8)
    empty = np.zeros(shape, np.float32)
    first, second = ((shape[1] * x, shape[0] * 0.5) for x in (0.25, 0.75))
    picture = viz.overlay(rgb, detection(empty, candidate(*first), candidate(*second)))
    marks = []
    for u, v in (first, second):
        left = int(u - shape[1] / 4)
        rows, columns = np.nonzero(changed(picture, rgb)[:, left : left + shape[1] // 2])
        assert abs(columns.mean() + left - u) < 2
        size, radius = max(shape[0] / 480, 0.5), 9 if marks else 13
        assert abs(v - rows.min() - radius * size) <= 3 * size  # below it stands the score
        marks.append(len(rows))
    assert marks[0] > 1.5 * marks[1] > 0
    orange = (picture == viz.ORANGE).all(axis=2)
    assert orange[:, : shape[1] // 2].any()
    assert not orange[:, shape[1] // 2 :].any()
    assert marks[1] < shape[0] * shape[1] / 40


def test_the_score_stands_below_the_disc():
    rgb = np.full((480, 640, 3), 90, np.uint8)
    empty = np.zeros((480, 640), np.float32)
    places = candidate(320.0, 240.0), candidate(320.0, 240.0)._replace(score=0.25)
    low, high = (viz.overlay(rgb, detection(empty, each)) for each in places)
    rows, columns = np.nonzero(changed(low, high))
    assert rows.min() > 253 and rows.max() < 275
    assert abs(columns.mean() - 320) < 20


def test_labels_are_outlined_in_colours_of_their_own():
    rgb = np.full((120, 160, 3), 90, np.uint8)
    labels = np.zeros((120, 160), np.uint8)
    labels[40:100, 20:70], labels[40:100, 90:140] = 1, 2
    empty = np.zeros((120, 160), np.float32)
    picture = viz.overlay(rgb, Detection(empty, labels, (candidate(80.0, 15.0),)))
    for label, colour in viz.OUTLINES.items():
        rows, columns = np.nonzero((picture == colour).all(axis=2))
        assert len(rows) and (labels[rows, columns] == label).all()
        inside = labels[rows - 1, columns - 1] + labels[rows + 1, columns + 1]
        assert (inside < 2 * label).all()  # the border only


# Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB.
BLIND = {
    'protan': ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216),
               (-0.003882, -0.048116, 1.051998)),
    'deutan': ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413),
               (-0.011820, 0.042940, 0.968881)),
    'tritan': ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602),
               (0.004733, 0.691367, 0.303900)),
}  # fmt: skip


@pytest.mark.parametrize('kind', BLIND)
def test_colour_blind_people_can_tell_the_colours_apart(kind):
    colours = np.array([*viz.OUTLINES.values(), viz.ORANGE], np.float32) / 255
    linear = np.where(colours > 0.04045, ((colours + 0.055) / 1.055) ** 2.4, colours / 12.92)
    seen = np.clip(linear @ np.array(BLIND[kind]).T, 0, 1).astype(np.float32)
    lab = cv2.cvtColor(seen[None], cv2.COLOR_LRGB2Lab)[0]
    apart = [np.linalg.norm(lab[i] - lab[j]) for i, j in ((0, 1), (0, 2), (1, 2))]
    assert min(apart) > 15, apart  # 2 is just noticeable


def test_the_spoke_leans_as_the_normal_does():
    rgb = np.full((480, 640, 3), 90, np.uint8)
    empty = np.zeros((480, 640), np.float32)
    upright, leaning = (
        changed(viz.overlay(rgb, detection(empty, candidate(320.0, 240.0, normal))), rgb)
        for normal in ((0.0, 0.0, -1.0), (0.8, 0.0, -0.6))
    )
    rows, columns = np.nonzero(leaning & ~upright)
    assert columns.min() > 330
    assert abs(rows.mean() - 240) < 1


def test_a_picture_without_candidates_says_so():
    rgb = np.full((480, 640, 3), 90, np.uint8)
    empty = np.zeros((480, 640), np.float32)
    label = changed(viz.overlay(rgb, detection(empty)), rgb)
    assert label[:40, :160].mean() > 0.5
    assert not label[60:].any()
    assert not changed(viz.overlay(rgb, detection(empty, candidate(320.0, 240.0))), rgb)[:60].any()


def test_candidates_at_the_border_are_drawn_as_far_as_they_are_seen():
    rgb = np.zeros((60, 80, 3), np.uint8)
    corners = [candidate(u, v) for u in (0.0, 79.0) for v in (0.0, 59.0)]
    picture = viz.overlay(rgb, detection(np.zeros((60, 80), np.float32), *corners))
    assert picture.shape == rgb.shape
    assert changed(picture, rgb)[[0, 0, -1, -1], [0, -1, 0, -1]].all()


def test_a_sheet_holds_every_picture_whole():
    pictures = [np.full((60, 80, 3), value, np.uint8) for value in (10, 60, 110, 160)]
    pictures.append(np.full((60, 40, 3), 210, np.uint8))
    page = viz.sheet(pictures, 3)
    for value in (10, 60, 110, 160):
        assert (page == value).all(axis=2).sum() == 60 * 80
    assert (page == 210).all(axis=2).sum() == 60 * 40
    assert page.shape[1] > 3 * 80
    assert page.shape[0] < 3 * 60
    captioned = viz.sheet(pictures, 3, ['one', 'two', 'three', 'four', 'a very long caption ' * 9])
    assert captioned.shape[0] > page.shape[0]
    for value in (10, 60, 110, 160):
        assert (captioned == value).all(axis=2).sum() >= 60 * 80
    assert viz.sheet(pictures[:1], 5).shape[1] < 100


@pytest.mark.parametrize(
    ('count', 'columns', 'captions'), [(0, 2, None), (2, 0, None), (2, 2, ['a'])]
)
def test_a_sheet_that_cannot_be_is_refused(count, columns, captions):
    with pytest.raises(ValueError):
        viz.sheet([np.zeros((6, 8, 3), np.uint8)] * count, columns, captions)


def test_a_gif_holds_the_pictures_in_order_and_repeats(tmp_path):
    ramp = np.tile(np.arange(80, dtype=np.uint8) * 3, (60, 1))
    pictures = [np.dstack([ramp, np.roll(ramp, 20 * k), ramp * 0 + 40 * k]) for k in range(4)]
    viz.write_gif(tmp_path / 'a.gif', pictures, 0.25)
    assert [path.name for path in tmp_path.iterdir()] == ['a.gif']
    with Image.open(tmp_path / 'a.gif') as gif:
        assert gif.n_frames == 4
        assert gif.info['loop'] == 0
        for number, picture in enumerate(pictures):
            gif.seek(number)
            assert gif.info['duration'] == 250
            read = np.asarray(gif.convert('RGB')).astype(int)
            assert np.abs(read - picture).mean() < 6


def test_a_gif_that_fails_leaves_the_old_one(tmp_path):
    path = tmp_path / 'a.gif'
    path.write_bytes(b'old')
    for pictures in ([], [np.zeros((6, 8, 3), np.uint8), np.zeros((6, 9, 3), np.uint8)]):
        with pytest.raises(ValueError, match='one size'):
            viz.write_gif(path, pictures, 0.1)
    assert path.read_bytes() == b'old'
