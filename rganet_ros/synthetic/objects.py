"""
Eighteen kinds of things, each a pure function of its seed: shape, print, material, what collides.

The train and the test split never share a thing, and HELD_OUT kinds are in the test split alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from rganet_ros.synthetic import meshes, packaging, textures
from rganet_ros.synthetic.meshes import Mesh
from rganet_ros.synthetic.textures import colour

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


def _solid(rgb, alpha: float = 1.0) -> Rgba:
    return rgb[0] / 255, rgb[1] / 255, rgb[2] / 255, alpha


def _hull(mesh: Mesh, limit: int = 36) -> Collider:
    return Collider('hull', meshes.hull_points(mesh.vertices, limit))


def _cuboid(rng, kind: str, half: np.ndarray, look: packaging.Print, **more) -> Thing:
    bulge = rng.uniform(0.0, 0.0025) if rng.random() < 0.3 else 0.0
    mesh = meshes.box(half, bulge, 6 if bulge else 1)
    part = Part(mesh, packaging.box_atlas(rng, look), specular=0.25, shininess=0.3)
    return Thing(kind, (part,), (Collider('box', half),), **more)


def make_box(rng) -> Thing:
    """Make a carton: printed, or brown cardboard."""
    look = packaging.draw_print(rng, cardboard_share=0.25)
    half = np.sort(rng.uniform([0.018, 0.05, 0.07], [0.06, 0.12, 0.22]))[::-1] / 2
    gloss = 0.8 if rng.random() < 0.25 else rng.uniform(0.05, 0.4)
    return _cuboid(rng, 'box', half, look, density=rng.uniform(150, 500), gloss=gloss)


def make_book(rng) -> Thing:
    """Make a book: flat, heavy, glossy or not."""
    half = (
        np.array([rng.uniform(0.16, 0.24), rng.uniform(0.1, 0.17), rng.uniform(0.008, 0.03)]) / 2
    )
    return _cuboid(
        rng, 'book', half, packaging.draw_print(rng), density=700, gloss=rng.uniform(0.1, 0.5)
    )


def make_soap(rng) -> Thing:
    """Make a bar of soap in its carton."""
    half = np.array([0.095, 0.06, 0.028]) * rng.uniform(0.8, 1.1) / 2
    return _cuboid(rng, 'soap', half, packaging.draw_print(rng), density=600, gloss=0.5)


def make_sponge(rng) -> Thing:
    """Make a sponge: porous, so no cup holds it."""
    half = np.array([0.11, 0.07, 0.03]) * rng.uniform(0.8, 1.1) / 2
    part = Part(meshes.box(half, 0.001, 6), textures.sponge(rng), specular=0.02)
    return Thing('sponge', (part,), (Collider('box', half),), 80, porous=True, gloss=0.0)


def _turned_texture(rng, body, look, profile, bands, label) -> np.ndarray:
    """
    Picture for a lofted thing: body colour, a wrapped label and coloured bands.

    bands  (from, to, colour) and label (from, to) or None, as shares of the height
    """
    rows, columns = 256, 512
    picture = np.empty((rows, columns, 3), np.uint8)
    picture[:] = body
    height = profile[:, 1] / profile[:, 1].max()
    monotone = np.maximum.accumulate(height) + np.arange(len(height)) * 1e-9
    length = meshes.arc_length(profile)

    def row(share: float) -> int:
        return int(round((1 - np.interp(share, monotone, length)) * rows))

    if label is not None:
        top, bottom = row(label[1]), row(label[0])
        if bottom - top > 12:
            half = columns // 2
            picture[top:bottom, :half] = packaging.panel(rng, half, bottom - top, look)
            picture[top:bottom, half:] = packaging.panel(rng, half, bottom - top, look, 0.4)
    for low, high, fill in bands:
        picture[row(high) : row(low)] = fill
    return picture


def _turned(rng, kind, profile, label, *, bands=(), aspect=1.0, exponent=2.0, soft=False, **more):
    look = packaging.draw_print(rng)
    profile = np.asarray(profile, float)
    dense = meshes.densify(meshes.rounded(profile) if soft else profile, 0.006)
    middle = np.array([0, 0, profile[:, 1].max() / 2])
    body = colour(rng) if rng.random() < 0.6 else (240, 240, 236)
    picture = _turned_texture(rng, body, look, dense, bands, label)
    mesh = meshes.loft(dense, aspect, exponent)
    mesh = mesh._replace(vertices=mesh.vertices - middle)
    coarse = meshes.loft(profile, aspect, exponent, 12)
    part = Part(mesh, picture, specular=0.5, shininess=0.6)
    collider = Collider('hull', meshes.hull_points(coarse.vertices - middle))
    return Thing(kind, (part,), (collider,), **more)


def make_can(rng) -> Thing:
    """Make a can with a sunk lid and a label around it."""
    r, h = rng.uniform(0.026, 0.05), rng.uniform(0.07, 0.15)
    profile = [(0, 0), (0.9 * r, 0), (r, 0.004), (r, h - 0.004), (0.93 * r, h),
               (0.9 * r, h - 0.004), (0, h - 0.004)]  # fmt: skip
    ends = [(0, 0.02, (175, 175, 178)), (0.975, 1.01, (186, 187, 189))]
    thing = _turned(rng, 'can', profile, (0.03, 0.965), bands=ends, gloss=0.5, density=500)
    picture = thing.parts[0].texture  # the lid is where the curve runs inwards, above the rim
    picture[: int(256 * (1 - meshes.arc_length(np.array(profile))[3]))] = (186, 187, 189)
    return thing


def make_jar(rng) -> Thing:
    """Make a jar with a screw lid."""
    r, h = rng.uniform(0.026, 0.05), rng.uniform(0.07, 0.13)
    profile = [(0, 0), (0.95 * r, 0), (r, 0.006), (r, 0.75 * h), (0.85 * r, 0.8 * h),
               (0.85 * r, 0.82 * h), (0.92 * r, 0.82 * h), (0.92 * r, h), (0, h)]  # fmt: skip
    lid = [(0.82, 1.01, colour(rng) if rng.random() < 0.6 else (240, 240, 238))]
    return _turned(rng, 'jar', profile, (0.1, 0.72), bands=lid, gloss=0.45)


def make_cup(rng) -> Thing:
    """Make an open beaker, thin and tapered."""
    r, h = rng.uniform(0.026, 0.045), rng.uniform(0.07, 0.12)
    profile = [(0, 0), (0.75 * r, 0), (r, h), (0.96 * r, h), (0.71 * r, 0.004), (0, 0.004)]
    label = (0.05, 0.85) if rng.random() < 0.6 else None
    return _turned(rng, 'cup', profile, label, gloss=0.2, density=90)


def make_mug(rng) -> Thing:
    """Make a mug with a handle."""
    r, h = rng.uniform(0.036, 0.044), rng.uniform(0.08, 0.1)
    profile = [(0, 0), (0.9 * r, 0), (r, 0.006), (r, h), (0.93 * r, h), (0.9 * r, 0.008),
               (0, 0.008)]  # fmt: skip
    label = (0.1, 0.9) if rng.random() < 0.6 else None
    thing = _turned(rng, 'mug', profile, label, gloss=0.7, density=250, soft=True)
    ring = meshes.torus(0.28 * h, 0.005, -np.pi / 2, np.pi / 2)
    ring = ring._replace(vertices=ring.vertices * [0.8, 1.4, 1] + [0.98 * r, 0, 0])
    handle = Part(ring, None, _solid(tuple(thing.parts[0].texture[-1, 0])), 0.5, 0.6)
    block = Collider('box', np.array([0.008, 0.005, 0.28 * h]), (r + 0.014, 0.0, 0.0))
    return replace(thing, parts=(*thing.parts, handle), colliders=(*thing.colliders, block))


def make_tape(rng) -> Thing:
    """Make a roll of tape: a ring."""
    r, h = rng.uniform(0.035, 0.055), rng.uniform(0.015, 0.045)
    inner = r * rng.uniform(0.6, 0.8)
    profile = [(inner, 0), (r, 0), (r, h), (inner, h), (inner, 0)]
    return _turned(rng, 'tape', profile, None, gloss=0.3, density=500)


def make_bottle(rng) -> Thing:
    """Make a bottle, opaque or see-through."""
    r, h = rng.uniform(0.025, 0.042), rng.uniform(0.14, 0.22)
    profile = [(0, 0), (0.8 * r, 0), (r, 0.008), (r * rng.uniform(0.9, 1), 0.4 * h), (r, 0.6 * h),
               (0.9 * r, 0.7 * h), (0.4 * r, 0.86 * h), (0.38 * r, 0.9 * h), (0.45 * r, 0.9 * h),
               (0.45 * r, h), (0, h)]  # fmt: skip
    cap = colour(rng) if rng.random() < 0.6 else (240, 240, 238)
    thing = _turned(
        rng, 'bottle', profile, (0.3, 0.62), bands=[(0.89, 1.01, cap)], gloss=0.5, soft=True
    )
    if rng.random() > 0.35:
        return thing
    # A clear body is drawn see-through; its label and its cap lie around it as opaque shells.
    body = replace(thing.parts[0], texture=None, rgba=(0.86, 0.93, 0.95, rng.uniform(0.3, 0.5)))
    dense = meshes.densify(meshes.rounded(profile), 0.006)
    shells = []
    for low, high, picture, rgba in (
        (0.3, 0.62, packaging.panel(rng, 512, 128, packaging.draw_print(rng)), WHITE),
        (0.89, 1.01, None, _solid(cap)),
    ):
        inside = (dense[:, 1] >= low * h) & (dense[:, 1] <= high * h)
        shell = meshes.loft(dense[inside] * [1.015, 1])
        shell = shell._replace(vertices=shell.vertices - [0, 0, h / 2])
        shells.append(Part(shell, picture, rgba))
    return replace(thing, parts=(*shells, body), clear=True, gloss=0.9)


def make_shampoo(rng) -> Thing:
    """Make a flat bottle with a cap, oval to rounded square."""
    r, h = rng.uniform(0.03, 0.048), rng.uniform(0.12, 0.2)
    profile = [(0, 0), (0.9 * r, 0), (r, 0.01), (r * rng.uniform(0.85, 1), 0.5 * h),
               (r * rng.uniform(0.8, 1), 0.72 * h), (0.5 * r, 0.82 * h), (0.45 * r, 0.84 * h),
               (0.5 * r, 0.84 * h), (0.5 * r, h), (0, h)]  # fmt: skip
    cap = [(0.83, 1.01, colour(rng) if rng.random() < 0.6 else (240, 240, 238))]
    return _turned(
        rng, 'shampoo', profile, (0.12, 0.68), bands=cap, soft=True, gloss=0.5,
        aspect=rng.uniform(0.5, 0.75), exponent=rng.uniform(2, 4),
    )  # fmt: skip


def make_tube(rng) -> Thing:
    """Make a tube, round at its cap and flat at its end."""
    r, h = rng.uniform(0.015, 0.026), rng.uniform(0.1, 0.17)
    t = np.linspace(0.02, 1, 29)
    body = np.stack([r * (1 + 0.35 * t), h * t], -1)
    profile = np.concatenate([[(0, -0.02), (0.7 * r, -0.02), (0.7 * r, 0)], body, [(0, h)]])
    aspect = np.concatenate([[1, 1, 1], np.maximum(0.06, 1 - 0.95 * t), [0.06]])
    mesh = meshes.loft(profile, aspect)
    mesh = mesh._replace(vertices=mesh.vertices - [0, 0, h / 2])
    picture = np.rot90(packaging.panel(rng, 256, 512, packaging.draw_print(rng)))
    part = Part(mesh, np.ascontiguousarray(picture), specular=0.5, shininess=0.6)
    return Thing('tube', (part,), (_hull(mesh),), gloss=0.5)


def make_bag(rng) -> Thing:
    """Make a filled bag: glossy, wrinkled film."""
    look = packaging.draw_print(rng)
    mesh = meshes.pillow(
        rng, rng.uniform(0.05, 0.1), rng.uniform(0.035, 0.07), rng.uniform(0.008, 0.028)
    )
    picture = np.vstack([packaging.panel(rng, 384, 256, look, share) for share in (1, 0.3)])
    part = Part(mesh, picture, specular=0.7, shininess=0.7)
    return Thing(
        'bag', (part,), (_hull(mesh),), density=rng.uniform(150, 400), gloss=rng.uniform(0.5, 1)
    )


def make_blister(rng) -> Thing:
    """Make a blister pack: a card with a clear dome over its content."""
    look = packaging.draw_print(rng)
    half = np.array([rng.uniform(0.04, 0.065), rng.uniform(0.06, 0.1), 0.0012])
    card = Part(meshes.box(half), packaging.box_atlas(rng, look, 200, 280), specular=0.2)
    a, b, deep = (
        half[0] * rng.uniform(0.5, 0.8),
        half[1] * rng.uniform(0.4, 0.6),
        rng.uniform(0.012, 0.03),
    )
    offset = np.array([0, -0.25 * half[1], 0])
    dome = meshes.loft(
        meshes.densify([(1, 0), (0.97, 0.5), (0.9, 0.85), (0.75, 1), (0, 1)], 0.08), b / a, 5.0, 32
    )
    content = meshes.loft(
        meshes.densify([(0, 0.03), (0.8, 0.05), (0.82, 0.6), (0.6, 0.8), (0, 0.85)], 0.1),
        0.8 * b / a, 3.0, 24,
    )  # fmt: skip
    dome, content = (
        mesh._replace(vertices=mesh.vertices * [a, a, deep] + offset) for mesh in (dome, content)
    )
    inside = Part(content, packaging.panel(rng, 256, 128, packaging.draw_print(rng)))
    shell = Part(dome, None, (0.92, 0.95, 1.0, 0.26), 1.0, 0.9)
    colliders = Collider('box', half + [0, 0, 0.0003]), _hull(dome, 30)
    return Thing('blister', (card, inside, shell), colliders, 150, clear=True, gloss=0.8)


def make_ball(rng) -> Thing:
    """Make a ball."""
    r, polar = rng.uniform(0.018, 0.036), np.linspace(-np.pi / 2, np.pi / 2, 24)
    mesh = meshes.loft(np.stack([r * np.cos(polar), r * np.sin(polar)], -1))
    if rng.random() < 0.4:
        picture = packaging.panel(rng, 256, 128, packaging.draw_print(rng))
    else:
        rough = 12 * textures.noise(rng, 128, 256, 20)[..., None]
        picture = textures.to_uint8(np.array(colour(rng)) + rough)
    return Thing('ball', (Part(mesh, picture),), (Collider('sphere', np.array([r])),))


def make_hull(rng) -> Thing:
    """Make a stone: a few random facets."""
    points = rng.standard_normal((14, 3))
    points *= rng.uniform(0.02, 0.05, 3) / np.linalg.norm(points, axis=1, keepdims=True)
    part = Part(meshes.facets(points), None, _solid(colour(rng)))
    return Thing('hull', (part,), (Collider('hull', points),))


def make_pen(rng) -> Thing:
    """Make a pen: too thin for a cup."""
    r, h = rng.uniform(0.004, 0.009), rng.uniform(0.12, 0.19)
    profile = [(0, 0), (0.3 * r, 0), (r, 0.015), (r, 0.7 * h), (1.15 * r, 0.7 * h), (1.1 * r, h),
               (0, h)]  # fmt: skip
    mesh = meshes.loft(meshes.densify(profile, 0.01), rng.uniform(0.6, 1), rng.uniform(2, 4), 16)
    mesh = mesh._replace(vertices=mesh.vertices - [0, 0, h / 2])
    picture = np.empty((256, 64, 3), np.uint8)
    picture[:80], picture[80:] = colour(rng), colour(rng)
    return Thing('pen', (Part(mesh, picture, specular=0.5),), (_hull(mesh, 24),), gloss=0.3)


def make_cloth(rng) -> Thing:
    """Make a crumpled cloth: porous, so no cup holds it."""
    half = (rng.uniform(0.05, 0.09), rng.uniform(0.04, 0.07), rng.uniform(0.012, 0.03))
    mesh = meshes.lump(rng, half)
    part = Part(mesh, textures.cloth(rng), specular=0.02, shininess=0.1)
    return Thing('cloth', (part,), (_hull(mesh),), 150, porous=True, gloss=0.0)


# How often a kind is drawn.
KINDS: dict[str, tuple[Callable[[np.random.Generator], Thing], float]] = {
    'box': (make_box, 8), 'book': (make_book, 2), 'can': (make_can, 3), 'bottle': (make_bottle, 3),
    'shampoo': (make_shampoo, 3), 'jar': (make_jar, 2), 'tube': (make_tube, 2),
    'bag': (make_bag, 4), 'blister': (make_blister, 2.5), 'mug': (make_mug, 1.5),
    'ball': (make_ball, 1.5), 'hull': (make_hull, 1), 'pen': (make_pen, 2),
    'cloth': (make_cloth, 2), 'tape': (make_tape, 1), 'sponge': (make_sponge, 1),
    'soap': (make_soap, 1.5), 'cup': (make_cup, 1),
}  # fmt: skip
HELD_OUT = ('shampoo', 'jar', 'mug', 'soap')
SPLITS = ('train', 'test')


@lru_cache(maxsize=512)
def thing(split: str, number: int) -> Thing:
    """Make the thing of this number in the bank of 'train' or 'test'; always the same one."""
    rng = np.random.default_rng([2026, SPLITS.index(split), number])
    kinds = [kind for kind in KINDS if split == 'test' or kind not in HELD_OUT]
    weights = np.array([KINDS[kind][1] for kind in kinds])
    return KINDS[rng.choice(kinds, p=weights / weights.sum())][0](rng)
