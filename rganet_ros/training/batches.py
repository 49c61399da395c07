"""Which frames a step sees, changed at random; drawn here or in worker processes."""

from __future__ import annotations

from collections.abc import Iterator
import os
import shutil

import cv2
import numpy as np
from rganet_ros.training.augment import augment
from rganet_ros.training.config import Recipe
from rganet_ros.training.data import Frames
from rganet_ros.types import CLASSES, SUCTIONABLE
import torch
from torch import Tensor
from torch.utils.data import DataLoader

Batch = tuple[Tensor, Tensor, Tensor]


class Batches:
    """
    All batches of a training, by (epoch, number): each a list of consecutive frames; mostly one.

    image  (B, h, w, 3) uint8 RGB
    depth  (B, h, w) float32 metres, 0 unknown
    label  (B, h, w) uint8, 255 ignored

    Frames of a clip are cut and coloured alike, and have their own noise. Order and changes depend
    on seed, epoch and number alone, so that a resumed training goes on as it would have, whoever
    draws. Of several processes each draws its share of every batch. What does not fill the last
    step waits for another epoch.
    """

    def __init__(self, frames: Frames, recipe: Recipe, process=0, processes=1):
        """Raise ValueError where no step is filled, or a clip is shorter than the window."""
        if recipe.batch % processes:
            raise ValueError(
                f'batch = {recipe.batch} cannot be shared by {processes} processes: '
                f'{recipe.batch // processes * processes or processes} could'
            )
        self.frames, self.recipe = frames, recipe
        self.process, self.processes = process, processes
        self.steps = steps_per_epoch(frames, recipe)
        self._place = {index: (clip, at) for clip in frames.clips for at, index in enumerate(clip)}

    def picked(self, epoch: int, number: int) -> list[list[int]]:
        """Give the indices of the frames of a batch: a list of windows."""
        key = self.recipe.seed, epoch
        shortest, longest = (int(x) for x in self.recipe.window)
        length = int(np.random.default_rng((*key, number)).integers(shortest, longest + 1))
        order = self.frames.order(np.random.default_rng(key))
        windows = []
        for index in order[number * self.recipe.batch : (number + 1) * self.recipe.batch]:
            clip, at = self._place[index]
            first = min(at, len(clip) - length)
            windows.append(clip[first : first + length])
        return windows

    def __getitem__(self, key: tuple[int, int]) -> list[Batch]:
        """Draw a batch, or this process's share of it."""
        epoch, number = key
        recipe = self.recipe
        whole = epoch >= recipe.epochs - recipe.whole_epochs
        size = None if whole else tuple(int(x) for x in recipe.crop)
        seed = recipe.seed, epoch, number
        drawn: list = []
        for place, window in enumerate(self.picked(epoch, number)):
            if place % self.processes != self.process:
                continue
            for later, each in enumerate(window):
                rng, own = (np.random.default_rng((*seed, place, k)) for k in (0, 1 + later))
                frame = self.frames[each]
                if whole:  # of a mixture of sizes, those that differ are cut to the batch's first
                    first = drawn[0][2].shape if drawn else frame[2].shape
                    size = None if frame[2].shape == first else first
                drawn.append(augment(*frame, size, recipe, rng, own))
        length = len(window)
        return [_stack(drawn[later::length]) for later in range(length)]


def _stack(drawn) -> Batch:
    return tuple(torch.from_numpy(np.stack(arrays)) for arrays in zip(*drawn))


def on(device: torch.device, batch: Batch) -> Batch:
    """
    Bring a batch where it is used, in the form that networks take.

    Returns image (B, 3, h, w) float 0..1, depth (B, 1, h, w) and label (B, h, w) int64. Bytes
    travel and become floats there; permuted, they are torch's channels_last, which convolutions
    want.
    """
    image, depth, label = (part.to(device, non_blocking=True) for part in batch)
    return image.permute(0, 3, 1, 2).float() / 255, depth[:, None], label.long()


def load(batches: Batches, first_epoch=0, workers=0, pin=False) -> Iterator[list[Batch]]:
    """
    Give all batches from an epoch to the end of the training, in order.

    workers draw ahead, across epochs too; they are forked and share the decoded frames. pin puts
    what they drew where a GPU copies it from while it computes. ValueError where the memory that
    processes share is too small for that.
    """
    recipe = batches.recipe
    _check_shared(batches, workers)
    numbers = range(batches.steps * recipe.accumulate)
    # One after the other: of a measurement's epochs, a list would not fit into memory.
    keys = ((epoch, number) for epoch in range(first_epoch, recipe.epochs) for number in numbers)
    forked = {'multiprocessing_context': 'fork', 'worker_init_fn': _alone} if workers else {}
    return iter(
        DataLoader(
            batches, batch_size=None, sampler=keys, num_workers=workers, pin_memory=pin,
            generator=torch.Generator(), **forked,
        )
    )  # fmt: skip


def _check_shared(batches: Batches, workers: int, place='/dev/shm') -> None:
    if not workers or not os.path.isdir(place):
        return
    recipe, free = batches.recipe, shutil.disk_usage(place).free
    frames = recipe.batch // batches.processes * int(recipe.window[1])
    height, width = batches.frames[0][2].shape if recipe.whole_epochs else recipe.crop
    # Colour 3, depth 4, label 1 byte; two batches a worker wait, one is in use.
    needed = 8 * height * width * frames * (2 * workers + 1)
    if needed > free:
        raise ValueError(
            f'{workers} workers need {needed / 1e9:.1f} GB of {place}, which has {free / 1e9:.1f} '
            'free: give fewer --workers or a smaller --batch, or the container more (--shm-size)'
        )


def _alone(worker: int) -> None:
    cv2.setNumThreads(0)  # its threads do not survive the fork


def steps_per_epoch(frames: Frames, recipe: Recipe) -> int:
    """
    Count the steps that see about as many frames as there are.

    Raises ValueError where there is none, where a clip is shorter than the longest window, or
    where `check` does.
    """
    check(frames, recipe)
    shortest, longest = recipe.window
    least = min(map(len, frames.clips))
    if longest > least:
        raise ValueError(
            f'window = {list(recipe.window)} needs clips of {longest:g} frames: the shortest has '
            f'{least}'
        )
    fill = recipe.batch * recipe.accumulate
    steps = int(len(frames) // (fill * (shortest + longest) / 2))
    if steps < 1:
        raise ValueError(f'{len(frames)} frames do not fill a batch of {fill}')
    return steps


def check(frames: Frames, recipe: Recipe) -> None:
    """Refuse a recipe for other classes, or for depth where there is none: ValueError."""
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
    if recipe.overlap and frames.classes != CLASSES:
        raise ValueError(
            f'overlap = {recipe.overlap:g} is a loss of {CLASSES[SUCTIONABLE]}, which '
            f'{frames.root} does not have: give overlap: 0 in the recipe'
        )
    if recipe.config.get('depth') and not frames.depth:
        raise ValueError(
            f'{frames.root} has no depth: give config: {{depth: false}} in the recipe'
        )
