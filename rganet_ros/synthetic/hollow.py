"""Kinds that one can look into: wire cup, slatted basket, open carton, lid; and a coiled cable."""

from __future__ import annotations

import numpy as np
from rganet_ros.synthetic import meshes, packaging
from rganet_ros.synthetic.textures import colour
from rganet_ros.synthetic.thing import box, Collider, hull, Part, SKIN, solid, Thing


def make_mesh_cup(rng) -> Thing:
    """Make a cup of wire mesh, as it stands on desks: a skin stands for the wires in depth."""
    r, h = rng.uniform(0.036, 0.048), rng.uniform(0.08, 0.12)
    foot, count = r * rng.uniform(0.8, 1), int(rng.integers(44, 60))
    t = np.linspace(0, 1, 12)
    wires = []
    for twist in (-0.9, 0.9):
        for start in np.linspace(0, 2 * np.pi, count, endpoint=False):
            around, out = start + twist * t, foot + (r - foot) * t
            path = np.stack([out * np.cos(around), out * np.sin(around), h * t], -1)
            wires.append(meshes.tube(path, 0.00045, 3))
    around = np.linspace(0, 2 * np.pi, 40)
    for out, z in ((r, h), (foot, 0.002)):
        ring = np.stack([out * np.cos(around), out * np.sin(around), 0 * around + z], -1)
        wires.append(meshes.tube(ring, 0.0018, 6))
    wires.append(meshes.loft([(0, 0.001), (foot, 0.001), (0, 0.002)]))
    skin = meshes.loft(
        meshes.densify([(0, 0), (foot, 0), (r, h), (r - 0.001, h), (foot - 0.001, 0.001),
                        (0, 0.001)], 0.02)
    )  # fmt: skip
    dark = (24, 24, 26) if rng.random() < 0.6 else (185, 187, 190)
    middle = [0, 0, -h / 2]
    parts = (
        Part(meshes.moved(meshes.joined(wires), middle), None, solid(dark), 0.3, fine=True),
        Part(meshes.moved(skin, middle), None, SKIN),
    )
    return Thing('mesh_cup', parts, (hull(parts[1].mesh),), 120, open=True, gloss=0.0)


def _walls(half, height: float, thick: float) -> list[tuple[np.ndarray, np.ndarray]]:
    """Half sizes and middles of a floor and four walls around the inside `half` (x, y)."""
    x, y = half
    up = height / 2
    return [
        (np.array([x, y, thick]), np.array([0, 0, -up + thick])),
        *((np.array([thick, y, up]), np.array([side * (x - thick), 0, 0])) for side in (-1, 1)),
        *((np.array([x, thick, up]), np.array([0, side * (y - thick), 0])) for side in (-1, 1)),
    ]


def _hollow(walls) -> tuple[Collider, ...]:
    """Colliders, thick enough that nothing is pressed through a thin wall."""
    return tuple(box(np.maximum(half, 0.0025), middle) for half, middle in walls)


def make_basket(rng) -> Thing:
    """Make a slatted basket of plastic: its gaps are as wide as its slats."""
    half, height = rng.uniform([0.06, 0.045], [0.1, 0.07]), rng.uniform(0.045, 0.085)
    slat = rng.uniform(0.0025, 0.0038)  # half its width
    parts = []
    for size, middle in _walls(half, height, 0.0012):
        along = int(size[:2].argmax())  # slats stand side by side along this axis
        count = max(3, int(size[along] / (2 * slat)))
        bar = size.copy()
        bar[along] = slat
        for at in np.linspace(-1, 1, count) * (size[along] - slat):
            parts.append(meshes.moved(meshes.box(bar), middle + at * np.eye(3)[along]))
    for size, middle in _walls(half + 0.003, 0.008, 0.003)[1:]:
        parts.append(meshes.moved(meshes.box(size), middle + [0, 0, height / 2 - 0.004]))
    ink = solid(colour(rng) if rng.random() < 0.7 else (235, 235, 232))
    part = Part(meshes.joined(parts), None, ink, 0.5)
    return Thing('basket', (part,), _hollow(_walls(half, height, 0.0025)), 250, open=True)


def make_open_box(rng) -> Thing:
    """Make a carton without a top, its flaps perhaps turned out."""
    look = packaging.draw_print(rng, cardboard_share=0.5)
    half, height = rng.uniform([0.045, 0.035], [0.1, 0.075]), rng.uniform(0.03, 0.09)
    walls = _walls(half, height, 0.0015)
    outer = [meshes.moved(meshes.box(size), middle) for size, middle in walls]
    lining = [
        meshes.moved(meshes.box(size), middle)
        for size, middle in _walls(half - 0.0028, height - 0.0028, 0.0004)
    ]
    if rng.random() < 0.5:
        for side in (-1, 1):
            wide, drop = rng.uniform(0.4, 0.9) * half[1], rng.uniform(-0.4, 0.6)
            flap = meshes.box([half[0] * 0.96, wide / 2, 0.001])
            y, z = flap.vertices[:, 1] + wide / 2, flap.vertices[:, 2]
            flap.vertices[:, 1] = side * (half[1] + y * np.cos(drop))
            flap.vertices[:, 2] = height / 2 + z - y * np.sin(drop)
            outer.append(flap if side > 0 else flap._replace(faces=flap.faces[:, ::-1]))
    inside = solid((190, 155, 112) if rng.random() < 0.6 else (232, 230, 226))
    parts = (
        Part(meshes.joined(outer), packaging.box_atlas(rng, look), specular=0.2),
        Part(meshes.joined(lining), None, inside, 0.05),
    )
    return Thing('open_box', parts, _hollow(walls), 250, gloss=0.1)


def make_lid(rng) -> Thing:
    """Make a plastic lid or tray: closed on one side, hollow on the other."""
    half, height = rng.uniform([0.045, 0.04], [0.11, 0.08]), rng.uniform(0.01, 0.03)
    w, thick = half[0], 0.0015
    profile = [(0, 0), (0.93 * w, 0), (w, 0.003), (1.02 * w, height), (1.02 * w - thick, height),
               (w - thick, 0.003 + thick), (0.92 * w, thick), (0, thick)]  # fmt: skip
    mesh = meshes.loft(meshes.densify(profile, 0.01), 1.0, rng.choice([2.0, 5.0, 9.0]), 56)
    mesh = meshes.moved(mesh, [0, 0, -height / 2], [1, half[1] / w, 1])
    dark = (28, 28, 30) if rng.random() < 0.3 else colour(rng)
    part = Part(mesh, None, solid(dark if rng.random() < 0.7 else (232, 232, 228)), 0.5)
    walls = [(size, at) for size, at in _walls(half * 0.98, height, 0.002)]
    return Thing('lid', (part,), _hollow(walls), 300, gloss=0.5)


def make_cable(rng) -> Thing:
    """Make a coiled cable with its plugs."""
    turns, r, thin = rng.uniform(3, 7), rng.uniform(0.035, 0.06), rng.uniform(0.0016, 0.0035)
    t = np.linspace(0, 2 * np.pi * turns, int(turns * 30))
    wander = [np.interp(t, np.linspace(0, t[-1], 24), rng.standard_normal(24)) for _ in range(2)]
    out = r + 1.6 * thin * wander[0]
    path = np.stack([out * np.cos(t), 0.8 * out * np.sin(t), 2 * thin * wander[1]], -1)
    parts = [meshes.tube(path, thin, 6)]
    ends = []
    for end, before in ((path[0], path[1]), (path[-1], path[-2])):
        along = (end - before) / np.linalg.norm(end - before)
        tail = end + rng.uniform(0.01, 0.03) * along
        parts.append(meshes.tube([end, tail], thin, 6))
        size = np.array([0.012, 0.006, 0.004]) * rng.uniform(0.8, 1.6)
        ends.append(meshes.moved(meshes.box(size), tail))
    ink = (25, 25, 27) if rng.random() < 0.5 else (225, 225, 222)
    ink = ink if rng.random() < 0.75 else colour(rng)
    mesh = meshes.joined([*parts, *ends])
    return Thing('cable', (Part(mesh, None, solid(ink), 0.4),), (hull(mesh),), 250, gloss=0.2)
