"""Rectification against known geometry: what a lens of known distortion makes of a known scene."""

from types import SimpleNamespace

import numpy as np
import pytest
from rganet_ros import decode, rectify
from rganet_ros.decode import Undecodable
from rganet_ros.geometry import points

HEIGHT, WIDTH = 120, 160
K = (140.0, 0, 81.0, 0, 150.0, 58.0, 0, 0, 1)
P = (120.0, 0, 79.0, 0, 0, 125.0, 60.0, 0, 0, 0, 1, 0)


def polynomial(x, y, d):
    """Distort normalised places by the formula of plumb_bob and rational_polynomial."""
    k1, k2, p1, p2, k3, k4, k5, k6 = [*d, *[0] * (8 - len(d))]
    r2 = x * x + y * y
    radial = (1 + k1 * r2 + k2 * r2**2 + k3 * r2**3) / (1 + k4 * r2 + k5 * r2**2 + k6 * r2**3)
    return (x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x),
            y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y)  # fmt: skip


def equidistant(x, y, d):
    r = np.hypot(x, y)
    angle = np.arctan(r)
    bent = angle * (1 + sum(k * angle ** (2 * (i + 1)) for i, k in enumerate(d)))
    scale = np.where(r > 1e-9, bent / np.maximum(r, 1e-9), 1)
    return x * scale, y * scale


LENSES = {
    'none': ('plumb_bob', (), polynomial),
    'plumb_bob': ('plumb_bob', (-0.25, 0.06, 0.002, -0.003, 0.0), polynomial),
    'rational': (
        'rational_polynomial',
        (0.3, 0.1, 0.001, 0.002, 0.02, 0.45, 0.1, 0.01),
        polynomial,
    ),
    'equidistant': ('equidistant', (0.02, -0.01, 0.002, 0.0), equidistant),
}


def turned(angle):
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])


def info(name, r=None, **changes):
    model, d, _ = LENSES[name]
    given = {
        'k': K, 'd': d, 'r': np.eye(3).ravel() if r is None else r.ravel(), 'p': P,
        'distortion_model': model, 'width': WIDTH, 'height': HEIGHT, 'binning_x': 0,
        'binning_y': 0, 'header': SimpleNamespace(frame_id='eye'),
        'roi': SimpleNamespace(x_offset=0, y_offset=0, width=0, height=0, do_rectify=False),
    }  # fmt: skip
    return SimpleNamespace(**(given | changes))


def rays(name):
    """Find the direction that each raw pixel of the whole sensor looks in, by iteration."""
    _, d, distort = LENSES[name]
    v, u = np.mgrid[:HEIGHT, :WIDTH].astype(float)
    bent_x, bent_y = (u - K[2]) / K[0], (v - K[5]) / K[4]
    x, y = bent_x.copy(), bent_y.copy()
    for _ in range(200):
        now = distort(x, y, d)
        x, y = x - (now[0] - bent_x) * 0.7, y - (now[1] - bent_y) * 0.7
    assert np.abs(distort(x, y, d)[0] - bent_x).max() < 1e-9
    return x, y


def grid(x, y):
    """Draw a smooth grid over directions: (H, W, 3) uint8."""
    wave = 127 + 60 * np.sin(25 * x) + 60 * np.cos(25 * y)
    return np.repeat(np.rint(wave)[..., None], 3, axis=2).astype(np.uint8)


def seen(camera, r=None):
    """Give the directions of the rectified pixels, in the raw camera's frame."""
    v, u = np.mgrid[: camera.height, : camera.width].astype(float)
    new = np.stack(
        [(u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy, np.ones(u.shape)], -1
    )
    old = new @ (np.eye(3) if r is None else r)  # r leads from raw to rectified
    return old[..., 0] / old[..., 2], old[..., 1] / old[..., 2]


@pytest.mark.parametrize('angle', [0, 0.05])
@pytest.mark.parametrize('name', LENSES)
def test_a_grid_becomes_what_a_pinhole_would_see(name, angle):
    r = turned(angle)
    raw, given = grid(*rays(name)), info(name, r)
    found = rectify.rectified(raw, given)
    known = rectify.rectified(np.full_like(raw, 255), given)[..., 0] == 255
    assert known.mean() > 0.6
    right = grid(*seen(rectify.camera(given), r)).astype(int)
    assert np.percentile(np.abs(found - right)[known], 99.9) <= 4
    assert np.percentile(np.abs(raw - right)[known], 90) > 40  # and raw it would not


@pytest.mark.parametrize('angle', [0, 0.05])
@pytest.mark.parametrize('name', LENSES)
def test_depth_stays_on_its_plane(name, angle):
    """The plane z = 0.5 + 0.2 x of the raw camera, whichever way the rectified one looks."""
    x, _ = rays(name)
    depth = (0.5 / (1 - 0.2 * x)).astype(np.float32)
    depth[40:44, 60:64] = 0
    r = turned(angle)
    given = info(name, r)
    found = rectify.rectified(depth, given, is_depth=True)
    assert found.dtype == np.float32 and (found[20:80, 30:100] == 0).any()
    place = points(found, rectify.camera(given))
    place = place[np.isfinite(place[..., 2])] @ r
    off = np.abs(place[:, 2] - 0.5 - 0.2 * place[:, 0])
    assert np.percentile(off, 99) < 0.003 and len(place) > 0.7 * depth.size


def test_a_part_of_the_sensor_and_binned_pixels():
    whole = grid(*rays('plumb_bob'))
    roi = SimpleNamespace(x_offset=20, y_offset=10, width=120, height=100, do_rectify=True)
    given = info('plumb_bob', roi=roi, binning_x=2, binning_y=1)
    raw = np.ascontiguousarray(whole[10:110, 20:140:2])
    camera = rectify.camera(given)
    assert (camera.width, camera.height) == (60, 100)
    found = rectify.rectified(raw, given)
    known = rectify.rectified(np.full_like(raw, 255), given)[..., 0] == 255
    wrong = np.abs(found - grid(*seen(camera)).astype(int))[known]
    assert np.percentile(wrong, 99) <= 12  # every other column is gone


def test_the_maps_are_made_once():
    given, raw = info('rational'), np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    rectify._maps.cache_clear()
    for _ in range(3):
        rectify.rectified(raw, given)
    assert rectify._maps.cache_info()[:2] == (2, 1)


@pytest.mark.parametrize(
    ('changes', 'reason', 'words'),
    [
        ({'k': (0,) * 9, 'p': (0,) * 12}, 'rectify', 'no calibration'),
        ({'distortion_model': 'fov'}, 'rectify', "'fov' with 5 coefficients is not known"),
        ({'d': (1.0, 2.0)}, 'rectify', 'with 2 coefficients'),
        ({'width': WIDTH - 1}, 'camera_info', f'is for {WIDTH - 1} x {HEIGHT} pixels'),
    ],
)
def test_a_lens_that_is_not_known_is_refused(changes, reason, words):
    with pytest.raises(Undecodable, match=words) as refusal:
        rectify.rectified(np.zeros((HEIGHT, WIDTH, 3), np.uint8), info('plumb_bob', **changes))
    assert refusal.value.reason == reason


def message(pixels, encoding):
    rows = np.ascontiguousarray(pixels).view(np.uint8).reshape(len(pixels), -1)
    header = SimpleNamespace(stamp=SimpleNamespace(sec=3, nanosec=5), frame_id='eye')
    return SimpleNamespace(
        header=header, height=len(pixels), width=pixels.shape[1], encoding=encoding,
        is_bigendian=0, step=rows.shape[1], data=rows.ravel(),
    )  # fmt: skip


@pytest.mark.parametrize('own', [False, True])
def test_a_frame_of_raw_pictures(own):
    """Depth on colour's raw pixels, or with a camera_info of its own: the same lens here."""
    x, y = rays('plumb_bob')
    depth = np.rint(500 / (1 - 0.2 * x)).astype(np.uint16)
    given = info('plumb_bob')
    images = message(grid(x, y), 'rgb8'), message(depth, '16UC1')
    frame = decode.frame(*images, given, given if own else None, rectify=True)
    assert frame.camera == rectify.camera(given) and frame.frame_id == 'eye'
    assert np.array_equal(frame.rgb, rectify.rectified(grid(x, y), given))
    place = points(frame.depth, frame.camera)
    off = np.abs(place[..., 2] - 0.5 - 0.2 * place[..., 0])
    assert np.nanpercentile(off, 99) < 0.004
    raw = decode.frame(*images, given)
    assert np.array_equal(raw.rgb, grid(x, y))
    with pytest.raises(Undecodable, match='no camera_info came'):
        decode.frame(*images, rectify=True)
