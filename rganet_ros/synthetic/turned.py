"""Kinds made on a lathe: a profile turned around z, a label and bands printed around it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from rganet_ros.synthetic import meshes, packaging
from rganet_ros.synthetic.textures import colour
from rganet_ros.synthetic.thing import Collider, hull, Part, solid, Thing


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
    """
    Turn a profile, (n, 2) radius and height in metres, about z; its middle is the origin.

    label, bands      as for _turned_texture
    aspect, exponent  as for meshes.loft
    soft              rounds the profile's corners
    """
    look = packaging.draw_print(rng)
    profile = np.asarray(profile, float)
    dense = meshes.densify(meshes.rounded(profile) if soft else profile, 0.009)
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
    bend = np.linspace(-np.pi / 2, np.pi / 2, 18)
    bow = 0.28 * h * np.stack([np.cos(bend), 0 * bend, np.sin(bend)], -1)
    ring = meshes.moved(meshes.tube(bow, 0.005, 10), [0.98 * r, 0, 0], [0.8, 1.4, 1])
    handle = Part(ring, None, solid(tuple(thing.parts[0].texture[-1, 0])), 0.5, 0.6)
    block = Collider('box', np.array([0.008, 0.005, 0.28 * h]), (r + 0.014, 0.0, 0.0))
    return replace(thing, parts=(*thing.parts, handle), colliders=(*thing.colliders, block))


def make_tape(rng) -> Thing:
    """Make a roll of tape: a ring."""
    r, h = rng.uniform(0.035, 0.055), rng.uniform(0.015, 0.045)
    inner = r * rng.uniform(0.6, 0.8)
    profile = [(inner, 0), (r, 0), (r, h), (inner, h), (inner, 0)]
    return _turned(rng, 'tape', profile, None, gloss=0.3, density=500)


def _bottle_profile(rng) -> np.ndarray:
    r, h = rng.uniform(0.025, 0.042), rng.uniform(0.14, 0.22)
    return np.array(
        [(0, 0), (0.8 * r, 0), (r, 0.008), (r * rng.uniform(0.9, 1), 0.4 * h), (r, 0.6 * h),
         (0.9 * r, 0.7 * h), (0.4 * r, 0.86 * h), (0.38 * r, 0.9 * h), (0.45 * r, 0.9 * h),
         (0.45 * r, h), (0, h)]
    )  # fmt: skip


def _cap(rng):
    return colour(rng) if rng.random() < 0.6 else (240, 240, 238)


def make_bottle(rng) -> Thing:
    """Make a bottle."""
    profile, cap = _bottle_profile(rng), [(0.89, 1.01, _cap(rng))]
    return _turned(rng, 'bottle', profile, (0.3, 0.62), bands=cap, gloss=0.5, soft=True)


def make_clear_bottle(rng) -> Thing:
    """Make a see-through bottle: its label and its cap lie around it, its content within."""
    profile = _bottle_profile(rng)
    h = profile[-1, 1]
    dense = meshes.densify(meshes.rounded(profile), 0.006)
    printed = packaging.panel(rng, 512, 128, packaging.draw_print(rng))

    def shell(low: float, high: float, scale: float) -> meshes.Mesh:
        inside = (dense[:, 1] >= low * h) & (dense[:, 1] <= high * h)
        return meshes.moved(meshes.loft(dense[inside] * [scale, 1]), [0, 0, -h / 2])

    whole = meshes.moved(meshes.loft(dense), [0, 0, -h / 2])
    tint = rng.choice([(0.92, 0.97, 1.0), (0.75, 0.9, 1.0), (0.7, 0.95, 0.75), (0.9, 0.75, 0.5)])
    parts = [
        Part(whole, None, (*tint, rng.uniform(0.12, 0.35)), 1.0, 0.9),
        Part(shell(0.89, 1.01, 1.02), None, solid(_cap(rng)), 0.5, 0.6),
    ]
    if rng.random() < 0.8:
        parts.append(Part(shell(0.3, 0.62, 1.015), printed, specular=0.5))
    if rng.random() < 0.4:
        drink = meshes.rounded([(0, 0), *profile[1:6] * [0.96, 1], (0, profile[5, 1])])
        drink = meshes.moved(meshes.loft(drink), [0, 0, 0.002 - h / 2])
        parts.append(Part(drink, None, solid(colour(rng))))
    return Thing('clear_bottle', tuple(parts), (hull(whole),), gloss=0.9)


def make_glass(rng) -> Thing:
    """Make a wine glass or a tumbler: thin, see-through, glossy."""
    r, h = rng.uniform(0.03, 0.042), rng.uniform(0.09, 0.2)
    profile = np.array(
        [(0, 0), (0.8 * r, 0), (r, h), (0.96 * r, h), (0.78 * r, 0.006), (0, 0.006)]
        if rng.random() < 0.4 else
        [(0, 0), (0.85 * r, 0), (0.8 * r, 0.004), (0.1 * r, 0.01), (0.1 * r, 0.45 * h),
         (0.7 * r, 0.58 * h), (r, 0.75 * h), (0.85 * r, h), (0.82 * r, h), (0.95 * r, 0.75 * h),
         (0.6 * r, 0.6 * h), (0, 0.5 * h)]
    )  # fmt: skip
    mesh = meshes.loft(meshes.densify(meshes.rounded(profile), 0.006))
    mesh = meshes.moved(mesh, [0, 0, -h / 2])
    part = Part(mesh, None, (0.95, 0.98, 1.0, rng.uniform(0.05, 0.15)), 1.0, 0.9)
    return Thing('glass', (part,), (hull(mesh),), gloss=1.0)


def make_screwdriver(rng) -> Thing:
    """Make a screwdriver: a grooved grip and a steel shaft."""
    r, h = rng.uniform(0.011, 0.017), rng.uniform(0.16, 0.24)
    grip = rng.uniform(0.4, 0.55) * h
    profile = [(0, 0), (0.8 * r, 0.002), (r, 0.15 * grip), (0.85 * r, 0.7 * grip),
               (0.95 * r, 0.9 * grip), (0.5 * r, grip), (0.003, grip + 0.001), (0.003, h),
               (0, h)]  # fmt: skip
    bands = [(grip / h, 1.01, (165, 167, 170)), (0.0, 0.15, colour(rng))]
    return _turned(
        rng, 'screwdriver', profile, None, bands=bands, exponent=rng.uniform(2, 3.5), gloss=0.5,
        density=1200,
    )  # fmt: skip


def make_torch(rng) -> Thing:
    """Make a pocket torch: anodised metal, a wide head, rings."""
    r, h = rng.uniform(0.010, 0.015), rng.uniform(0.08, 0.16)
    w, head = r * rng.uniform(1.1, 1.5), rng.uniform(0.68, 0.8) * h
    profile = [(0, 0), (0.9 * r, 0), (r, 0.003), (r, 0.3 * h), (0.93 * r, 0.31 * h),
               (0.93 * r, 0.55 * h), (r, 0.56 * h), (r, head), (w, head + 0.006), (w, h),
               (0.85 * w, h), (0.8 * w, h - 0.004), (0, h - 0.004)]  # fmt: skip
    bands = [(share, share + 0.015, (215, 215, 220)) for share in (0.05, 0.29, 0.57, 0.93)]
    return _turned(rng, 'torch', profile, None, bands=bands, gloss=1.0, density=1300)


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
