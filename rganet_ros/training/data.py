"""Frames of a data set, in memory where they fit."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
import os

import numpy as np
from rganet_ros.mixture import DataSet
from rich.progress import track

DEPTH_UNIT = 1e-4  # metres, of depth kept as uint16


class Frames:
    """
    A split of a data set; all as in DataSet.

    Decoded once, some 1.8 MB a frame of 640 x 480, where there is memory for that; else each is
    decoded when it is asked for.

    held  bytes of the decoded frames that are kept
    """

    def __init__(self, root, split: str, threads: int = 2, memory: float | None = None):
        """
        Read all; ValueError where the split is empty.

        memory  bytes that may be taken; None: `half_of_memory`
        """
        dataset = self._dataset = DataSet(root, split)
        self.root, self.clips, self.order = dataset.root, dataset.clips, dataset.order
        self.card, self.classes, self.depth = dataset.card, dataset.classes, dataset.depth
        self.names = dataset.names
        memory = half_of_memory() if memory is None else memory
        self._frames, self.held = None, 0
        needed = len(dataset) * sum(array.nbytes for array in self._read(0))
        if needed <= memory:
            self.held = needed
            with ThreadPoolExecutor(threads) as pool:
                read = pool.map(self._read, range(len(dataset)))
                self._frames = list(track(read, f'reading {split}', len(dataset), transient=True))

    def __len__(self) -> int:
        return len(self._dataset)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Give rgb (H, W, 3) uint8, depth (H, W) float32 metres, label (H, W) uint8."""
        rgb, depth, label = self._read(index) if self._frames is None else self._frames[index]
        return rgb, depth * np.float32(DEPTH_UNIT), label

    def _read(self, index: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        rgb, depth, label = self._dataset[index]
        return rgb, np.round(depth / DEPTH_UNIT).clip(0, 65535).astype(np.uint16), label

    def flow(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Give the flow of a frame, read anew, as Zeng does."""
        return self._dataset.flow(index)


def half_of_memory() -> float:
    """Give half of this machine's memory, in bytes."""
    return os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2


def read_splits(root, threads: int, processes: int) -> tuple[Frames, Frames]:
    """Read train and test; both, of all processes of this machine, share half of its memory."""
    memory = half_of_memory() / processes
    train = Frames(root, 'train', threads, memory)
    return train, Frames(root, 'test', threads, memory - train.held)
