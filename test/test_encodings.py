"""Encodings with more than a byte, or less than a colour, for a pixel: against slow references."""

from types import SimpleNamespace

import numpy as np
import pytest
from rganet_ros import decode

HEIGHT, WIDTH = 10, 12
BAYER = {'rggb': 'rggb', 'bggr': 'bggr', 'gbrg': 'gbrg', 'grbg': 'grbg'}


def message(encoding, rows, height=HEIGHT, padding=0, big=0):
    """Make an Image of rows of bytes."""
    padded = np.pad(rows, ((0, 0), (0, padding)), constant_values=77)
    return SimpleNamespace(
        height=height, width=WIDTH, encoding=encoding, is_bigendian=big, step=padded.shape[1],
        data=padded.ravel(),
    )  # fmt: skip


def random(shape, low=0, high=256, dtype=np.uint8):
    return np.random.default_rng(2).integers(low, high, shape, dtype)


def bt601(y, u, v):
    """Convert a pixel of studio range, as ITU-R BT.601 says."""
    y, u, v = 255 / 219 * (y - 16.0), u - 128.0, v - 128.0
    rgb = (y + 1.596 * v, y - 0.391 * u - 0.813 * v, y + 2.018 * u)
    return np.clip(rgb, 0, 255)


@pytest.mark.parametrize('padding', [0, 6])
@pytest.mark.parametrize(
    ('encoding', 'order'),
    [('yuv422', 'uyvy'), ('uyvy', 'uyvy'), ('yuv422_yuy2', 'yuyv'), ('yuyv', 'yuyv')],
)
def test_yuv422(encoding, order, padding):
    rows = random((HEIGHT, WIDTH * 2), 16, 236)
    found = decode.rgb(message(encoding, rows, padding=padding))
    luma, u, v = order.index('y'), order.index('u'), order.index('v')
    for row in range(HEIGHT):
        for column in range(WIDTH):
            four = rows[row, column // 2 * 4 :][:4]
            expected = bt601(four[luma + column % 2 * 2], four[u], four[v])
            assert np.abs(found[row, column] - expected).max() <= 2


@pytest.mark.parametrize('padding', [0, 4])
@pytest.mark.parametrize(('encoding', 'u', 'v'), [('nv12', 0, 1), ('nv21', 1, 0)])
def test_colour_below_the_picture(encoding, u, v, padding):
    rows = random((HEIGHT * 3 // 2, WIDTH), 16, 236)
    found = decode.rgb(message(encoding, rows, padding=padding))
    assert found.shape == (HEIGHT, WIDTH, 3)
    for row in range(HEIGHT):
        for column in range(WIDTH):
            two = rows[HEIGHT + row // 2, column // 2 * 2 :][:2]
            expected = bt601(rows[row, column], two[u], two[v])
            assert np.abs(found[row, column] - expected).max() <= 2


@pytest.mark.parametrize('big', [0, 1])
@pytest.mark.parametrize('padding', [0, 2, 3])
def test_mono16_is_scaled_to_bytes(big, padding):
    values = random((HEIGHT, WIDTH), 0, 65536, np.uint16)
    values[0, :2] = 0, 65535
    rows = values.astype('><'[not big] + 'u2').view(np.uint8)
    found = decode.rgb(message('mono16', rows, padding=padding, big=big))
    for channel in range(3):
        assert np.abs(found[..., channel] - values * (255 / 65535)).max() <= 0.5001


def interpolated(mosaic, pattern):
    """Give each pixel of each colour the mean of its nearest samples, one pixel at a time."""
    found = np.full((HEIGHT, WIDTH, 3), np.nan)
    for row in range(1, HEIGHT - 1):
        for column in range(1, WIDTH - 1):
            near = {'r': [], 'g': [], 'b': []}
            own = pattern[row % 2 * 2 + column % 2]
            for y in (-1, 0, 1):
                for x in (-1, 0, 1):
                    colour = pattern[(row + y) % 2 * 2 + (column + x) % 2]
                    if colour != own or (x, y) == (0, 0):
                        near[colour].append(float(mosaic[row + y, column + x]))
            found[row, column] = [np.mean(near[colour]) for colour in 'rgb']
    return found


@pytest.mark.parametrize('padding', [0, 6])
@pytest.mark.parametrize(('bits', 'dtype', 'unit'), [(8, 'u1', 1), (16, '<u2', 255 / 65535)])
@pytest.mark.parametrize('pattern', BAYER)
def test_bayer(pattern, bits, dtype, unit, padding):
    mosaic = random((HEIGHT, WIDTH), 0, 2**bits, np.uint32).astype(dtype)
    rows = mosaic.view(np.uint8).reshape(HEIGHT, -1)
    found = decode.rgb(message(f'bayer_{pattern}{bits}', rows, padding=padding))
    expected = interpolated(mosaic, pattern) * unit
    assert np.abs(found - expected)[1:-1, 1:-1].max() <= 1
    assert found.shape == (HEIGHT, WIDTH, 3)


def test_what_lies_below_is_counted_too():
    rows = random((HEIGHT, WIDTH))
    with pytest.raises(decode.Undecodable) as refusal:
        decode.rgb(message('nv12', rows))
    assert refusal.value.reason == 'length'
