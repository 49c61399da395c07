"""What a data set is made of: shares and ranges, as options; the named recipes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

from rganet_ros.options import OneOf, Range, read
from rganet_ros.synthetic.cup import CUPS


@dataclass(frozen=True)
class Recipe:
    """Another recipe is another row of RECIPES, or a YAML file with some of these names."""

    cup: Annotated[str, OneOf(tuple(CUPS)), 'what the label is made for'] = 'rigid'
    width: Annotated[int, Range(64, 1920), 'pixels'] = 640
    height: Annotated[int, Range(64, 1200), 'pixels'] = 480
    views: Annotated[int, Range(1, 64), 'frames of one settled scene'] = 2
    backgrounds: Annotated[bool, 'the same view of the empty container with every frame'] = False
    motion: Annotated[
        bool, 'views are consecutive frames of a moving camera, things are taken away'
    ] = False
    bank: Annotated[int, Range(1, 100000), 'different things of a split'] = 320
    most_objects: Annotated[int, Range(5, 60), 'things in a container, but for heaped ones'] = 40
    empty_share: Annotated[float, Range(0, 1), 'of scenes without any thing'] = 0.06
    sparse_share: Annotated[float, Range(0, 1), 'of scenes with one to four things'] = 0.11
    shelf_share: Annotated[float, Range(0, 1), 'of scenes that are a shelf, not a tote'] = 0.12
    drawer_share: Annotated[float, Range(0, 1), 'of scenes that are a drawer'] = 0.1
    relief_share: Annotated[float, Range(0, 1), 'of totes with a worn floor of panels'] = 0.0
    crowded_share: Annotated[float, Range(0, 1), 'of totes among devices and panels'] = 0.0
    tilted_share: Annotated[float, Range(0, 1), 'of views of 17 to 40 degrees'] = 0.2
    far_share: Annotated[float, Range(0, 1), 'of views of totes, from up to 1.7 times as far'] = (
        0.0
    )
    overfull_share: Annotated[float, Range(0, 1), 'of scenes heaped over the rim'] = 0.1
    intruder_share: Annotated[float, Range(0, 1), 'of scenes with a gripper or a hand'] = 0.25
    packed_share: Annotated[float, Range(0, 1), 'of totes with rows of one box'] = 0.06
    clean_depth_share: Annotated[float, Range(0, 1), 'of frames with nearly perfect depth'] = 0.12
    dotted_depth_share: Annotated[
        float, Range(0, 1), 'of frames whose depth camera is coarser than colour: a dotted picture'
    ] = 0.1


_TOTES = Recipe(
    relief_share=0.6, tilted_share=0.5, empty_share=0.15, shelf_share=0.08, drawer_share=0.06
)
_CELLS = replace(
    _TOTES, crowded_share=0.9, empty_share=0.3, sparse_share=0.25, shelf_share=0, drawer_share=0
)
_FAR_CELLS = replace(_CELLS, far_share=0.8)
RECIPES = {
    'clutter': Recipe(),
    'strong': Recipe(cup='strong'),  # of equal seeds: clutter's frames, labelled for that cup
    'totes': _TOTES,
    'cells': _CELLS,
    'far-cells': _FAR_CELLS,
    'strong-totes': replace(_TOTES, cup='strong'),
    'strong-far-cells': replace(_FAR_CELLS, cup='strong'),
    'zeng': Recipe(backgrounds=True),
    'clips': Recipe(views=16, motion=True),
}


def find(name: str) -> Recipe:
    """Return a named recipe, or read one from a YAML file; ValueError says what is wrong."""
    if name in RECIPES:
        return RECIPES[name]
    path = Path(name)
    if not path.is_file():
        known = ', '.join(RECIPES)
        raise FileNotFoundError(f'no recipe {name!r}: expected one of {known}, or a YAML file')
    return read(Recipe, path)
