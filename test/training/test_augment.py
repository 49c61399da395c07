import numpy as np
from rganet_ros.training.augment import augment, IGNORE, recolour, spoil
from rganet_ros.training.config import Recipe
import torch
from torchvision.transforms.v2 import functional


def frame(height=120, width=160):
    """Draw a bright square, 3 cm nearer than the floor, labelled 2."""
    label = np.zeros((height, width), np.uint8)
    label[40:80, 60:110] = 2
    rgb = np.where(label[..., None] == 2, 220, 60).astype(np.uint8).repeat(3, 2)
    return rgb, np.where(label == 2, 0.67, 0.70).astype(np.float32), label


def test_the_three_pictures_stay_registered():
    recipe = Recipe(colour=0.0, depth_holes=0, turn=180.0)
    for seed in range(20):
        rgb, depth, label = augment(*frame(), (96, 128), recipe, np.random.default_rng(seed))
        assert rgb.shape == (96, 128, 3) and depth.shape == label.shape == (96, 128)
        assert rgb.dtype == np.uint8 and depth.dtype == np.float32 and label.dtype == np.uint8
        known = label != IGNORE
        assert (depth[~known] == 0).all()
        assert ((rgb[..., 0] > 140) == (label == 2))[known].mean() > 0.97
        if (label == 2).any():
            assert depth[label == 2].mean() < depth[label == 0].mean() - 0.02


def test_a_cut_keeps_heights_and_moves_the_camera():
    recipe = Recipe(colour=0.0, depth_holes=0, zoom=(0.5, 0.5))
    _, depth, label = augment(*frame(), (60, 80), recipe, np.random.default_rng(0))
    floor, top = np.median(depth[label == 0]), np.median(depth[label == 2])
    assert abs((floor - top) - 0.03) < 0.003
    assert abs(floor - 1.4) < 0.06  # half the size: twice as far


def test_the_same_seed_gives_the_same_and_another_does_not():
    def once(seed):
        return augment(*frame(), (96, 128), Recipe(), np.random.default_rng(seed))

    assert all(np.array_equal(a, b) for a, b in zip(once(3), once(3)))
    assert not np.array_equal(once(3)[0], once(4)[0])


def test_a_whole_frame_is_only_flipped():
    _, _, label = augment(*frame(), None, Recipe(), np.random.default_rng(1))
    assert (label == 2).sum() == 40 * 50 and not (label == IGNORE).any()


def test_colours_change_with_their_strength():
    rgb = torch.randint(0, 256, (3, 60, 80), dtype=torch.uint8)

    def change(strength):
        changed = [
            recolour(rgb, Recipe(colour=strength), np.random.default_rng(i)) for i in range(10)
        ]
        return (torch.stack(changed).int() - rgb.int()).abs().float().mean()

    none, some, much = change(0.0), change(0.3), change(1.0)
    assert none < 1 < some < much


def test_half_of_the_pictures_are_sharpened_where_it_is_asked_for():
    rgb = torch.from_numpy(frame()[0].transpose(2, 0, 1).copy())
    rgb = functional.gaussian_blur(rgb, [5, 5], [1.0])
    drawn = (
        recolour(rgb, Recipe(colour=0.0, sharpen=4), np.random.default_rng(i)) for i in range(40)
    )
    spread = torch.stack([each.float().std() for each in drawn])
    assert (spread >= rgb.float().std() - 0.01).all()
    assert 10 < (spread > rgb.float().std() + 0.1).sum() < 30


def test_spoiled_depth_loses_blobs_and_invents_nothing():
    depth = np.full((120, 160), 0.7, np.float32)
    depth[:10] = 0
    spoiled = [spoil(depth, 6, np.random.default_rng(i)) for i in range(10)]
    assert all((s[:10] == 0).all() and np.isfinite(s).all() for s in spoiled)
    assert max((s[10:] == 0).mean() for s in spoiled) > 0.01
    assert all(np.abs(s[s > 0] - 0.7).max() < 0.04 for s in spoiled)


def test_a_letterboxed_frame_is_there_as_a_whole_and_keeps_its_depth():
    recipe = Recipe(colour=0.0, depth_holes=0, fit='letterbox', move_share=0.0)
    _, depth, label = augment(*frame(), (60, 120), recipe, np.random.default_rng(0))
    assert (label == IGNORE).mean() == 1 / 3 and (label[:, 20:100] != IGNORE).all()
    assert abs((label == 2).sum() - 20 * 25) < 60
    assert abs(np.median(depth[label == 0]) - 0.7) < 0.03  # smaller, but no camera moved


def test_a_shift_leaves_the_frame_and_move_share_says_how_often():
    recipe = Recipe(
        colour=0.0, depth_holes=0, turn=0.0, zoom=(1.0, 1.0), shift=0.3, move_share=0.5
    )
    empty = [
        (augment(*frame(), (120, 160), recipe, np.random.default_rng(i))[2] == IGNORE).mean()
        for i in range(40)
    ]
    assert 10 <= sum(share == 0 for share in empty) <= 30
    assert 0.2 < max(empty) < 0.51


def test_some_pictures_are_left_without_depth():
    recipe = Recipe(without_depth=0.5)
    depths = [augment(*frame(), (96, 128), recipe, np.random.default_rng(i))[1] for i in range(40)]
    assert 10 <= sum(not depth.any() for depth in depths) <= 30


def test_the_largest_shift_leaves_part_of_the_frame():
    for fit, size in (('cut', (120, 160)), ('letterbox', (60, 120)), ('cut', (200, 300))):
        recipe = Recipe(shift=1.0, zoom=(0.3, 3.0), fit=fit, colour=0.0)
        for seed in range(40):
            _, _, label = augment(*frame(), size, recipe, np.random.default_rng(seed))
            assert label.shape == size and (label != IGNORE).any()
