"""What things lie in: a tote with round corners and a rim, or a shelf; and what is around it."""

from __future__ import annotations

from typing import NamedTuple

import mujoco
import numpy as np
from rganet_ros.synthetic import meshes, textures

ALUMINIUM = (0.72, 0.73, 0.74, 1.0)


class Container(NamedTuple):
    """
    A container in the world frame, metres; its floor is at z = 0, its middle at the origin.

    half      (x, y) half sizes of the inside
    height    of its walls
    room      (x, y) half sizes where things may be put
    approach  (3,) unit, the way out
    capacity  things that may be put in
    """

    shelf: bool
    half: tuple[float, float]
    height: float
    room: tuple[float, float]
    approach: np.ndarray
    capacity: int

    def lost(self, position: np.ndarray) -> bool:
        """Tell whether a thing at this position (3,), metres in the world, fell out."""
        return bool(
            abs(position[0]) > self.half[0] + 0.06
            or abs(position[1]) > self.half[1] + 0.06
            or position[2] < -0.02
            or (self.shelf and position[2] > self.height)
        )


def _ground(rng, builder, below: float) -> None:
    material = builder.material(textures.floor(rng), specular=0.1, repeat=rng.uniform(1.5, 5))
    builder.spec.worldbody.add_geom(
        type=mujoco.mjtGeom.mjGEOM_PLANE, size=[3, 3, 0.1], pos=[0, 0, below], material=material,
        contype=0, conaffinity=0,
    )  # fmt: skip


def _tote_mesh(rng, half, height: float, draft: float, lip: float) -> meshes.Mesh:
    """Walls that lean outwards by `draft` metres at the top, a rim, ribs; open above."""
    w, wall = half[0], 0.004
    top = w + draft
    profile = [
        (0, -0.008), (0.97 * w, -0.008), (w + wall, 0.002), (top + wall, height - 0.02),
        (top + wall + lip, height - 0.02), (top + wall + lip, height - 0.004),
        (top + wall + 0.75 * lip, height), (top + 0.004, height), (top, height - 0.006),
        (w + 0.58 * draft, 0.6 * height), (w + 0.55 * draft, 0.57 * height),
        (w + 0.002, 0.006), (0.985 * w, 0), (0.5 * w, 0), (0, 0),
    ]  # fmt: skip
    mesh = meshes.loft(meshes.densify(profile, 0.05), 1.0, rng.uniform(9, 18), 96)
    vertices = mesh.vertices.copy()
    angle = np.arctan2(vertices[:, 1], vertices[:, 0])
    if rng.random() < 0.6:
        rib = np.clip(np.cos(angle * rng.integers(12, 28)) - 0.6, 0, 1)
        on_wall = (vertices[:, 2] > 0.01) & (vertices[:, 2] < height - 0.03)
        vertices[:, :2] *= (1 + 0.006 * rib * on_wall)[:, None]
    vertices[:, 1] *= (half[1] + draft / 2) / (w + draft / 2)
    flat = abs(vertices[:, 2]) < 0.009
    uv = np.where(
        flat[:, None], 4 * vertices[:, :2], np.stack([4 * angle / np.pi, 4 * vertices[:, 2]], -1)
    )
    return mesh._replace(vertices=vertices, uv=uv)


def _tote_walls(builder, body, half, height: float, lean: float) -> None:
    """Hidden boxes that collide in place of the tote, and go on upwards to hold a heap."""
    w, length = half
    draft, thick = height * np.tan(lean), 0.02
    builder.box(body, [w + 0.05, length + 0.05, 0.02], [0, 0, -0.02])
    slope, turn = height / 2 / np.cos(lean), np.degrees(lean)
    for sign in (-1, 1):
        out = w + draft / 2 + thick
        builder.box(
            body,
            [thick, length + 0.05, slope],
            [sign * out, 0, height / 2],
            euler=[0, sign * turn, 0],
        )
        out = length + draft / 2 + thick
        builder.box(
            body, [w + 0.05, thick, slope], [0, sign * out, height / 2], euler=[-sign * turn, 0, 0]
        )
        builder.box(body, [0.02, 1, 1], [sign * (w + draft + 0.025), 0, height + 1])
        builder.box(body, [1, 0.02, 1], [0, sign * (length + draft + 0.025), height + 1])


def tote(rng, builder) -> Container:
    """Build a tote, perhaps with another one and a rail beside it, on a floor."""
    half = float(rng.uniform(0.16, 0.22)), float(rng.uniform(0.22, 0.3))
    height, lean = float(rng.uniform(0.1, 0.25)), np.radians(rng.uniform(2, 7))
    draft, lip = height * np.tan(lean), rng.uniform(0.012, 0.024)
    base = textures.TOTES[rng.integers(len(textures.TOTES) if rng.random() < 0.6 else 4)]
    shine = {'specular': rng.uniform(0.2, 0.7), 'shininess': rng.uniform(0.3, 0.7)}
    material = builder.material(textures.plastic(rng, base), **shine)
    mesh = _tote_mesh(rng, half, height, draft, lip)
    body = builder.spec.worldbody.add_body(name='container')
    builder.mesh(body, mesh, material)
    _tote_walls(builder, body, half, height, lean)
    world = builder.spec.worldbody
    if rng.random() < 0.55:
        step = 2 * (half[0] + draft + lip) + rng.uniform(0.01, 0.05)
        place = (rng.choice([-1, 1]) * step, rng.uniform(-0.03, 0.03), 0)
        if rng.random() < 0.3:
            base = textures.TOTES[rng.integers(len(textures.TOTES))]
            material = builder.material(textures.plastic(rng, base), **shine)
        builder.mesh(world, mesh, material, place)
    if rng.random() < 0.5:
        aluminium = builder.material(rgba=ALUMINIUM, specular=0.6)
        away = rng.choice([-1, 1]) * (half[0] + draft + rng.uniform(0.05, 0.12))
        ghost = {'contype': 0, 'conaffinity': 0}
        for drop in rng.uniform(0, height, rng.integers(1, 4)):
            builder.box(world, [0.02, 1, 0.02], [away, 0, drop], material=aluminium, **ghost)
            away += np.sign(away) * 0.06
    _ground(rng, builder, -0.02 - rng.uniform(0, 0.3))
    return Container(False, half, height, half, np.array([0.0, 0, 1]), 60)


def shelf(rng, builder) -> Container:
    """Build one bin of a shelf that opens towards +x, between empty neighbours."""
    half = float(rng.uniform(0.12, 0.2)), float(rng.uniform(0.13, 0.24))
    height, thick = float(rng.uniform(0.2, 0.34)), 0.006
    deep, wide = half
    board = rng.choice(3)
    wall = builder.material(
        textures.cardboard(rng, 256, 256) // np.uint8(1 + (rng.random() < 0.4)) if board == 0
        else textures.wood(rng) if board == 1
        else textures.plastic(rng, (int(rng.uniform(60, 235)),) * 3)
    )  # fmt: skip
    plate = builder.material(
        textures.steel(rng) if rng.random() < 0.6 else textures.bright(rng), specular=0.4
    )
    rail = builder.material(textures.steel(rng), specular=0.5)
    body = builder.spec.worldbody.add_body(name='container')
    for z in (-thick, height + thick):
        builder.box(body, [deep, 1.0, thick], [0, 0, z], material=plate)
    builder.box(body, [thick, 1.0, height / 2], [-deep - thick, 0, height / 2], material=wall)
    for y in (-3 * wide, -wide - thick, wide + thick, 3 * wide):
        builder.box(body, [deep, thick, height / 2], [0, y, height / 2], material=wall)
    edge = rng.uniform(0.008, 0.022)
    for z in (edge - 0.02, height + edge):
        builder.box(body, [0.003, 1.0, edge], [deep + 0.003, 0, z], material=rail)
    if rng.random() < 0.5:  # posts in front of the separators
        for y in (-wide, wide):
            builder.box(body, [0.012, 0.02, 0.6], [deep + 0.016, y, 0], material=rail)
    builder.box(body, [0.02, 1, 1], [deep + 0.02, 0, 1])  # holds things in while they fall
    _ground(rng, builder, -0.6)
    out = np.array([1.0, 0, 0.35])
    room = (deep - 0.01, wide - 0.01)
    return Container(
        True, half, height, room, out / np.linalg.norm(out), 6 if height < 0.26 else 10
    )


def build(rng, builder, recipe) -> Container:
    """Build the container and what is around it; it is the first body."""
    return shelf(rng, builder) if rng.random() < recipe.shelf_share else tote(rng, builder)
