"""What a thing is: the parts that are seen, the shapes that collide, its material."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from rganet_ros.synthetic.meshes import Mesh

Rgba = tuple[float, float, float, float]
WHITE = (1.0, 1.0, 1.0, 1.0)


@dataclass(frozen=True, eq=False)
class Part:
    """A visible mesh: picture (H, W, 3) uint8 or None, colour 0..1, highlight: strength, width."""

    mesh: Mesh
    texture: np.ndarray | None = None
    rgba: Rgba = WHITE
    specular: float = 0.3
    shininess: float = 0.4


@dataclass(frozen=True, eq=False)
class Collider:
    """What collides: 'box' (half sizes), 'sphere' (a radius) or 'hull' (points (n, 3))."""

    shape: str
    size: np.ndarray
    position: tuple[float, float, float] = (0.0, 0.0, 0.0)


@dataclass(frozen=True, eq=False)
class Thing:
    """One object, centred near its origin. density kg/m3; gloss 0..1 is how much it mirrors."""

    kind: str
    parts: tuple[Part, ...]
    colliders: tuple[Collider, ...]
    density: float = 350.0
    porous: bool = False
    clear: bool = False
    gloss: float = 0.25


def solid(rgb, alpha: float = 1.0) -> Rgba:
    """Colour 0..1 of a part from one of 0..255."""
    return rgb[0] / 255, rgb[1] / 255, rgb[2] / 255, alpha
