"""The layout of Zeng et al., written and read."""

import json
import os

import cv2
import numpy as np
import pytest
from rganet_ros import dataset
from rganet_ros.dataset import read_intrinsics, write_sample, Zeng
from rganet_ros.types import Camera

CAMERA = Camera(600.0, 601.0, 15.5, 11.5, 32, 24)
RNG = np.random.default_rng(0)
RGB = RNG.integers(0, 256, (24, 32, 3), np.uint8)
DEPTH = RNG.integers(0, 12000, (24, 32)).astype(np.float32) * 1e-4
LABEL = RNG.integers(0, 3, (24, 32)).astype(np.uint8)


@pytest.fixture
def root(tmp_path):
    write_sample(tmp_path, '000000-0', rgb=RGB, depth=DEPTH, label=LABEL, camera=CAMERA)
    (tmp_path / 'data' / 'test-split.txt').write_text('000000-0\n')
    return tmp_path


@pytest.mark.parametrize(
    ('card', 'background'), [({'unlabelled': 'background'}, 0), ({'unlabelled': 'ignore'}, 255)]
)
def test_what_is_written_is_read(root, card, background):
    (root / 'card.json').write_text(json.dumps(card))
    data = Zeng(root, 'test')
    rgb, depth, label = data[0]
    assert (len(data), data.names) == (1, ['000000-0'])
    assert np.array_equal(rgb, RGB)
    np.testing.assert_allclose(depth, DEPTH, atol=5e-5)
    assert depth.dtype == np.float32
    assert np.array_equal(label, np.where(LABEL == 0, background, LABEL))
    assert data.camera(0) == CAMERA
    assert {type(value) for value in data.camera(0)} == {float, int}


def test_frames_follow_each_other_where_the_card_says_so(tmp_path):
    names = [f'000007-{k}' for k in (0, 1, 10, 2, 3, 4, 5, 6, 8, 9)] + ['000008-0']
    (tmp_path / 'data').mkdir()
    (tmp_path / 'data' / 'train-split.txt').write_text('\n'.join(names))
    assert Zeng(tmp_path, 'train').clips == [[index] for index in range(11)]
    card = {'splits': {'train': {'recipe': {'motion': True}}}}
    (tmp_path / 'card.json').write_text(json.dumps(card))
    assert Zeng(tmp_path, 'train').clips == [[0, 1, 3, 4, 5, 6, 7], [8, 9, 2], [10]]


def test_kittis_picture_keeps_a_64th_of_a_pixel(tmp_path):
    flow = RNG.uniform(-90, 90, (24, 32, 2)).astype(np.float32)
    seen = RNG.random((24, 32)) > 0.3
    extra = {'flow': dataset.flow_picture(flow, seen)}
    write_sample(
        tmp_path, '000000-1', rgb=RGB, depth=DEPTH, label=LABEL, camera=CAMERA, extra=extra
    )
    (tmp_path / 'data' / 'test-split.txt').write_text('000000-1\n')
    found, again = Zeng(tmp_path, 'test').flow(0)
    assert found.dtype == np.float32 and np.array_equal(again, seen)
    assert np.abs(found - flow)[seen].max() <= 0.51 / 64 and not found[~seen].any()
    with pytest.raises(ValueError, match='is no picture of flow'):
        dataset.read_flow(tmp_path / 'data' / 'color-input' / '000000-1.png')


def test_without_a_card_it_is_zengs_own(root):
    assert 255 in Zeng(root, 'test')[0][2]


def test_the_files_are_zengs(root):
    data = root / 'data'
    codes = cv2.imread(str(data / 'label' / '000000-0.png'), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(codes, np.array([255, 0, 128], np.uint8)[LABEL])
    tenths = cv2.imread(str(data / 'depth-input' / '000000-0.png'), cv2.IMREAD_UNCHANGED)
    assert tenths.dtype == np.uint16 and np.array_equal(tenths, np.rint(DEPTH * 1e4))
    matrix = read_intrinsics(data / 'camera-intrinsics' / '000000-0.txt')
    assert matrix[1, 1] == 601 and matrix[0, 2] == 15.5


@pytest.mark.parametrize('folder', ['color-input', 'depth-input', 'label'])
@pytest.mark.parametrize('harm', ['missing', 'unreadable'])
def test_a_file_that_cannot_be_read_is_named(root, folder, harm):
    path = root / 'data' / folder / '000000-0.png'
    if harm == 'missing':
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(
        ValueError, match=rf'{folder}/000000-0\.png is .*{harm.removeprefix("un")}'
    ):
        Zeng(root, 'test')[0]


def test_files_of_different_sizes_are_named(root):
    cv2.imwrite(str(root / 'data' / 'label' / '000000-0.png'), LABEL[:-1])
    with pytest.raises(ValueError, match='000000-0 differ in size'):
        Zeng(root, 'test')[0]


def test_splits_and_cards_that_are_not_there(root):
    with pytest.raises(FileNotFoundError, match="no split 'train'"):
        Zeng(root, 'train')
    (root / 'card.json').write_text('{')
    with pytest.raises(ValueError, match='not readable JSON'):
        Zeng(root, 'test')
    (root / 'card.json').write_text('{"unlabelled": "maybe"}')
    with pytest.raises(ValueError, match='ignore or background'):
        Zeng(root, 'test')


def test_what_a_killed_writer_left_is_swept_and_nothing_else(tmp_path):
    left, fresh, own = (tmp_path / 'label' / n for n in ('.a.png.123', '.b.png.124', 'c.png'))
    own.parent.mkdir()
    for path in (left, fresh, own, tmp_path / '.hidden'):
        path.write_bytes(b'x')
    os.utime(left, (0, 0))
    os.utime(own, (0, 0))
    dataset.sweep(tmp_path)
    assert not left.exists() and fresh.exists() and own.exists()
    assert (tmp_path / '.hidden').exists()
