"""Kinds under clear plastic: blister card, clamshell box, shrink-wrapped pack."""

from __future__ import annotations

import numpy as np
from rganet_ros.synthetic import meshes, packaging, turned
from rganet_ros.synthetic.textures import colour, noise
from rganet_ros.synthetic.thing import box, hull, Part, solid, Thing


def make_blister(rng) -> Thing:
    """Make a blister pack: a card with a clear dome over its content."""
    look = packaging.draw_print(rng)
    half = np.array([rng.uniform(0.04, 0.065), rng.uniform(0.06, 0.1), 0.0012])
    card = Part(meshes.box(half), packaging.box_atlas(rng, look, 200, 280), specular=0.2)
    a, b = half[:2] * rng.uniform([0.5, 0.4], [0.8, 0.6])
    size, middle = [a, a, rng.uniform(0.012, 0.03)], [0, -0.25 * half[1], 0]
    dome = meshes.densify([(1, 0), (0.97, 0.5), (0.9, 0.85), (0.75, 1), (0, 1)], 0.08)
    dome = meshes.moved(meshes.loft(dome, b / a, 5.0, 32), middle, size)
    inside = meshes.densify([(0, 0.03), (0.8, 0.05), (0.82, 0.6), (0.6, 0.8), (0, 0.85)], 0.1)
    inside = meshes.moved(meshes.loft(inside, 0.8 * b / a, 3.0, 24), middle, size)
    content = Part(inside, packaging.panel(rng, 256, 128, packaging.draw_print(rng)))
    shell = Part(dome, None, (0.92, 0.95, 1.0, 0.15), 1.0, 0.9)
    colliders = box(half + [0, 0, 0.0003]), hull(dome, 30)
    return Thing('blister', (card, content, shell), colliders, 150, gloss=0.8)


def make_clear_box(rng) -> Thing:
    """Make a clear box with round things in it and perhaps a label on its lid."""
    half = rng.uniform([0.045, 0.035, 0.018], [0.085, 0.06, 0.04])
    profile = [(0, -1), (0.88, -1), (0.93, -0.9), (1, 0.5), (1.04, 0.52), (1.04, 0.6), (1, 0.62),
               (0.97, 0.95), (0.9, 1), (0, 1)]  # fmt: skip
    shell = meshes.moved(meshes.loft(meshes.densify(profile, 0.1), 1.0, 6.0, 48), [0, 0, 0], half)
    r = rng.uniform(0.35, 0.8) * half[2]
    polar = np.linspace(-np.pi / 2, np.pi / 2, 10)
    ball = meshes.loft(np.stack([r * np.cos(polar), r * np.sin(polar)], -1), segments=16)
    columns, rows = np.maximum(1, (half[:2] * 0.9 / r).astype(int))
    spots = [
        ((x - (columns - 1) / 2) * 2 * r, (y - (rows - 1) / 2) * 2 * r, r - 0.93 * half[2])
        for x in range(columns) for y in range(rows) if rng.random() < 0.9
    ]  # fmt: skip
    content = meshes.joined([meshes.moved(ball, spot) for spot in [*spots, (0, 0, r - half[2])]])
    parts = [
        Part(content, None, solid(colour(rng)), 0.4),
        Part(shell, None, (0.93, 0.96, 1.0, rng.uniform(0.08, 0.25)), 1.0, 0.9),
    ]
    if rng.random() < 0.6:
        label = meshes.box([0.5 * half[0], 0.4 * half[1], 0.0004])
        picture = packaging.box_atlas(rng, packaging.draw_print(rng))
        parts.append(Part(meshes.moved(label, [0, 0, half[2] + 0.0003]), picture))
    return Thing('clear_box', tuple(parts), (box(half),), 300, gloss=0.9)


def make_pack(rng) -> Thing:
    """Make a shrink-wrapped pack: cans, jars or bottles in rows under one wrinkled film."""
    make = (turned.make_can, turned.make_bottle)[rng.integers(2)]
    one = make(rng).parts[0]
    squeeze = rng.uniform(0.55, 0.75)
    mesh = meshes.moved(one.mesh, [0, 0, 0], squeeze)
    size = np.ptp(mesh.vertices, axis=0)
    columns, rows = int(rng.integers(2, 4)), int(rng.integers(1, 3))
    spots = [
        ((x - (columns - 1) / 2) * size[0], (y - (rows - 1) / 2) * size[1], 0)
        for x in range(columns) for y in range(rows)
    ]  # fmt: skip
    half = np.array([columns, rows, 1]) * size / 2 + 0.0008
    t = np.linspace(-np.pi / 2, np.pi / 2, 9)
    side = np.stack([0.94 + 0.06 * np.cos(t), np.sin(t)], -1)
    profile = meshes.densify(np.concatenate([[(0, -1)], side, [(0, 1)]]), 0.1)
    film = meshes.loft(profile, 1.0, 7.0, 64)
    ripple = 0.012 * noise(rng, len(profile), 65, 14, 2)
    ripple[:, -1] = ripple[:, 0]
    film = meshes.moved(film, [0, 0, 0], half * (1 + ripple.reshape(-1, 1) * [1, 1, 0.6]))
    parts = (
        Part(meshes.joined([meshes.moved(mesh, spot) for spot in spots]), one.texture,
             specular=0.5, shininess=0.6),
        Part(film, None, (0.95, 0.97, 1.0, rng.uniform(0.06, 0.22)), 1.0, 0.9),
    )  # fmt: skip
    return Thing('pack', parts, (hull(film),), 450, gloss=1.0)
