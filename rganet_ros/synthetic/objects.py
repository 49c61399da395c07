"""
Eighteen kinds of things, each a pure function of its seed: shape, print, material, what collides.

The train and the test split never share a thing, and HELD_OUT kinds are in the test split alone.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from rganet_ros.synthetic import meshes, packaging, textures, turned
from rganet_ros.synthetic.meshes import Mesh
from rganet_ros.synthetic.textures import colour
from rganet_ros.synthetic.thing import Collider, Part, solid, Thing


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
    return Thing('blister', (card, inside, shell), colliders, 150, gloss=0.8)


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
    part = Part(meshes.facets(points), None, solid(colour(rng)))
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
    'box': (make_box, 8), 'book': (make_book, 2), 'can': (turned.make_can, 3),
    'bottle': (turned.make_bottle, 3), 'shampoo': (turned.make_shampoo, 3),
    'jar': (turned.make_jar, 2), 'tube': (make_tube, 2), 'bag': (make_bag, 4),
    'blister': (make_blister, 2.5), 'mug': (turned.make_mug, 1.5), 'ball': (make_ball, 1.5),
    'hull': (make_hull, 1), 'pen': (make_pen, 2), 'cloth': (make_cloth, 2),
    'tape': (turned.make_tape, 1), 'sponge': (make_sponge, 1), 'soap': (make_soap, 1.5),
    'cup': (turned.make_cup, 1),
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
