"""Frames in memory, and batches of them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from rganet_ros.mixture import DataSet
from rganet_ros.training.augment import augment
from rganet_ros.training.config import Recipe
from rganet_ros.types import CLASSES
from rich.progress import track
import torch
from torch import Tensor

DEPTH_UNIT = 1e-4  # metres, of depth kept as uint16


class Frames:
    """A split of a data set, decoded once: some 1.8 MB a frame of 640 x 480; all as in DataSet."""

    def __init__(self, root, split: str, threads: int = 2):
        """Read all; ValueError where the split is empty."""
        dataset = self._dataset = DataSet(root, split)
        self.root, self.clips, self.order = dataset.root, dataset.clips, dataset.order
        self.card, self.classes, self.depth = dataset.card, dataset.classes, dataset.depth

        def read(index):
            rgb, depth, label = dataset[index]
            return rgb, np.round(depth / DEPTH_UNIT).clip(0, 65535).astype(np.uint16), label

        with ThreadPoolExecutor(threads) as pool:
            read_all = pool.map(read, range(len(dataset)))
            self._frames = list(track(read_all, f'reading {split}', len(dataset), transient=True))

    def __len__(self) -> int:
        return len(self._frames)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Give rgb (H, W, 3) uint8, depth (H, W) float32 metres, label (H, W) uint8."""
        rgb, depth, label = self._frames[index]
        return rgb, depth * np.float32(DEPTH_UNIT), label

    def flow(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Give the flow of a frame, read anew, as Zeng does."""
        return self._dataset.flow(index)


Batch = tuple[Tensor, Tensor, Tensor]


def batches(frames: Frames, recipe: Recipe, epoch: int) -> Iterator[list[Batch]]:
    """
    Give an epoch's steps, each a list of the batches of consecutive frames; mostly of one.

    A batch is image (B, 3, h, w) 0..1, depth (B, 1, h, w) metres, label (B, h, w). Frames of a
    clip are cut and coloured alike, and have their own noise.

    Order and changes depend on seed and epoch alone, so that a resumed training goes on as it
    would have. What does not fill the last batch waits for another epoch.
    """
    whole = epoch >= recipe.epochs - recipe.whole_epochs
    size = frames[0][2].shape if whole else tuple(int(x) for x in recipe.crop)
    key = recipe.seed, epoch
    order = frames.order(np.random.default_rng(key))
    place = {index: (clip, at) for clip in frames.clips for at, index in enumerate(clip)}
    shortest, longest = (int(x) for x in recipe.window)
    for step in range(steps_per_epoch(frames, recipe)):
        length = int(np.random.default_rng((*key, step)).integers(shortest, longest + 1))
        picked = []
        for index in order[step * recipe.batch : (step + 1) * recipe.batch]:
            clip, at = place[index]
            first = min(at, len(clip) - length)
            for later, each in enumerate(clip[first : first + length]):
                rng, own = (np.random.default_rng((*key, int(index), k)) for k in (0, 1 + later))
                picked.append(augment(*frames[each], size, recipe, rng, own))
        yield [_batch(picked[later::length]) for later in range(length)]


def _batch(picked) -> Batch:
    rgb, depth, label = (np.stack(arrays) for arrays in zip(*picked))
    # Permuting (B, h, w, 3) gives torch's channels_last, which convolutions want anyway.
    image = torch.from_numpy(rgb).permute(0, 3, 1, 2).float() / 255
    return image, torch.from_numpy(depth)[:, None], torch.from_numpy(label).long()


def steps_per_epoch(frames: Frames, recipe: Recipe) -> int:
    """
    Count the steps that see about as many frames as there are.

    Raises ValueError where there is none, where a clip is shorter than the longest window, or
    where `check` does.
    """
    check(frames, recipe)
    shortest, longest = recipe.window
    least = min(map(len, frames.clips))
    if not shortest <= longest <= least:
        raise ValueError(
            f'window {list(recipe.window)} must be least and most frames, and no clip be shorter: '
            f'the shortest has {least}'
        )
    steps = int(len(frames) // (recipe.batch * (shortest + longest) / 2))
    if steps < 1:
        raise ValueError(f'{len(frames)} frames do not fill a batch of {recipe.batch}')
    return steps


def check(frames: Frames, recipe: Recipe) -> None:
    """Refuse a recipe of other classes, or of depth where there is none: ValueError."""
    count, classes = len(frames.classes), recipe.config.get('classes', len(CLASSES))
    if classes != count:
        raise ValueError(
            f'{frames.root} has {count} classes ({", ".join(frames.classes)}), the network '
            f'{classes}: give config: {{classes: {count}}} in the recipe'
        )
    if len(recipe.class_weights) != count:
        raise ValueError(
            f'class_weights has {len(recipe.class_weights)} numbers: expected {count}, one for '
            f'each of {", ".join(frames.classes)}'
        )
    if recipe.config.get('depth') and not frames.depth:
        raise ValueError(
            f'{frames.root} has no depth: give config: {{depth: false}} in the recipe'
        )
