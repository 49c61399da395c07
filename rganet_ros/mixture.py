"""The data set that a path names: Zeng's layout, a plain folder of masks, or a mixture."""

from __future__ import annotations

from collections.abc import Sequence
import math
from pathlib import Path

import numpy as np
from rganet_ros.dataset import Zeng
from rganet_ros.masks import Masks
from rganet_ros.options import read_yaml
from rganet_ros.types import Camera

Source = Zeng | Masks


def sources(given: str | Path | Sequence[str | Path]) -> dict[Path, float | None]:
    """
    Read which data sets are meant: folder -> weight, None where none was given.

    given  a folder, `folder:weight`, several of them, or a YAML file of `folder: weight` lines,
           whose folders are seen from the file
    """
    words = [given] if isinstance(given, (str, Path)) else list(given)
    found: dict[Path, float | None] = {}
    for word in map(str, words):
        path, _, weight = word.rpartition(':')
        if Path(word).suffix in ('.yaml', '.yml'):
            base, listed = Path(word).parent, read_yaml(word)
            found |= {base / str(name): _weight(value, word) for name, value in listed.items()}
        elif path and not Path(word).exists():
            found[Path(path)] = _weight(weight, word)
        else:
            found[Path(word)] = None
    if not found or len({weight is None for weight in found.values()}) > 1:
        raise ValueError(f'{given}: give one data set, or a weight to each of several, or to none')
    return found


def _weight(value, where: str) -> float:
    try:
        weight = float(value)
    except (TypeError, ValueError):
        weight = 0.0
    if not 0 < weight < math.inf:
        raise ValueError(f'{where}: the weight {value!r} must be a number above 0')
    return weight


def open_source(root: Path, split: str, unlabelled: str | None = None) -> Source:
    """Open a split of one folder, whichever layout it has; 255 as asked, else as its card says."""
    kind = Zeng if (root / 'data').is_dir() else Masks
    return kind(root, split, unlabelled)


class DataSet:
    """
    A split of one data set, or of several one after the other.

    root        the folder; of several, all of them in a text
    classes     names by class id, the same of all
    depth       whether all have depth
    card        its card; of several, a mapping from folder to weight and card
    unlabelled  ignore or background: what 255 is; both words where they differ

    See `dataset.Zeng` for names, clips and the frames.
    """

    def __init__(self, given, split: str, unlabelled: str | None = None):
        """Open all, see `sources`; ValueError where one is empty or their classes differ."""
        weights = sources(given)
        self.parts = [open_source(root, split, unlabelled) for root in weights]
        self.split = split
        for part in self.parts:
            if len(part) == 0:
                raise ValueError(f'{part.root}: the split {split!r} has no frames')
            if part.classes != self.parts[0].classes:
                raise ValueError(
                    f'{part.root} has the classes {", ".join(part.classes)}, '
                    f'{self.parts[0].root} has {", ".join(self.parts[0].classes)}: give equal ones'
                )
        sizes = [len(part) for part in self.parts]
        self._first = np.cumsum([0, *sizes])
        self._weights = np.array([
            size if weight is None else weight for size, weight in zip(sizes, weights.values())
        ], float)  # fmt: skip
        single = len(self.parts) == 1
        self.root = self.parts[0].root if single else ' '.join(str(p.root) for p in self.parts)
        self.card = self.parts[0].card if single else {
            str(part.root): {'weight': float(weight), 'card': part.card}
            for part, weight in zip(self.parts, self._weights)
        }  # fmt: skip
        self.classes = self.parts[0].classes
        self.depth = all(part.depth for part in self.parts)
        readings = {part.ignored for part in self.parts}
        self.unlabelled = ' and '.join(
            word for word, ignored in (('ignore', True), ('background', False))
            if ignored in readings
        )  # fmt: skip
        self.names = [name for part in self.parts for name in part.names]
        self.clips = [
            [int(first) + index for index in clip]
            for first, part in zip(self._first, self.parts) for clip in part.clips
        ]  # fmt: skip

    def __len__(self) -> int:
        return len(self.names)

    def _at(self, index: int) -> tuple[Source, int]:
        part = int(np.searchsorted(self._first, index, side='right')) - 1
        return self.parts[part], index - int(self._first[part])

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Read rgb, depth and label of a frame."""
        if not 0 <= index < len(self):
            raise IndexError(index)
        part, own = self._at(index)
        return part[own]

    def flow(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Read where a frame's pixels were in the clip's frame before, and which were seen."""
        part, own = self._at(index)
        return part.flow(own)

    def camera(self, index: int) -> Camera | None:
        """Read the intrinsics of a frame; None where they are not known."""
        part, own = self._at(index)
        return part.camera(own)

    def holds(self, index: int) -> np.ndarray | None:
        """Read (H, W) in 0..1, how well a cup really holds; None where that is not known."""
        part, own = self._at(index)
        return part.holds(own)

    def surface(self, index: int) -> np.ndarray | None:
        """Read the depth without noise, (H, W) metres; None where that is not known."""
        part, own = self._at(index)
        return part.surface(own)

    def order(self, rng: np.random.Generator) -> np.ndarray:
        """
        Draw an epoch: as many indices as there are frames, shuffled.

        Of each data set as many as its weight asks for, to within one: all of its frames equally
        often, but for a rest that is drawn. Without weights every frame comes once.
        """
        asked = len(self) * self._weights / self._weights.sum()
        counts = np.floor(asked).astype(int)
        counts[np.argsort(counts - asked, kind='stable')[: len(self) - counts.sum()]] += 1
        drawn = []
        for first, part, count in zip(self._first, self.parts, counts):
            times, rest = divmod(int(count), len(part))
            drawn += [np.tile(np.arange(len(part)), times) + first]
            if rest:
                drawn += [rng.permutation(len(part))[:rest] + first]
        return rng.permutation(np.concatenate(drawn))
