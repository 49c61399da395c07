"""What is in an input of a replay: frames with their names, in order; or why one cannot be."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Container, Iterator
from functools import partial
import heapq
from itertools import chain, count
from pathlib import Path
from typing import NamedTuple

from rganet_ros import bag, pictures
from rganet_ros.cameras import Topics
from rganet_ros.rectify import LensOptions
from rganet_ros.types import Frame


class Item(NamedTuple):
    """A frame, what it is called in reports, and the camera that it is of ('' where one)."""

    name: str
    camera: str
    frame: Frame


Found = Iterator[Item | ValueError]


def free(name: str, taken: Container[str]) -> str:
    """Give the name, with a number behind it where it is taken: run, run-2."""
    numbered = (f'{name}-{number}' for number in count(2))
    return next(each for each in chain([name], numbered) if each not in taken)


def of_bag(
    path: Path, name: str, topics: dict[str, str], lens: LensOptions, tolerance: float
) -> tuple[Found, int | None]:
    """
    Go through a bag, its cameras together in the order of stamps; raises Cut at the end of a cut.

    Of the cameras that are found, or of the one whose topics are given (image, depth, info);
    lens and tolerance as in bag.frames; names begin with `name`.

    Returns the items, and how many frames there will be, None where the bag does not tell.
    """
    if any(topics.values()):
        found = [bag.find_topics(path, **topics)]
    else:
        found = bag.find_cameras(path)
    frames = partial(bag.frames, path, lens=lens, tolerance=tolerance)
    return _merged(name, found, frames), bag.count(path, [each.image for each in found])


def _merged(name: str, cameras: list[Topics], frames: Callable) -> Found:
    cuts: list[bag.Cut] = []
    bad: deque[ValueError] = deque()
    several = len(cameras) > 1
    every = [_camera(name, each, several, partial(frames, each, undecodable=bad.append), cuts)
             for each in cameras]  # fmt: skip
    for item in heapq.merge(*every, key=lambda item: item.frame.stamp):
        while bad:
            yield bad.popleft()
        yield item
    yield from bad
    if cuts:
        raise cuts[0]


def _camera(name: str, topics: Topics, several: bool, frames: Callable, cuts: list):
    """Give the items of one camera; a cut is noted, so that the others go on."""
    camera = topics.image.strip('/').replace('/', '_') if several else ''
    name = f'{name}/{camera}' if several else name
    try:
        for index, frame in enumerate(frames()):
            yield Item(f'{name}/{index:06d}', camera, frame)
    except bag.Cut as error:
        cuts.append(error)


def of_folder(path: Path, name: str, focal: float, unit: float) -> tuple[Found, int]:
    """Go through a folder of pictures, names as in of_bag; the rest as in `pictures.read`."""
    found = pictures.find(path)

    def every() -> Found:
        for index, picture in enumerate(found):
            try:
                frame = pictures.read(picture, index, focal, unit)
            except ValueError as error:
                yield error
            else:
                yield Item(f'{name}/{picture.name}', '', frame)

    return every(), len(found)
