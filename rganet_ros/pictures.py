"""
A folder of pictures to frames: colour, with depth and intrinsics where they lie beside it.

What belongs together is found by name (LAYOUTS); what is not found there is unknown, not guessed.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
import re
from typing import NamedTuple

from rganet_ros.dataset import read_depth, read_intrinsics, read_picture
from rganet_ros.types import Camera, Frame

SUFFIXES = ('.png', '.jpg', '.jpeg', '.bmp', '.tif', '.tiff', '.webp')
# How the path of a colour picture becomes that of its depth, and the unit of that, metres.
LAYOUTS = (
    (r'color-input/([^/]+)$', r'depth-input/\1', 1e-4),  # Zeng et al., the data set
    (r'\.color\.png$', '.depth.png', 1e-4),  # Zeng et al., the demonstrations
    (r'(^|/)(?:color|colour|rgb)/([^/]+)\.\w+$', r'\1depth/\2.png', 1e-3),
    (r'(^|/)(?:color|colour|rgb)([^/]*)\.\w+$', r'\1depth\2.png', 1e-3),
)
# Pictures of a data set that no camera took.
DERIVED = re.compile(r'(^|/)(label|label-index|score|instance|color-background)(/|$)|depth')
PERIOD = 100_000_000  # ns between the stamps of one picture and the next


class Picture(NamedTuple):
    """Files of one frame; depth's unit in metres; None where there is no such file."""

    name: str
    colour: Path
    depth: Path | None
    unit: float
    intrinsics: Path | None


def find(folder: str | Path) -> list[Picture]:
    """List the pictures in a folder and below, by name; ValueError where there are none."""
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f'no folder {folder}')
    found = []
    for path in sorted(folder.rglob('*')):
        name = path.relative_to(folder).as_posix()
        if path.suffix.lower() in SUFFIXES and not DERIVED.search(name):
            found.append(Picture(name, path, *_depth_of(path), _intrinsics_of(path)))
    if not found:
        raise ValueError(f'no pictures in {folder}: expected {", ".join(SUFFIXES)}')
    return found


def _depth_of(path: Path) -> tuple[Path | None, float]:
    for pattern, replacement, unit in LAYOUTS:
        # Two names are enough to tell: the file and its folder.
        short = f'{path.parent.name}/{path.name}'
        other = re.sub(pattern, replacement, short)
        depth = path.parent.parent / other
        if other != short and depth.is_file():
            return depth, unit
    return None, 0.0


def _intrinsics_of(path: Path) -> Path | None:
    of_data_set = path.parent.parent / 'camera-intrinsics' / f'{path.stem}.txt'
    if of_data_set.is_file():
        return of_data_set
    for folder in (path.parent, path.parent.parent):
        texts = sorted({*folder.glob('*intrinsics*.txt'), *folder.glob('cam*.info.txt')})
        numbers = re.findall(r'\d+', path.name)
        same = [text for text in texts if numbers and re.findall(r'\d+', text.name) == numbers]
        if same or len(texts) == 1:
            return (same or texts)[0]
    return None


def read(picture: Picture, index: int = 0, focal: float = 0.0, unit: float = 0.0) -> Frame:
    """
    Read one frame; ValueError names the file that cannot be used.

    index  makes the stamp, so that a sequence has a clock
    focal  in pixels, centre in the middle, where there are no intrinsics; 0: unknown camera
    unit   of depth, metres, instead of what the layout says; 0: that
    """
    rgb = read_picture(picture.colour)
    height, width = rgb.shape[:2]
    depth = camera = None
    if picture.depth is not None:
        depth = read_depth(picture.depth, unit or picture.unit)
        if depth.shape != (height, width):
            raise ValueError(f'{picture.depth} is not of the size of {picture.colour}')
    if picture.intrinsics is not None:
        k = read_intrinsics(picture.intrinsics)
        camera = Camera(*map(float, (k[0, 0], k[1, 1], k[0, 2], k[1, 2])), width, height)
    elif focal:
        camera = Camera(focal, focal, (width - 1) / 2, (height - 1) / 2, width, height)
    return Frame(rgb, depth, camera, index * PERIOD, picture.colour.parent.name)


def folder_frames(
    folder: str | Path, focal: float = 0.0, unit: float = 0.0
) -> Iterator[tuple[str, Frame]]:
    """Read all frames of a folder, in order, with their names."""
    for index, picture in enumerate(find(folder)):
        yield picture.name, read(picture, index, focal, unit)
