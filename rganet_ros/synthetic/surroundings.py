"""What is around a container, all of it background: a floor, rails, cables, machines, cartons."""

from __future__ import annotations

import mujoco
import numpy as np
from rganet_ros.synthetic import meshes, packaging, textures
from rganet_ros.synthetic.thing import solid

ALUMINIUM = (0.72, 0.73, 0.74, 1.0)
GHOST = {'contype': 0, 'conaffinity': 0}


def ground(rng, builder, below: float) -> None:
    """Lay a floor at z = `below`, metres."""
    material = builder.material(textures.floor(rng), specular=0.1, repeat=rng.uniform(1.5, 5))
    builder.spec.worldbody.add_geom(
        type=mujoco.mjtGeom.mjGEOM_PLANE, size=[3, 3, 0.1], pos=[0, 0, below], material=material,
        **GHOST,
    )  # fmt: skip


def _rails(rng, builder, away: float, height: float) -> None:
    """Lay profiles along y, at x = `away` and beyond; some with a groove."""
    aluminium = builder.material(rgba=ALUMINIUM, specular=0.8)
    dark = builder.material(rgba=(0.12, 0.12, 0.13, 1))
    world = builder.spec.worldbody
    for _ in range(rng.integers(1, 4)):
        half, z = rng.uniform(0.012, 0.025), rng.uniform(0, height)
        builder.box(world, [half, 1.2, half], [away, 0, z], material=aluminium, **GHOST)
        if rng.random() < 0.6:
            place = [away, 0, z + half]
            builder.box(world, [0.2 * half, 1.2, 0.0008], place, material=dark, **GHOST)
        away += np.sign(away) * rng.uniform(0.05, 0.1)


def _machine(rng, builder, reach, below: float) -> None:
    """Let boxes, dark or printed, stand around the container, outside `reach` (x, y)."""
    for _ in range(rng.integers(2, 9)):
        half = rng.uniform(0.02, 0.12, 3)
        axis, side = rng.integers(2), rng.choice([-1, 1])
        at = rng.uniform(-0.5, 0.5, 2)
        at[axis] = side * (reach[axis] + half[axis] + rng.uniform(0.02, 0.35))
        shade = int(rng.uniform(12, 70)) if rng.random() < 0.6 else int(rng.uniform(120, 240))
        picture = None if rng.random() < 0.7 else textures.cardboard(rng, 64, 64)
        material = builder.material(picture, solid((shade,) * 3) if picture is None else (1,) * 4)
        place = [*at, below + half[2] * rng.uniform(0.5, 1)]
        builder.box(builder.spec.worldbody, half, place, material=material, **GHOST)


def crowd(rng, builder, reach, height: float) -> None:
    """
    Let devices, bright sheets on them and panels be all around a tote, up to its rim.

    All are flat, many of them bright, and none is for the cup: what lies in a cell beside a tote.
    """
    below = -rng.uniform(0.02, 0.3)
    if rng.random() < 0.6:
        dark = builder.material(rgba=solid((int(rng.uniform(5, 35)),) * 3), specular=0.05)
        floor = [2, 2, 0.001], [0, 0, below]
        builder.box(builder.spec.worldbody, *floor, material=dark, **GHOST)
    for _ in range(rng.integers(8, 26)):
        _device(rng, builder, reach, below, height)
    for _ in range(rng.integers(0, 3)):
        _panel(rng, builder, reach, height)


def _device(rng, builder, reach, below: float, height: float) -> None:
    """Put a box beside a tote, straight or tilted, up to its rim; perhaps with a sheet on it."""
    world = builder.spec.worldbody
    half = rng.uniform([0.015, 0.015, 0.008], [0.09, 0.09, 0.06])
    away = np.hypot(*half[:2]) + rng.uniform(0.01, 0.2)
    at = _beside(rng, reach, away, rng.integers(2))
    z = rng.uniform(below + half[2], max(height - half[2], below + half[2] + 0.01))
    turn = [*rng.normal(0, 12, 2), rng.uniform(0, 90)] if rng.random() < 0.6 else [0, 0, 0]
    builder.box(world, half, [*at, z], material=_look(rng, builder), euler=turn, **GHOST)
    if rng.random() < 0.3:
        sheet = [*half[:2] * rng.uniform(0.3, 0.95, 2), 0.0006]
        top = [*at, z + half[2] + 0.001]
        builder.box(world, sheet, top, material=_look(rng, builder, 0.05), **GHOST)


def _panel(rng, builder, reach, height: float) -> None:
    """Put a panel of plastic along one side of a tote, leaning towards it or away."""
    half = [rng.uniform(0.05, 0.15), rng.uniform(0.1, 0.4), 0.003]
    lean, axis = rng.normal(0, 4, 3), rng.integers(2)
    lean[1 - axis] += rng.choice([-1, 1]) * rng.uniform(5, 80)
    if axis:
        half[:2] = half[1::-1]
    at = _beside(rng, reach, half[axis] + rng.uniform(0.06, 0.2), axis)
    material = builder.material(textures.plastic(rng, textures.colour(rng)), specular=0.4)
    place = [*at, rng.uniform(0, height)]
    builder.box(builder.spec.worldbody, half, place, material=material, euler=lean, **GHOST)


def _beside(rng, reach, away: float, axis: int) -> np.ndarray:
    """Draw a place (x, y) so far outside of a tote, beyond one of its sides along an axis."""
    at = rng.uniform(-0.5, 0.5, 2)
    at[axis] = rng.choice([-1, 1]) * (reach[axis] + away)
    return at


def _look(rng, builder, dark: float = 0.4) -> str:
    """Draw a material: dark, bright, of a strong colour, or printed."""
    kind = rng.random()
    if kind < 0.15:
        picture = packaging.panel(rng, 128, 128, packaging.draw_print(rng))
        return builder.material(picture, specular=0.2)
    if kind < 0.15 + dark:
        colour = (int(rng.uniform(8, 60)),) * 3
    elif kind < 0.65:
        colour = tuple(int(c) for c in rng.uniform(170, 250) + rng.normal(0, 6, 3))
    else:
        colour = textures.colour(rng)
    return builder.material(rgba=solid(colour), specular=rng.uniform(0, 0.6))


def _hose(rng, builder, reach, below: float) -> None:
    """Let a cable or a hose lie on the floor."""
    t = np.linspace(-1, 1, 40)
    knots = rng.normal(0, 0.06, 8)
    x = reach[0] + rng.uniform(0.05, 0.3) + np.interp(t, np.linspace(-1, 1, 8), knots)
    thin = rng.uniform(0.003, 0.008)
    path = np.stack([rng.choice([-1, 1]) * x, 0.9 * t, 0 * t + below + thin], -1)
    material = builder.material(rgba=solid(textures.colour(rng, 0.1, 0.15)))
    builder.mesh(builder.spec.worldbody, meshes.tube(path, thin, 8), material)


def build(rng, builder, reach, height: float, beside) -> None:
    """
    Put all this around a tote.

    reach   (x, y) half sizes with its rim, metres; height of its rim
    beside  (x, y) of another tote, or None
    """
    below = -0.02 - rng.uniform(0, 0.3)
    ground(rng, builder, below)
    free = -np.sign(beside[0]) if beside is not None else rng.choice([-1, 1])
    if rng.random() < 0.55:
        _rails(rng, builder, free * (reach[0] + rng.uniform(0.03, 0.09)), height)
    if rng.random() < 0.4:
        _machine(rng, builder, reach, below)
    if rng.random() < 0.3:
        _hose(rng, builder, reach, below)
