"""
A plain folder of pictures and masks of the same name, of any classes.

    images/<name>.jpg or .png ...   masks/<name>.png   depth/<name>.png (if there is any)
    train.txt, test.txt             names, one a line, without ending
    classes.txt                     one class a line

or, without lists, the three folders below train/ and test/. Names may have folders in them.
"""

from __future__ import annotations

from pathlib import Path
import re

import numpy as np
from PIL import Image
from rganet_ros.dataset import class_ids, is_ignored, read_card, read_depth, read_picture
from rganet_ros.types import Camera, CLASSES

PICTURES = ('.png', '.jpg', '.jpeg', '.bmp', '.tif', '.tiff', '.webp')
UNLABELLED = 'unlabelled'
LINE = re.compile(r'(.+?)((?:\s+\d+){3}|\s+\d+)?')


def read_classes(lines: list[str], where: str) -> dict[str, int | tuple[int, int, int]]:
    """
    Read a list of classes: name -> value in the masks, or colour.

    lines  `name`, whose value is the number of its line, from 0; or `name VALUE`, or `name R G B`
    """
    found: dict[str, int | tuple[int, int, int]] = {}
    for number, line in enumerate(filter(None, map(str.strip, lines))):
        name, digits = LINE.fullmatch(line).groups()
        values = [int(word) for word in (digits or str(number)).split()]
        if max(values) > 255 or name in found:
            raise ValueError(f'{where}: {line!r} must be a new name, and 0 ... 255 or R G B')
        found[name] = values[0] if len(values) == 1 else tuple(values)
    kinds = {type(value) for name, value in found.items() if name != UNLABELLED}
    if len(kinds) > 1 or len({*found.values()}) < len(found):
        raise ValueError(f'{where}: classes need different values, or different colours, all')
    return found


def class_names(listed) -> tuple[str, ...]:
    """
    Name the classes by id: those of ours where all that are listed are of ours.

    ValueError where others are too few for a network, whose affordance is the third class.
    """
    names = tuple(name for name in listed if name != UNLABELLED)
    if names and {*names} <= {*CLASSES}:
        return CLASSES
    if len(names) < len(CLASSES):
        raise ValueError(
            f'classes {", ".join(names) or "none"}: expected some of {", ".join(CLASSES)}, or '
            f'{len(CLASSES)} and more of other names'
        )
    return names


class Masks:
    """
    A split of such a folder, read one frame at a time; as `dataset.Zeng` in all that it shares.

    classes  names by class id
    depth    whether there is depth; without any it is unknown, 0, everywhere
    """

    def __init__(self, root: str | Path, split: str, unlabelled: str | None = None):
        """Read the lists; `all` is every picture of images/."""
        self.root = Path(root)
        self.card = read_card(self.root)
        self.ignored = is_ignored(self.root, self.card, unlabelled)
        whole = split == 'all' or (self.root / f'{split}.txt').is_file()
        base = self.root if whole else self.root / split
        self._folders = {each: base / each for each in ('images', 'masks', 'depth')}
        if not self._folders['images'].is_dir():
            raise FileNotFoundError(
                f'no split {split!r} in {root}: expected data/{split}-split.txt (the layout of '
                f'Zeng et al.), {split}.txt beside images/ and masks/, or {split}/images'
            )
        self.depth = self._folders['depth'].is_dir()
        self._values, self.classes = self._read_classes()
        self._pictures = _by_name(self._folders['images'])
        self.names = sorted(self._pictures)
        if whole and split != 'all':
            lines = (self.root / f'{split}.txt').read_text(encoding='utf-8').splitlines()
            self.names = list(filter(None, map(str.strip, lines)))
        self.clips = [[index] for index in range(len(self))]

    def _read_classes(self) -> tuple[dict, tuple[str, ...]]:
        path, lines = self.root / 'classes.txt', self.card.get('classes')
        if lines is None and not path.is_file():
            raise FileNotFoundError(f'{path} is missing: one class a line, as the masks number it')
        lines = lines if lines is not None else path.read_text(encoding='utf-8').splitlines()
        listed = read_classes(lines, str(path if path.is_file() else self.root / 'card.json'))
        try:
            names = class_names(listed)
        except ValueError as error:
            raise ValueError(f'{self.root}: {error}') from None
        ids = {name: index for index, name in enumerate(names)}
        nothing = 255 if self.ignored else 0
        values = {value: ids.get(name, nothing) for name, value in listed.items()}
        return {255: nothing, **values}, names

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Read a frame: rgb, depth, label as of `dataset.Zeng`."""
        paths = self.files(index)
        rgb, label = read_picture(paths['picture']), self._label(paths['label'])
        depth = np.zeros(label.shape, np.float32)
        if self.depth:
            depth = read_depth(paths['depth'], float(self.card.get('depth_unit', 1e-3)))
        if not rgb.shape[:2] == depth.shape == label.shape:
            raise ValueError(f'{self.root}: files of {self.names[index]} differ in size')
        return rgb, depth, label

    def _label(self, path: Path) -> np.ndarray:
        try:
            with Image.open(path) as picture:
                mask = np.asarray(picture)  # of a palette: the numbers, not their colours
        except FileNotFoundError:
            raise ValueError(f'{path} is missing') from None
        except (OSError, SyntaxError):
            raise ValueError(f'{path} is not a readable picture') from None
        plain = {value: id_ for value, id_ in self._values.items() if isinstance(value, int)}
        colours = {value: id_ for value, id_ in self._values.items() if value not in plain}
        if mask.ndim == 2 and mask.dtype in (np.uint8, bool) and not colours:
            return class_ids(mask.astype(np.uint8), plain, path)
        if mask.ndim == 3 and colours:
            return _of_colours(mask[..., :3], colours, path)
        expected = 'colours of classes.txt' if colours else 'one number a pixel, 8-bit'
        raise ValueError(f'{path} is {mask.dtype} {mask.shape}: expected {expected}')

    def files(self, index: int) -> dict[str, Path]:
        """Name the files that a frame is read from."""
        name = self.names[index]
        found = {
            'picture': self._pictures.get(name, self._folders['images'] / f'{name}.png'),
            'label': self._folders['masks'] / f'{name}.png',
        }
        return found | ({'depth': self._folders['depth'] / f'{name}.png'} if self.depth else {})

    def alone(self) -> list[Path]:
        """List masks without a picture."""
        masks = _by_name(self._folders['masks'])
        return [masks[name] for name in sorted(masks.keys() - self._pictures.keys())]

    def camera(self, index: int) -> Camera | None:
        """Nothing is known of the camera."""

    def holds(self, index: int) -> np.ndarray | None:
        """Nothing is known but the class."""

    def surface(self, index: int) -> np.ndarray | None:
        """Nothing is known of the true surface."""


def _by_name(folder: Path) -> dict[str, Path]:
    return {
        path.relative_to(folder).with_suffix('').as_posix(): path
        for path in folder.rglob('*') if path.suffix.lower() in PICTURES
    }  # fmt: skip


def _of_colours(mask: np.ndarray, colours: dict, path: Path) -> np.ndarray:
    packed = mask.astype(np.uint32) @ np.array([65536, 256, 1], np.uint32)
    keys = np.array([(r << 16) + (g << 8) + b for r, g, b in colours], np.uint32)
    order = np.argsort(keys)
    at = np.searchsorted(keys[order], packed).clip(0, len(keys) - 1)
    strange = keys[order][at] != packed
    if strange.any():
        colour = tuple(mask[strange][0].tolist())
        raise ValueError(f'{path} holds the colour {colour}, which classes.txt does not list')
    return np.array([*colours.values()], np.uint8)[order][at]
