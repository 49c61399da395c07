"""What things lie in: a tote with round corners and a rim, a drawer, or the bin of a shelf."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from rganet_ros.synthetic import meshes, relief, surroundings, textures

# Plastics of totes that the test split alone has: blue, green, burgundy.
HELD_OUT = ((40, 70, 140), (40, 110, 70), (120, 30, 40))


class Container(NamedTuple):
    """
    A container in the world frame, metres; its floor is at z = 0, its middle at the origin.

    half      (x, y) half sizes of the inside
    height    of its walls
    room      (x, y) half sizes where things may be put
    approach  (3,) unit, the way out
    capacity  things that may be put in
    gloss     0..1, how much its walls mirror
    beside    (x, y) of the middle of another one like it, or None
    """

    shelf: bool
    half: tuple[float, float]
    height: float
    room: tuple[float, float]
    approach: np.ndarray
    capacity: int
    gloss: float = 0.1
    beside: tuple[float, float] | None = None

    def lost(self, position: np.ndarray) -> bool:
        """Tell whether a thing at this position (3,), metres in the world, fell out."""
        return bool(
            abs(position[0]) > self.half[0] + 0.06
            or abs(position[1]) > self.half[1] + 0.06
            or position[2] < -0.02
            or (self.shelf and position[2] > self.height)
        )


def plastic(rng: np.random.Generator, split: str, among: int) -> textures.Colour:
    """Draw one of the first so many plastics of totes; for training none that is held out."""
    while (base := textures.TOTES[rng.integers(among)]) in HELD_OUT and split == 'train':
        pass
    return base


def _tote_mesh(rng, half, height: float, draft: float, lip: float, sunk: float) -> meshes.Mesh:
    """Walls that lean outwards by `draft` metres at the top, a rim, ribs; open above."""
    w, wall, under = half[0], 0.004, -0.008 - sunk
    top = w + draft
    profile = [
        (0, under), (0.97 * w, under), (w + wall, 0.002), (top + wall, height - 0.02),
        (top + wall + lip, height - 0.02), (top + wall + lip, height - 0.004),
        (top + wall + 0.75 * lip, height), (top + 0.004, height), (top, height - 0.006),
        (w + 0.58 * draft, 0.6 * height), (w + 0.55 * draft, 0.57 * height),
        (w + 0.002, 0.006), (0.985 * w, -sunk), (0.5 * w, -sunk), (0, -sunk),
    ]  # fmt: skip
    mesh = meshes.loft(meshes.densify(profile, 0.05), 1.0, rng.uniform(9, 18), 96)
    vertices = mesh.vertices.copy()
    angle = np.arctan2(vertices[:, 1], vertices[:, 0])
    if rng.random() < 0.6:
        rib = np.clip(np.cos(angle * rng.integers(12, 28)) - 0.6, 0, 1)
        on_wall = (vertices[:, 2] > 0.01) & (vertices[:, 2] < height - 0.03)
        vertices[:, :2] *= (1 + 0.006 * rib * on_wall)[:, None]
    vertices[:, 1] *= (half[1] + draft / 2) / (w + draft / 2)
    flat = vertices[:, 2] < 0.009
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


def _floor(rng, builder, body, half, exponent: float, base) -> None:
    """Lay a floor of its own into a tote or a drawer: moulded, or lined with something."""
    chance = rng.random()
    picture = (
        textures.moulded(rng, base) if chance < 0.55
        else textures.bright(rng) if chance < 0.75
        else textures.cardboard(rng, 256, 256) if chance < 0.87 else textures.steel(rng)
    )  # fmt: skip
    plate = meshes.loft([(0, 0), (0.97, 0), (0.97, 0.0008), (0, 0.0008)], 1.0, exponent, 64)
    uv = 0.5 + 0.5 * plate.vertices[:, :2]
    plate = meshes.moved(plate._replace(uv=uv), [0, 0, 0], [*half, 1])
    builder.mesh(body, plate, builder.material(picture, specular=rng.uniform(0.05, 0.4)))


def tote(rng, builder, recipe, split: str) -> Container:
    """Build a tote, perhaps with another one and rails beside it, on a floor."""
    half = float(rng.uniform(0.16, 0.22)), float(rng.uniform(0.22, 0.3))
    height, lean = float(rng.uniform(0.1, 0.3)), np.radians(rng.uniform(2, 7))
    draft, lip = height * np.tan(lean), rng.uniform(0.012, 0.024)
    base = plastic(rng, split, len(textures.TOTES) if rng.random() < 0.6 else 4)
    shine = {'specular': rng.uniform(0.2, 0.7), 'shininess': rng.uniform(0.3, 0.7)}
    material = builder.material(textures.plastic(rng, base), **shine)
    relieved = recipe.relief_share > 0 and rng.random() < recipe.relief_share
    mesh = _tote_mesh(rng, half, height, draft, lip, relieved * (relief.DEEPEST + 0.0005))
    body = builder.spec.worldbody.add_body(name='container')
    builder.mesh(body, mesh, material)
    if relieved:
        picture = builder.material(relief.worn(rng, base), **shine)
        builder.mesh(body, relief.floor(rng, half, 12.0), picture)
    elif rng.random() < 0.6:
        _floor(rng, builder, body, half, 12.0, base)
    _tote_walls(builder, body, half, height, lean)
    beside = None
    if rng.random() < 0.6:
        step = 2 * (half[0] + draft + lip) + rng.uniform(0.01, 0.05)
        beside = float(rng.choice([-1, 1]) * step), float(rng.uniform(-0.03, 0.03))
        if rng.random() < 0.3:
            base = plastic(rng, split, len(textures.TOTES))
            material = builder.material(textures.plastic(rng, base), **shine)
        builder.mesh(builder.spec.worldbody, mesh, material, (*beside, 0))
    reach = half[0] + draft + lip, half[1] + draft + lip
    surroundings.build(rng, builder, reach, height, beside)
    if recipe.crowded_share > 0 and rng.random() < recipe.crowded_share:
        surroundings.crowd(rng, builder, reach, height)
    up = np.array([0.0, 0, 1])
    return Container(False, half, height, half, up, 60, rng.uniform(0.05, 0.35), beside)


def drawer(rng, builder, *_) -> Container:
    """Build an open drawer of sheet, wood or plastic, perhaps with dividers, in its cabinet."""
    half = float(rng.uniform(0.14, 0.22)), float(rng.uniform(0.16, 0.28))
    height, thick = float(rng.uniform(0.06, 0.16)), rng.uniform(0.003, 0.008)
    deep, wide = half
    grey = (int(rng.uniform(70, 240)),) * 3
    sheet = builder.material(
        (textures.steel, textures.wood, textures.bright)[rng.integers(3)](rng)
        if rng.random() < 0.7 else textures.plastic(rng, grey), specular=rng.uniform(0.1, 0.6)
    )  # fmt: skip
    body = builder.spec.worldbody.add_body(name='container')
    builder.box(body, [deep, wide, 0.004], [0, 0, -0.004], material=sheet)
    if rng.random() < 0.6:
        _floor(rng, builder, body, half, 40.0, grey)
    _tote_walls(builder, body, half, height, 0.0)
    up = height / 2
    for side in (-1, 1):
        builder.box(body, [thick, wide, up], [side * (deep + thick), 0, up], material=sheet)
        builder.box(
            body, [deep + 2 * thick, thick, up], [0, side * (wide + thick), up], material=sheet
        )
    for y in rng.uniform(-0.6, 0.6, rng.integers(0, 3)) * wide:
        builder.box(body, [deep, 0.002, 0.4 * height], [0, y, 0.4 * height], material=sheet)
    front = sheet if rng.random() < 0.5 else builder.material(textures.wood(rng))
    world, tall, ghost = builder.spec.worldbody, up + 0.02, {'contype': 0, 'conaffinity': 0}
    out = deep + 2 * thick
    builder.box(world, [0.009, wide + 0.04, tall], [out + 0.009, 0, up], material=front, **ghost)
    steel = builder.material(rgba=surroundings.ALUMINIUM, specular=0.7)
    builder.box(world, [0.006, 0.07, 0.008], [out + 0.04, 0, height], material=steel, **ghost)
    for side in (-1, 1):  # slides, and the walls of the cabinet behind
        at = [0, side * (wide + 2 * thick + 0.008), 0.3 * height]
        builder.box(world, [deep * 1.4, 0.006, 0.02], at, material=steel, **ghost)
    builder.box(world, [0.3, 0.6, 0.009], [-out - 0.31, 0, height + 0.03], material=front, **ghost)
    surroundings.ground(rng, builder, -rng.uniform(0.1, 0.6))
    up = np.array([0.0, 0, 1])
    return Container(False, half, height, half, up, 40, rng.uniform(0.05, 0.4))


def shelf(rng, builder, *_) -> Container:
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
    surroundings.ground(rng, builder, -0.6)
    out = np.array([1.0, 0, 0.35])
    room = (deep - 0.01, wide - 0.01)
    return Container(
        True, half, height, room, out / np.linalg.norm(out), 6 if height < 0.26 else 10
    )


def build(rng, builder, recipe, split: str) -> Container:
    """Build the container and what is around it; it is the first body."""
    chance = rng.random() - recipe.shelf_share
    kind = shelf if chance < 0 else drawer if chance < recipe.drawer_share else tote
    return kind(rng, builder, recipe, split)
