"""
Kinds of things, each a pure function of its seed: shape, print, material, what collides.

The train and the test split never share a thing, and HELD_OUT kinds are in the test split alone.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from rganet_ros.synthetic import clear, hollow, meshes, packaging, soft, textures, tools, turned
from rganet_ros.synthetic.textures import colour
from rganet_ros.synthetic.thing import box, Collider, hull, Part, solid, Thing


def _cuboid(rng, kind: str, half: np.ndarray, look: packaging.Print, **more) -> Thing:
    bulge = rng.uniform(0.0, 0.0025) if rng.random() < 0.3 else 0.0
    mesh = meshes.box(half, bulge, 6 if bulge else 1)
    part = Part(mesh, packaging.box_atlas(rng, look), specular=0.25, shininess=0.3)
    return Thing(kind, (part,), (box(half),), **more)


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
    return Thing('tube', (part,), (hull(mesh),), gloss=0.5)


def make_bag(rng) -> Thing:
    """Make a filled bag: glossy, wrinkled film."""
    look = packaging.draw_print(rng)
    mesh = meshes.pillow(
        rng, rng.uniform(0.05, 0.1), rng.uniform(0.035, 0.07), rng.uniform(0.008, 0.028)
    )
    picture = np.vstack([packaging.panel(rng, 384, 256, look, share) for share in (1, 0.3)])
    part = Part(mesh, picture, specular=0.7, shininess=0.7)
    return Thing(
        'bag', (part,), (hull(mesh),), density=rng.uniform(150, 400), gloss=rng.uniform(0.5, 1)
    )


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
    return Thing('pen', (Part(mesh, picture, specular=0.5),), (hull(mesh, 24),), gloss=0.3)


# How often a kind is drawn.
KINDS: dict[str, tuple[Callable[[np.random.Generator], Thing], float]] = {
    'box': (make_box, 10), 'book': (make_book, 2), 'can': (turned.make_can, 3),
    'bottle': (turned.make_bottle, 2), 'shampoo': (turned.make_shampoo, 3),
    'jar': (turned.make_jar, 2), 'tube': (make_tube, 2), 'bag': (make_bag, 4),
    'blister': (clear.make_blister, 2.5), 'mug': (turned.make_mug, 1.5), 'ball': (make_ball, 1),
    'hull': (make_hull, 0.5), 'pen': (make_pen, 1.5), 'cloth': (soft.make_cloth, 1.5),
    'tape': (turned.make_tape, 1), 'sponge': (soft.make_sponge, 1), 'soap': (make_soap, 1.5),
    'cup': (turned.make_cup, 1), 'clear_bottle': (turned.make_clear_bottle, 1.5),
    'glass': (turned.make_glass, 1), 'clear_box': (clear.make_clear_box, 1.5),
    'pack': (clear.make_pack, 2), 'towel': (soft.make_towel, 1.5), 'glove': (soft.make_glove, 1.5),
    'plush': (soft.make_plush, 1.5), 'mesh_cup': (hollow.make_mesh_cup, 1.5),
    'basket': (hollow.make_basket, 1), 'open_box': (hollow.make_open_box, 1.5),
    'lid': (hollow.make_lid, 1), 'cable': (hollow.make_cable, 1.5),
    'scissors': (tools.make_scissors, 1), 'wrench': (tools.make_wrench, 0.7),
    'pliers': (tools.make_pliers, 0.7), 'spoon': (tools.make_spoon, 1),
    'screwdriver': (turned.make_screwdriver, 0.7), 'torch': (turned.make_torch, 1),
    'brush': (tools.make_brush, 1), 'whisk': (tools.make_whisk, 1),
}  # fmt: skip
HELD_OUT = (
    'shampoo', 'jar', 'mug', 'soap', 'clear_box', 'plush', 'basket', 'wrench', 'whisk'
)  # fmt: skip
SPLITS = ('train', 'test')


@lru_cache(maxsize=512)
def thing(split: str, number: int) -> Thing:
    """Make the thing of this number in the bank of 'train' or 'test'; always the same one."""
    rng = np.random.default_rng([2026, SPLITS.index(split), number])
    kinds = [kind for kind in KINDS if split == 'test' or kind not in HELD_OUT]
    weights = np.array([KINDS[kind][1] for kind in kinds])
    return KINDS[rng.choice(kinds, p=weights / weights.sum())][0](rng)
