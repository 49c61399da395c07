"""Frames in memory, and batches of them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from rganet_ros.dataset import Zeng
from rganet_ros.training.augment import augment
from rganet_ros.training.config import Recipe
from rich.progress import track
import torch
from torch import Tensor

DEPTH_UNIT = 1e-4  # metres, of depth kept as uint16


class Frames:
    """A split of a data set, decoded once: some 1.8 MB a frame of 640 x 480."""

    def __init__(self, root, split: str, threads: int = 2):
        """Read all; ValueError where the split is empty."""
        dataset = Zeng(root, split)
        if len(dataset) == 0:
            raise ValueError(f'{root}: the split {split!r} has no frames')

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


def batches(frames: Frames, recipe: Recipe, epoch: int) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """
    Give an epoch's batches: image (B, 3, h, w) 0..1, depth (B, 1, h, w) metres, label (B, h, w).

    Order and changes depend on seed and epoch alone, so that a resumed training goes on as it
    would have. What does not fill the last batch waits for another epoch.
    """
    whole = epoch >= recipe.epochs - recipe.whole_epochs
    size = frames[0][2].shape if whole else tuple(int(x) for x in recipe.crop)
    order = np.random.default_rng((recipe.seed, epoch)).permutation(len(frames))
    for step in range(steps_per_epoch(frames, recipe)):
        picked = []
        for index in order[step * recipe.batch : (step + 1) * recipe.batch]:
            rng = np.random.default_rng((recipe.seed, epoch, int(index)))
            picked.append(augment(*frames[index], size, recipe, rng))
        rgb, depth, label = (np.stack(arrays) for arrays in zip(*picked))
        # Permuting (B, h, w, 3) gives torch's channels_last, which convolutions want anyway.
        image = torch.from_numpy(rgb).permute(0, 3, 1, 2).float() / 255
        yield image, torch.from_numpy(depth)[:, None], torch.from_numpy(label).long()


def steps_per_epoch(frames: Frames, recipe: Recipe) -> int:
    """Count the full batches; ValueError where there is none."""
    if len(frames) < recipe.batch:
        raise ValueError(f'{len(frames)} frames do not fill a batch of {recipe.batch}')
    return len(frames) // recipe.batch
