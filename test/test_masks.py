"""A plain folder of pictures and masks, of ours and of other classes."""

import cv2
import numpy as np
from PIL import Image
import pytest
from rganet_ros.masks import class_names, Masks, read_classes
from rganet_ros.types import CLASSES

MASK = np.arange(24, dtype=np.uint8).reshape(4, 6) % 4


def folder(root, classes='road\nsky\ntree\ncar\n', mask=MASK, names=('a', 'town/b')):
    """Write pictures and masks, all listed for training, the first for testing too."""
    for name in names:
        for kind, picture in (
            ('images', np.full((*mask.shape[:2], 3), 9, np.uint8)),
            ('masks', mask),
        ):
            path = root / kind / f'{name}.png'
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(picture).save(path)
    (root / 'train.txt').write_text('\n'.join(names))
    (root / 'test.txt').write_text(names[0])
    (root / 'classes.txt').write_text(classes)
    return root


def test_lists_choose_the_frames_and_the_classes_are_the_lines(tmp_path):
    data = Masks(folder(tmp_path), 'train')
    assert data.names == ['a', 'town/b'] and data.clips == [[0], [1]]
    assert data.classes == ('road', 'sky', 'tree', 'car')
    rgb, depth, label = data[1]
    assert rgb.shape == (4, 6, 3) and np.array_equal(label, MASK)
    assert not data.depth and not depth.any() and depth.dtype == np.float32
    assert Masks(tmp_path, 'test').names == ['a'] and Masks(tmp_path, 'all').names == data.names


def test_a_name_may_have_blanks_in_it(tmp_path):
    root = folder(tmp_path, names=('full tote 1', 'b'))
    (root / 'train.txt').write_text('full tote 1 \n\n b\n')
    data = Masks(root, 'train')
    assert data.names == ['full tote 1', 'b'] and np.array_equal(data[0][2], MASK)


def test_folders_by_split_need_no_lists(tmp_path):
    for split in ('train', 'test'):
        folder(tmp_path / split)
    (tmp_path / 'classes.txt').write_text('road\nsky\ntree\ncar\n')
    assert len(Masks(tmp_path, 'test')) == 2
    with pytest.raises(FileNotFoundError, match=r"no split 'val'.*val\.txt.*val/images"):
        Masks(tmp_path, 'val')


@pytest.mark.parametrize(('unlabelled', 'value'), [('ignore', 255), ('background', 0)])
def test_names_of_ours_get_ids_of_ours(tmp_path, unlabelled, value):
    mask = np.array([[0, 1, 255, 7]], np.uint8)
    root = folder(tmp_path, 'suctionable\nnot suctionable\nunlabelled 7', mask)
    (root / 'card.json').write_text(f'{{"unlabelled": "{unlabelled}"}}')
    data = Masks(root, 'train')
    assert data.classes == CLASSES and data.ignored == (unlabelled == 'ignore')
    assert data[0][2].tolist() == [[2, 1, value, value]]


def test_the_card_may_list_the_classes(tmp_path):
    root = folder(tmp_path)
    (root / 'classes.txt').unlink()
    with pytest.raises(FileNotFoundError, match=r'classes\.txt is missing'):
        Masks(root, 'train')
    (root / 'card.json').write_text('{"classes": ["sky", "tree 3", "road 0", "car 1", "bus 2"]}')
    with pytest.raises(ValueError, match='different values'):
        Masks(root, 'train')
    (root / 'card.json').write_text('{"classes": ["sky 1", "tree 3", "road 0", "car 2"]}')
    assert np.array_equal(Masks(root, 'train')[0][2], np.array([2, 0, 3, 1])[MASK])


def test_masks_may_be_of_colours_or_of_a_palette(tmp_path):
    colours = np.array([[0, 0, 0], [128, 64, 0], [0, 0, 192], [64, 128, 64]], np.uint8)
    listed = 'unlabelled 0 0 0\nroad 128 64 0\nsky 0 0 192\ncar 64 128 64'
    root = folder(tmp_path, listed, colours[MASK])
    expected = np.array([255, 0, 1, 2])[MASK]
    assert np.array_equal(Masks(root, 'train')[0][2], expected)
    strange = colours[MASK].copy()
    strange[1, 2] = 7
    Image.fromarray(strange).save(root / 'masks' / 'a.png')
    with pytest.raises(ValueError, match=r'a\.png holds the colour \(7, 7, 7\)'):
        Masks(root, 'train')[0]
    picture = Image.fromarray(MASK).convert('P')
    picture.putpalette(colours.ravel().tolist())
    picture.save(root / 'masks' / 'a.png')
    (root / 'classes.txt').write_text('road\nsky\ntree\ncar')
    assert np.array_equal(Masks(root, 'train')[0][2], MASK)
    with pytest.raises(ValueError, match='expected one number a pixel'):
        Masks(root, 'train')[1]


def test_depth_is_read_in_its_unit(tmp_path):
    root = folder(tmp_path)
    (root / 'depth' / 'town').mkdir(parents=True)
    for name in ('a', 'town/b'):
        cv2.imwrite(str(root / 'depth' / f'{name}.png'), np.full(MASK.shape, 500, np.uint16))
    assert Masks(root, 'train').depth and Masks(root, 'train')[1][1] == pytest.approx(0.5)
    (root / 'card.json').write_text('{"depth_unit": 1e-4}')
    assert Masks(root, 'train')[1][1] == pytest.approx(0.05)


def test_what_cannot_be_read_is_named(tmp_path):
    root = folder(tmp_path)
    path = root / 'masks' / 'a.png'
    for harm, said in (
        (lambda: Image.fromarray(MASK + 2).save(path), r'a\.png holds 4, 5: .* 0, 1, 2, 3, 255'),
        (lambda: Image.fromarray(MASK[:3]).save(path), 'files of a differ in size'),
        (lambda: path.write_bytes(path.read_bytes()[:40]), r'a\.png is not a readable'),
        (path.unlink, r'masks/a\.png is missing'),
        ((root / 'images' / 'a.png').unlink, r'images/a\.png is missing'),
    ):
        harm()
        with pytest.raises(ValueError, match=said):
            Masks(root, 'train')[0]


@pytest.mark.parametrize(
    ('lines', 'said'),
    [
        (['a', 'a'], 'must be a new name'),
        (['a 256'], '0 ... 255'),
        (['a 1', 'b 1'], 'different values'),
        (['a 1', 'b 1 2 3'], 'all'),
    ],
)
def test_lists_of_classes_that_cannot_be(lines, said):
    with pytest.raises(ValueError, match=said):
        read_classes(lines, 'classes.txt')


def test_two_other_classes_are_too_few():
    with pytest.raises(ValueError, match='hold, slip: expected some of background'):
        class_names(['hold', 'slip', 'unlabelled'])
