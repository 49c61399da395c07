"""Tools and kitchen things: scissors, wrench, pliers, spoon, brush, whisk."""

from __future__ import annotations

import numpy as np
from rganet_ros.synthetic import meshes, textures
from rganet_ros.synthetic.silhouettes import blown, Drawing
from rganet_ros.synthetic.textures import colour
from rganet_ros.synthetic.thing import box, hull, Part, solid, Thing

STEEL = (176, 178, 182)


def _flat(rng, kind: str, drawing: Drawing, length, thick, edge=0.002, **more) -> Thing:
    mesh = blown(drawing, length, thick, edge)
    part = Part(mesh, drawing.picture, specular=0.8, shininess=0.7)
    return Thing(kind, (part,), (hull(mesh),), **more)


def make_scissors(rng) -> Thing:
    """Make scissors, open or closed, with plastic handles."""
    grip, gape = colour(rng), rng.uniform(0.02, 0.16)
    drawing = Drawing()
    for side in (-1, 1):
        tip = (0.5 - side * gape, 0.04)
        drawing.polygon([(0.5 + side * 0.035, 0.55), (0.5 - side * 0.03, 0.55), tip], STEEL)
        ring = (0.5 + side * (0.12 + 0.3 * gape), 0.8)
        drawing.stroke([(0.5, 0.53), (0.5 + side * 0.06, 0.66)], 0.06, grip)
        drawing.disc(ring, (0.075, 0.125), grip, -side * 15, 0.05)
    drawing.disc((0.5, 0.53), (0.03, 0.03), STEEL)
    return _flat(rng, 'scissors', drawing, rng.uniform(0.14, 0.22), rng.uniform(0.003, 0.005),
                 gloss=0.6, density=900)  # fmt: skip


def make_wrench(rng) -> Thing:
    """Make a spanner: a jaw at one end, a ring at the other."""
    drawing = Drawing().stroke([(0.5, 0.15), (0.5, 0.85)], rng.uniform(0.06, 0.1), STEEL)
    head = rng.uniform(0.1, 0.14)
    drawing.disc((0.5, 0.16), (head, head), STEEL)
    drawing.polygon([(0.46, 0.02), (0.54, 0.0), (0.55, 0.17), (0.47, 0.18)], (0, 0, 0))
    drawing.disc((0.5, 0.86), (0.075, 0.075), STEEL, 0, 0.045)
    drawing.disc((0.5, 0.86), (0.045, 0.045), (0, 0, 0))
    return _flat(rng, 'wrench', drawing, rng.uniform(0.13, 0.24), rng.uniform(0.003, 0.006),
                 gloss=0.9, density=2500)  # fmt: skip


def make_pliers(rng) -> Thing:
    """Make pliers with dipped handles."""
    grip, steel, gape = colour(rng), np.array(STEEL) * rng.uniform(0.4, 1), rng.uniform(0.03, 0.12)
    drawing = Drawing()
    for side in (-1, 1):
        bow = [(0.5, 0.36), (0.5 + side * (0.1 + gape), 0.6), (0.5 + side * (0.06 + gape), 0.93)]
        drawing.stroke(bow, 0.075, grip)
        drawing.polygon([(0.5, 0.36), (0.5 - side * 0.09, 0.3), (0.5 - side * 0.05, 0.05),
                         (0.5 - side * 0.01, 0.05)], steel)  # fmt: skip
    drawing.disc((0.5, 0.35), (0.09, 0.08), steel)
    return _flat(rng, 'pliers', drawing, rng.uniform(0.14, 0.2), rng.uniform(0.005, 0.008), 0.004,
                 gloss=0.5, density=1500)  # fmt: skip


def make_spoon(rng) -> Thing:
    """Make a spoon or a ladle, of bright steel or of plastic."""
    ink = STEEL if rng.random() < 0.6 else colour(rng)
    bowl = rng.uniform(0.08, 0.15), rng.uniform(0.12, 0.17)
    drawing = Drawing().stroke([(0.5, 0.2), (0.5, 0.95)], rng.uniform(0.035, 0.06), ink)
    drawing.disc((0.5, 0.05 + bowl[1]), bowl, ink)
    thing = _flat(rng, 'spoon', drawing, rng.uniform(0.13, 0.24), 0.004, gloss=1.0, density=1200)
    mesh = thing.parts[0].mesh
    along = mesh.vertices[:, 1] / np.ptp(mesh.vertices[:, 1])
    mesh.vertices[:, 2] += 0.03 * along**2
    return thing


def make_brush(rng) -> Thing:
    """Make a scrubbing brush: a smooth back, rows of tufts below."""
    half = np.array([rng.uniform(0.06, 0.1), rng.uniform(0.02, 0.032), rng.uniform(0.006, 0.01)])
    t = np.linspace(-np.pi / 2, np.pi / 2, 9)
    profile = np.stack([0.75 + 0.25 * np.cos(t), np.sin(t)], -1)
    profile = np.concatenate([[(0, -1)], profile, [(0, 1)]])
    back = meshes.moved(meshes.loft(profile, 1.0, 3.0, 36), [0, 0, 0], half)
    tufts, pitch, long = [], 0.008, rng.uniform(0.015, 0.025)
    for x in np.arange(-0.85 * half[0], 0.85 * half[0], pitch):
        for y in np.arange(-0.7 * half[1], 0.71 * half[1], pitch):
            lean = 0.25 * long * rng.standard_normal(2)
            path = [
                (x, y, 0),
                (x + 0.3 * lean[0], y + 0.3 * lean[1], -half[2] - 0.5 * long),
                (x + lean[0], y + lean[1], -half[2] - long * rng.uniform(0.9, 1)),
            ]
            tufts.append(meshes.tube(path, [0.0015, 0.002, 0.0026], 5))
    light = np.clip(np.array(colour(rng, 0.0, 0.7)) * 0.4 + 150, 0, 255)
    parts = (
        Part(back, None, solid(colour(rng)), 0.6, 0.6),
        Part(meshes.joined(tufts), None, solid(light), 0.05),
    )
    down = -half[2] - long / 2
    colliders = (box(half), box([half[0] * 0.9, half[1] * 0.8, long / 2], (0.0, 0.0, down)))
    return Thing('brush', parts, colliders, 300, gloss=0.4)


def make_whisk(rng) -> Thing:
    """Make a whisk: loops of wire around a handle."""
    length, wide = rng.uniform(0.1, 0.14), rng.uniform(0.022, 0.036)
    t = np.linspace(0, 2 * np.pi, 40)
    reach = length * (1 - np.cos(t)) / 2
    bulge = wide * np.sin(t) * np.sqrt(np.clip(reach / length, 0, 1)) * 1.1
    loops = []
    for turn in np.linspace(0, np.pi, int(rng.integers(3, 6)), endpoint=False):
        path = np.stack([bulge * np.cos(turn), bulge * np.sin(turn), reach], -1)
        loops.append(meshes.tube(path, rng.uniform(0.001, 0.0014), 5))
    grip, r = rng.uniform(0.08, 0.12), rng.uniform(0.008, 0.012)
    profile = [(0, -grip), (0.8 * r, -grip), (r, -0.8 * grip), (0.8 * r, -0.1 * grip),
               (0.4 * r, 0), (0, 0)]  # fmt: skip
    handle = meshes.loft(meshes.densify(meshes.rounded(profile), 0.008), segments=20)
    wire = solid(STEEL if rng.random() < 0.5 else colour(rng))
    picture = textures.wood(rng)[:128, :128] if rng.random() < 0.5 else None
    middle = [0, 0, (grip - length) / 2]
    parts = (
        Part(meshes.moved(meshes.joined(loops), middle), None, wire, 0.8),
        Part(meshes.moved(handle, middle), picture, solid((255,) * 3) if picture is not None
             else wire),
    )  # fmt: skip
    return Thing('whisk', parts, (hull(parts[0].mesh, 24), hull(parts[1].mesh, 20)), 150)
