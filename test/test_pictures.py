"""Folders of pictures: what belongs together is found by name."""

import cv2
import numpy as np
import pytest
from rganet_ros import pictures

RGB = np.random.default_rng(0).integers(0, 256, (24, 32, 3), np.uint8)
DEPTH = np.full((24, 32), 5000, np.uint16)
MATRIX = '# a comment\n600 0 15\n0 601 11\n0 0 1\n'


def put(path, content=RGB):
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, str):
        path.write_text(content)
    else:
        cv2.imwrite(str(path), content)


@pytest.mark.parametrize(
    ('colour', 'depth', 'intrinsics', 'metres'),
    [
        ('color-input/7.png', 'depth-input/7.png', 'camera-intrinsics/7.txt', 0.5),
        ('test.color.png', 'test.depth.png', 'test-camera-intrinsics.txt', 0.5),
        ('color/7.jpg', 'depth/7.png', 'cam.info.txt', 5),
        ('rgb/7.png', 'depth/7.png', 'rgb/intrinsics.txt', 5),
        ('rgb.png', 'depth.png', None, 5),
        ('rgb-7.png', 'depth-7.png', None, 5),
        ('any.bmp', None, None, None),
    ],
)
def test_layouts(tmp_path, colour, depth, intrinsics, metres):
    put(tmp_path / 'a' / colour)
    if depth:
        put(tmp_path / 'a' / depth, DEPTH)
    if intrinsics:
        put(tmp_path / 'a' / intrinsics, MATRIX)
    ((name, frame),) = pictures.folder_frames(tmp_path)
    assert name == f'a/{colour}'
    assert frame.rgb.shape == (24, 32, 3)
    if colour.endswith(('png', 'bmp')):
        assert np.array_equal(frame.rgb[..., ::-1], RGB)
    if metres is None:
        assert frame.depth is None
    else:
        np.testing.assert_allclose(frame.depth, metres, rtol=1e-6)
    assert frame.camera == ((600, 601, 15, 11, 32, 24) if intrinsics else None)


def test_each_camera_has_its_own_intrinsics(tmp_path):
    for number in '01':
        put(tmp_path / f'input-{number}.color.png')
        put(tmp_path / f'camera-{number}.intrinsics.txt', MATRIX.replace('600', f'60{number}'))
    assert [f.camera.fx for _, f in pictures.folder_frames(tmp_path)] == [600, 601]


def test_what_no_camera_took_is_no_picture(tmp_path):
    for folder in ('color-input', 'label', 'label-index', 'score', 'instance', 'color-background'):
        put(tmp_path / 'data' / folder / '7.png')
    put(tmp_path / 'data' / 'depth-true' / '7.png', DEPTH)
    assert [p.name for p in pictures.find(tmp_path)] == ['data/color-input/7.png']


def test_what_is_not_there_can_be_given(tmp_path):
    put(tmp_path / 'rgb.png')
    put(tmp_path / 'depth.png', DEPTH)
    (picture,) = pictures.find(tmp_path)
    frame = pictures.read(picture, index=3, focal=500.0, unit=1e-4)
    np.testing.assert_allclose(frame.depth, 0.5, rtol=1e-6)
    assert frame.camera == (500, 500, 15.5, 11.5, 32, 24)
    assert frame.stamp == 3 * pictures.PERIOD


def test_what_cannot_be_used_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match='no folder'):
        pictures.find(tmp_path / 'nonesuch')
    with pytest.raises(ValueError, match='no pictures in'):
        pictures.find(tmp_path)
    put(tmp_path / 'bad.png', 'no picture')
    with pytest.raises(ValueError, match=r'bad\.png is not a readable picture'):
        list(pictures.folder_frames(tmp_path))


def test_depth_of_another_size_or_kind_is_named(tmp_path):
    put(tmp_path / 'rgb.png')
    for wrong, words in ((DEPTH[:-1], 'not of the size'), (RGB, 'expected 16-bit grey')):
        put(tmp_path / 'depth.png', wrong)
        with pytest.raises(ValueError, match=words):
            list(pictures.folder_frames(tmp_path))
