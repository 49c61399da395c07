"""What a thing is: the parts that are seen, the shapes that collide, its material."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from rganet_ros.synthetic.meshes import hull_points, Mesh

Rgba = tuple[float, float, float, float]
WHITE = (1.0, 1.0, 1.0, 1.0)
SKIN = (1.0, 1.0, 1.0, 0.02)  # of a part that stands for wires: as good as not there


@dataclass(frozen=True, eq=False)
class Part:
    """
    A visible mesh, in the thing's frame.

    texture    (H, W, 3) uint8 RGB, or None
    rgba       0..1, times the texture; below 1 the last is the share of light that is kept back
    specular   0..1, strength of the highlight
    shininess  0..1, the larger the narrower the highlight
    fine       too thin for depth and ids, where another part, SKIN, stands for it
    """

    mesh: Mesh
    texture: np.ndarray | None = None
    rgba: Rgba = WHITE
    specular: float = 0.3
    shininess: float = 0.4
    fine: bool = False


@dataclass(frozen=True, eq=False)
class Collider:
    """
    What collides, metres in the thing's frame.

    shape     'box', 'sphere' or 'hull'
    size      of a box its half sizes (3,), of a sphere its radius (1,), of a hull points (n, 3)
    position  of its middle; for a hull added to the points
    """

    shape: str
    size: np.ndarray
    position: tuple[float, float, float] = (0.0, 0.0, 0.0)


def hull(mesh: Mesh, limit: int = 28) -> Collider:
    """Let the convex hull of a mesh collide, or what `limit` of its corners span."""
    return Collider('hull', hull_points(mesh.vertices, limit))


def box(half, position=(0.0, 0.0, 0.0)) -> Collider:
    """Let a box collide: half sizes and middle (3,), metres."""
    return Collider('box', np.asarray(half, float), tuple(position))


@dataclass(frozen=True, eq=False)
class Thing:
    """
    One object, in a frame of its own, metres: its middle near the origin, z up where it stands.

    density  kg/m3, of the colliders
    porous   air comes through: only a strong vacuum holds it
    open     mesh or bristles: no cup holds it
    gloss    0..1, how much it mirrors
    """

    kind: str
    parts: tuple[Part, ...]
    colliders: tuple[Collider, ...]
    density: float = 350.0
    porous: bool = False
    open: bool = False
    gloss: float = 0.25


def solid(rgb, alpha: float = 1.0) -> Rgba:
    """Colour 0..1 of a part from one of 0..255."""
    return rgb[0] / 255, rgb[1] / 255, rgb[2] / 255, alpha
