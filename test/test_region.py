import cv2
import numpy as np
import pytest
from rganet_ros import region
from rganet_ros.encodings import Undecodable
from rganet_ros.types import Frame


def test_what_changed_or_is_unknown_may_be_something():
    background = np.array([[0.5, 0.5, 0.5, 0.5, 0.0]], np.float32)
    depth = np.array([[0.5, 0.495, 0.48, 0.0, 0.5]], np.float32)
    found = region.changed(depth, background, 0.01)
    assert found.tolist() == [[False, False, True, True, True]]
    with pytest.raises(Undecodable, match='5 x 1') as refusal:
        region.changed(np.zeros((2, 2), np.float32), background, 0.01)
    assert refusal.value.reason == 'background'


def test_a_background_is_millimetres_of_16_bits(tmp_path):
    pixels = np.array([[0, 500], [1234, 65535]], np.uint16)
    cv2.imwrite(str(tmp_path / 'a.png'), pixels)
    np.testing.assert_allclose(region.read_background(str(tmp_path / 'a.png')), pixels / 1000)
    assert region.read_background('') is None
    cv2.imwrite(str(tmp_path / 'b.png'), pixels.astype(np.uint8))
    (tmp_path / 'c.png').write_bytes(b'no picture')
    for name in ('b.png', 'c.png'):
        with pytest.raises(ValueError, match=f'{name}.* must be a PNG'):
            region.read_background(str(tmp_path / name))


@pytest.mark.parametrize('scale', [0.5, 1, 3])
def test_a_mask_of_the_same_view_is_scaled(scale):
    mask = np.zeros((12, 16), bool)
    mask[4:8, 4:12] = True
    shape = (int(12 * scale), int(16 * scale))
    found = region.fit(mask, shape)
    assert found.shape == shape
    inside = np.zeros(shape, bool)
    inside[int(4 * scale) : int(8 * scale), int(4 * scale) : int(12 * scale)] = True
    assert (found == inside).all()


def test_a_mask_of_another_view_is_refused():
    with pytest.raises(Undecodable, match='16 x 12'):
        region.fit(np.zeros((12, 16), bool), (100, 100))


def test_all_that_limits_a_frame_holds_together():
    rgb = np.zeros((4, 4, 3), np.uint8)
    depth = np.full((4, 4), 0.5, np.float32)
    mask = np.zeros((2, 2), bool)
    mask[0] = True
    frame, colour = Frame(rgb, depth), Frame(rgb)
    assert region.Region().inside(colour) is None
    assert region.Region(mask).inside(colour).tolist() == [[True] * 4] * 2 + [[False] * 4] * 2
    empty = depth.copy()
    empty[:, 0] = 0.6
    assert region.Region(None, empty).inside(frame).tolist() == [[True, False, False, False]] * 4
    assert region.Region(mask, empty).inside(frame).sum() == 2
    with pytest.raises(Undecodable, match='needs depth'):
        region.Region(None, empty).inside(colour)


def test_a_mask_is_a_picture_of_8_bits(tmp_path):
    cv2.imwrite(str(tmp_path / 'a.png'), np.array([[0, 1, 255]], np.uint8))
    assert region.read_mask(str(tmp_path / 'a.png')).tolist() == [[False, True, True]]
    assert region.read_mask('') is None
    cv2.imwrite(str(tmp_path / 'b.png'), np.zeros((2, 2), np.uint16))
    with pytest.raises(ValueError, match='b.png.* must be a PNG'):
        region.read_mask(str(tmp_path / 'b.png'))


@pytest.mark.parametrize('read', [region.read_background, region.read_mask])
def test_a_file_that_is_not_there_is_named_as_such(read, tmp_path, capfd):
    for path in (tmp_path / 'nonesuch.png', tmp_path):
        with pytest.raises(FileNotFoundError, match=f'{path.name}.* is no file'):
            read(str(path))
    assert capfd.readouterr() == ('', '')  # OpenCV says nothing of its own
