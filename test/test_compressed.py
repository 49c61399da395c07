"""CompressedImage, made as image_transport's plugins make it."""

import struct
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from rganet_ros import compressed, decode

RGB = cv2.GaussianBlur(np.random.default_rng(3).integers(0, 256, (48, 64, 3), np.uint8), (0, 0), 4)
MILLIMETRES = np.random.default_rng(4).integers(0, 65536, (48, 64), np.uint16)
HEADER = struct.pack('<iff', 0, 0, 0)


def file(kind, pixels):
    return cv2.imencode(kind, pixels)[1].tobytes()


def message(kind, data):
    return SimpleNamespace(format=kind, data=np.frombuffer(data, np.uint8))


PNG = file('.png', RGB[..., ::-1])
JPEG = file('.jpg', RGB[..., ::-1])


@pytest.mark.parametrize('kind', ['rgb8; png compressed bgr8', 'bgr8; png compressed bgr8', 'png'])
def test_png_comes_back_as_it_was(kind):
    assert np.array_equal(decode.rgb(message(kind, PNG)), RGB)


@pytest.mark.parametrize('kind', ['rgb8; jpeg compressed bgr8', 'jpeg', 'jpg', ''])
def test_jpeg_comes_back_nearly_so(kind):
    found = decode.rgb(message(kind, JPEG))
    assert np.abs(found.astype(int) - RGB).mean() < 2
    # Some cameras fill the last packet up.
    assert np.array_equal(decode.rgb(message(kind, JPEG + bytes(100))), found)


def test_other_depths_and_channels():
    grey = message('mono8; png compressed ', file('.png', RGB[..., 0]))
    assert np.array_equal(decode.rgb(grey), np.dstack([RGB[..., 0]] * 3))
    wide = message('mono16; png compressed ', file('.png', RGB[..., 0].astype(np.uint16) * 257))
    assert np.array_equal(decode.rgb(wide), decode.rgb(grey))
    wide = message('rgb16; png compressed bgr16', file('.png', RGB[..., ::-1] * np.uint16(257)))
    assert np.array_equal(decode.rgb(wide), RGB)
    clear = message('rgba8; png compressed', file('.png', cv2.cvtColor(RGB, cv2.COLOR_RGB2BGRA)))
    assert np.array_equal(decode.rgb(clear), RGB)


def test_a_mosaic_in_a_file_is_interpolated():
    mosaic = RGB[..., 0].copy()
    mosaic[::2, ::2], mosaic[1::2, 1::2] = 200, 10
    mosaic[::2, 1::2] = mosaic[1::2, ::2] = 90
    found = decode.rgb(message('bayer_rggb8; png compressed ', file('.png', mosaic)))
    assert (found == (200, 90, 10)).all()


@pytest.mark.parametrize('kind', ['16UC1; compressedDepth', '16UC1; compressedDepth png'])
def test_millimetres_come_back_exactly(kind):
    found = decode.depth(message(kind, HEADER + file('.png', MILLIMETRES)))
    np.testing.assert_array_equal(found, MILLIMETRES * np.float32(0.001))
    found = decode.depth(message('16UC1; png compressed ', file('.png', MILLIMETRES)))
    np.testing.assert_array_equal(found, MILLIMETRES * np.float32(0.001))


def test_metres_come_back_within_their_quantum():
    # As compressed_depth_image_transport writes them: depth_quantization 100, depth_max 10.
    metres = np.random.default_rng(5).uniform(0.3, 9.9, (48, 64)).astype(np.float32)
    metres[:5] = np.nan
    a = 100.0 * 101.0
    b = 1 - a / 10.0
    inverse = np.nan_to_num(a / metres + b).astype(np.uint16)
    data = struct.pack('<iff', 0, a, b) + file('.png', inverse)
    found = decode.depth(message('32FC1; compressedDepth png', data))
    assert (found[:5] == 0).all()
    quantum = metres[5:] ** 2 / a
    assert (np.abs(found - metres)[5:] <= 1.01 * quantum + 1e-5).all()


HUGE = PNG[:16] + struct.pack('>II', 60000, 60000) + PNG[24:]


@pytest.mark.parametrize(
    ('reason', 'data'),
    [
        ('encoding', b''),
        ('encoding', b'GIF89a' + bytes(50)),
        ('length', PNG[:-20]),
        ('length', PNG[:20]),
        ('length', JPEG[: len(JPEG) // 2]),
        ('length', JPEG[:30] + JPEG[-2:]),
        ('size', HUGE),
        ('size', PNG[:16] + bytes(8) + PNG[24:]),
        ('damaged', PNG[:33] + bytes(len(PNG) - 45) + PNG[-12:]),
    ],
)
def test_what_is_no_picture_is_refused_with_a_reason(reason, data):
    with pytest.raises(decode.Undecodable) as refusal:
        decode.rgb(message('png', data))
    assert refusal.value.reason == reason


@pytest.mark.parametrize(
    ('kind', 'data'),
    [
        ('16UC1; compressedDepth rvl', HEADER + bytes(100)),
        ('16UC1; jpeg compressed', JPEG),
        ('16UC1; compressedDepth png', HEADER + PNG),
        ('16UC1; compressedDepth png', b''),
        ('32FC1; compressedDepth png', HEADER),
        ('32FC1; png compressed', file('.png', MILLIMETRES)),
        ('png', file('.png', MILLIMETRES)),
    ],
)
def test_what_is_no_depth_is_refused(kind, data):
    with pytest.raises(decode.Undecodable) as refusal:
        compressed.depth(message(kind, data))
    assert refusal.value.reason == 'encoding'


def test_random_damage_is_refused_or_read_and_nothing_else():
    rng = np.random.default_rng(6)
    for original in (PNG, JPEG, HEADER + file('.png', MILLIMETRES)):
        for _ in range(60):
            data = np.frombuffer(original, np.uint8).copy()
            data[rng.integers(0, len(data), 9)] = rng.integers(0, 256, 9)
            for read in (decode.rgb, decode.depth):
                try:
                    found = read(message('16UC1; compressedDepth png', data.tobytes()))
                except decode.Undecodable:
                    continue
                assert np.isfinite(found).all()
