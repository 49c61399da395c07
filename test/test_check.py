"""A planted fault of every kind is found, and named; a sound set has none."""

import cv2
import numpy as np
import pytest
from rganet_ros.check import check, quick_check
from small_data import make_frame, write
from test_masks import folder, MASK


@pytest.fixture
def clutter(tmp_path):
    """Four frames in Zeng's layout, two a split."""
    root = tmp_path / 'clutter'
    write(root, [(f'00000{k}-0', make_frame(k), None) for k in range(4)])
    (root / 'data' / 'train-split.txt').write_text('000000-0\n000001-0\n')
    (root / 'data' / 'test-split.txt').write_text('000002-0\n000003-0\n')
    return root


@pytest.fixture
def masks(tmp_path):
    """Three pictures of other classes."""
    root = folder(tmp_path / 'masks', names=('a', 'b', 'c'))
    (root / 'train.txt').write_text('a\nb')
    (root / 'test.txt').write_text('c')
    return root


def test_sound_sets_have_no_faults(clutter, masks):
    assert check([clutter, masks], show=True) == (
        {f'{clutter} train': 2, f'{clutter} test': 2, f'{masks} train': 2, f'{masks} test': 1},
        [],
    )
    quick_check([clutter, masks])
    (clutter / 'data' / 'train-split.txt').unlink()
    assert check(clutter)[1] == []  # a set for tests alone
    with pytest.raises(ValueError, match="no split 'train'"):
        quick_check(clutter)


HARMS = {
    'label/000001-0.png is missing': lambda data: (data / 'label' / '000001-0.png').unlink(),
    'intrinsics/000001-0.txt is missing': lambda data: (
        data / 'camera-intrinsics' / '000001-0.txt'
    ).unlink(),
    'intrinsics/000002-0.txt has no 3 x 3 matrix': lambda data: (
        data / 'camera-intrinsics' / '000002-0.txt'
    ).write_text('1 0 0'),
    'color-input/000002-0.png is not a readable': lambda data: (
        data / 'color-input' / '000002-0.png'
    ).write_bytes(b'no'),
    '000003-0 differ in size': lambda data: cv2.imwrite(
        str(data / 'depth-input' / '000003-0.png'), np.zeros((9, 9), np.uint16)
    ),
    'label/000000-0.png holds 7: labels of this data set are 0, 128, 255': lambda data: (
        cv2.imwrite(str(data / 'label' / '000000-0.png'), np.full((64, 96), 7, np.uint8))
    ),
    "the split 'test' has no frames": lambda data: (data / 'test-split.txt').write_text('\n'),
    "000001-0 is in the split 'train' and in 'test'": lambda data: (
        data / 'test-split.txt'
    ).write_text('000001-0'),
    "000002-0 is 2 times in the split 'test'": lambda data: (data / 'test-split.txt').write_text(
        '000002-0 000002-0'
    ),
}


@pytest.mark.parametrize('said', HARMS)
def test_each_fault_is_named(said, clutter):
    HARMS[said](clutter / 'data')
    (fault,) = check(clutter)[1]
    assert said in fault
    if 'missing' in said or 'split' in said:
        with pytest.raises(ValueError, match=said.replace('.', r'\.')):
            quick_check(clutter)
    else:
        quick_check(clutter)


def test_a_card_that_is_a_list_is_a_fault(clutter):
    (clutter / 'card.json').write_text('["ignore"]')
    (fault,) = check(clutter)[1]
    assert fault.endswith("card.json must hold an object of names, {...}, not ['ignore']")


def test_all_faults_are_told(clutter, masks):
    HARMS['label/000001-0.png is missing'](clutter / 'data')
    (masks / 'images' / 'a.png').unlink()
    cv2.imwrite(str(masks / 'images' / 'b.png'), np.zeros((8, 8, 3), np.uint8))
    cv2.imwrite(str(masks / 'masks' / 'b.png'), np.zeros((8, 8), np.uint8))
    cv2.imwrite(str(masks / 'images' / 'd.png'), np.zeros((4, 6, 3), np.uint8))
    cv2.imwrite(str(masks / 'masks' / 'd.png'), MASK)
    (masks / 'train.txt').write_text('a\nb\nd')
    faults = check([clutter, masks])[1]
    assert len(faults) == 4 and 'label/000001-0.png is missing' in faults[0]
    assert [fault.removeprefix(f'{masks}/') for fault in faults[1:]] == [
        'masks/a.png has no picture of its name',
        'images/a.png is missing',
        'images/b.png is 8x8, most are 6x4',
    ]
    with pytest.raises(ValueError, match='and 2 more: rganet evaluate --check'):
        quick_check([clutter, masks])


def test_a_folder_that_is_nothing(tmp_path):
    counts, faults = check(tmp_path)
    assert counts == {} and "no split 'train'" in faults[0]
