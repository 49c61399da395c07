"""Soft kinds, all porous: cloth, a folded towel, a sponge, a glove, a plush animal."""

from __future__ import annotations

import numpy as np
from rganet_ros.synthetic import meshes, textures
from rganet_ros.synthetic.silhouettes import blown, Drawing
from rganet_ros.synthetic.textures import colour, noise
from rganet_ros.synthetic.thing import box, hull, Part, Thing


def _soft(kind: str, mesh: meshes.Mesh, picture, collider, density: float = 150) -> Thing:
    part = Part(mesh, picture, specular=0.02, shininess=0.1)
    return Thing(kind, (part,), (collider,), density, porous=True, gloss=0.0)


def make_sponge(rng) -> Thing:
    """Make a sponge."""
    half = np.array([0.11, 0.07, 0.03]) * rng.uniform(0.8, 1.1) / 2
    return _soft('sponge', meshes.box(half, 0.001, 6), textures.sponge(rng), box(half), 80)


def make_cloth(rng) -> Thing:
    """Make a crumpled cloth."""
    half = (rng.uniform(0.05, 0.09), rng.uniform(0.04, 0.07), rng.uniform(0.012, 0.03))
    mesh = meshes.lump(rng, half)
    return _soft('cloth', mesh, textures.cloth(rng), hull(mesh))


def make_towel(rng) -> Thing:
    """Make a folded towel: layers with round folds, stripes along them."""
    half = np.array([rng.uniform(0.06, 0.11), rng.uniform(0.045, 0.08)])
    layers, thick = int(rng.integers(2, 5)), rng.uniform(0.005, 0.009)
    parts = []
    for k in range(layers):
        t = np.linspace(-np.pi / 2, np.pi / 2, 7)
        hem = np.stack([1 - 0.5 * thick / half[0] * (1 - np.cos(t)), 0.5 * thick * np.sin(t)], -1)
        middle = np.linspace(0, 0.93, 7)
        profile = np.concatenate(
            [
                np.stack([middle, 0 * middle - 0.5 * thick], -1),
                hem,
                np.stack([middle, 0 * middle + 0.5 * thick], -1)[::-1],
            ]
        )
        size = [*half * (1 - 0.02 * rng.random(2)), 1]
        layer = meshes.loft(profile, 1.0, 9.0, 48)
        layer = meshes.moved(layer, [*rng.normal(0, 0.002, 2), (k + 0.5) * thick], size)
        wavy = 0.0012 * noise(rng, len(profile), 49, 4, 2)
        wavy[:, -1] = wavy[:, 0]
        wavy = (wavy * profile[:, :1]).reshape(-1, 1) * [0, 0, 1]
        layer = layer._replace(
            vertices=layer.vertices + wavy, uv=0.5 + 0.5 * layer.vertices[:, :2] / half
        )
        parts.append(layer)
    base = np.array(colour(rng, 0.05, 0.5), np.float32)
    picture = np.tile(base, (256, 256, 1))
    for _ in range(rng.integers(0, 4)):
        at, width = rng.integers(0, 230), rng.integers(4, 26)
        picture[:, at : at + width] = colour(rng, 0.2, 0.4)
    loops = 16 * rng.standard_normal((256, 256, 1)) + 8 * noise(rng, 256, 256, 40)[..., None]
    height = layers * thick
    mesh = meshes.moved(meshes.joined(parts), [0, 0, -height / 2])
    return _soft('towel', mesh, textures.to_uint8(picture + loops), box([*half, height / 2]), 200)


def _woven(rng, drawing: Drawing, grain: float) -> np.ndarray:
    size = len(drawing.picture)
    return textures.to_uint8(drawing.picture + grain * rng.standard_normal((size, size, 1)))


def make_glove(rng) -> Thing:
    """Make a glove, its fingers spread or together, of knit or with a coated palm."""
    dark = (22, 22, 25) if rng.random() < 0.4 else colour(rng, 0.05, 0.4)
    tip = dark if rng.random() < 0.5 else colour(rng)
    drawing = Drawing().polygon([(0.3, 0.5), (0.7, 0.5), (0.66, 0.97), (0.34, 0.97)], dark)
    drawing.disc((0.5, 0.62), (0.22, 0.18), tip)
    spread = rng.uniform(0.1, 0.5)
    for k, long in enumerate((0.36, 0.43, 0.4, 0.31)):
        x, angle = 0.35 + 0.1 * k, spread * (k - 1.5) / 1.5 + rng.normal(0, 0.08)
        end = x + long * np.sin(angle), 0.55 - long * np.cos(angle)
        drawing.stroke([(x, 0.55), end], 0.088, tip)
    angle = rng.uniform(0.3, 1.1)
    drawing.stroke(
        [(0.66, 0.7), (0.7 + 0.27 * np.sin(angle), 0.66 - 0.27 * np.cos(angle))], 0.095, tip
    )
    drawing.polygon([(0.33, 0.88), (0.67, 0.88), (0.66, 0.97), (0.34, 0.97)], colour(rng))
    length = rng.uniform(0.2, 0.26)
    mesh = blown(drawing, length, rng.uniform(0.007, 0.012), 0.012)
    x, y = mesh.vertices[:, 0] / length, mesh.vertices[:, 1] / length
    bent = length * (rng.normal(0, 0.5) * y**2 + rng.normal(0, 0.4) * x * y)
    bent += 0.0015 * np.sin(60 * y + 20 * x)
    mesh = mesh._replace(vertices=mesh.vertices + np.stack([0 * x, 0 * x, bent], -1))
    return _soft('glove', mesh, _woven(rng, drawing, 7), hull(mesh))


def make_plush(rng) -> Thing:
    """Make a plush animal: head, ears, limbs, a face."""
    fur = np.array(colour(rng, 0.15, 0.4) if rng.random() < 0.6 else (236, 228, 215))
    light = 0.5 * fur + 120
    drawing = Drawing()
    ear, wide = rng.uniform(0.06, 0.1), rng.uniform(0.16, 0.22)
    for side in (-1, 1):
        drawing.disc((0.5 + side * 0.16, 0.12 + rng.uniform(0, 0.03)), (ear, ear * 1.2), fur)
        drawing.stroke(
            [(0.5 + side * 0.12, 0.52), (0.5 + side * rng.uniform(0.26, 0.4), 0.6)], 0.15, fur
        )
        drawing.stroke(
            [(0.5 + side * 0.1, 0.76), (0.5 + side * rng.uniform(0.16, 0.3), 0.9)], 0.17, fur
        )
    drawing.disc((0.5, 0.64), (wide, 0.23), fur).disc((0.5, 0.66), (0.6 * wide, 0.15), light)
    drawing.disc((0.5, 0.27), (0.2, 0.18), fur).disc((0.5, 0.32), (0.1, 0.075), light)
    drawing.disc((0.5, 0.29), (0.035, 0.025), (20, 18, 18))
    for side in (-1, 1):
        drawing.disc((0.5 + side * 0.085, 0.23), (0.02, 0.02), (15, 15, 15))
    length = rng.uniform(0.15, 0.24)
    mesh = blown(drawing, length, rng.uniform(0.02, 0.034), 0.24 * length)
    return _soft('plush', mesh, _woven(rng, drawing, 16), hull(mesh), 120)
