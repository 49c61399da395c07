"""
A scene: a container, things dropped into it, lights; settled by physics.

World frame: z up, metres; the container's floor is at z = 0, its middle at the origin. A shelf
opens towards +x.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import NamedTuple

import mujoco
import numpy as np
from rganet_ros.synthetic import containers, intruders, objects
from rganet_ros.synthetic.builder import Builder
from rganet_ros.synthetic.recipe import Recipe
from rganet_ros.synthetic.thing import Thing

FAR = 40.0  # where things are parked that fell out or were removed


def _settings(spec: mujoco.MjSpec, recipe: Recipe, ambient: float) -> None:
    spec.option.timestep = 0.005
    spec.option.iterations, spec.option.ls_iterations = 15, 8
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    spec.option.cone = mujoco.mjtCone.mjCONE_PYRAMIDAL
    visual = spec.visual
    visual.global_.offwidth, visual.global_.offheight = recipe.width, recipe.height
    visual.quality.shadowsize, visual.quality.offsamples = 1024, 0  # see render.JITTER
    visual.map.znear, visual.map.zfar, visual.map.shadowclip = 0.02, 6, 1.2
    visual.headlight.ambient = [ambient] * 3
    visual.headlight.diffuse, visual.headlight.specular = [0.12] * 3, [0] * 3
    geom = spec.default.geom
    geom.friction, geom.condim = [0.7, 0.005, 0.001], 4
    geom.solref, geom.solimp = [0.01, 1], [0.9, 0.95, 0.001, 0.5, 2]


class Content(NamedTuple):
    """
    The things of a scene and how they start.

    positions    (n, 3) metres, world
    quaternions  (n, 4) w, x, y, z, thing to world
    scales       (n,), of all lengths
    """

    things: list[Thing]
    positions: np.ndarray
    quaternions: np.ndarray
    scales: np.ndarray


def _quaternions(rng, count: int, upright: float) -> np.ndarray:
    """Random turns (count, 4), w x y z, a share of them about the vertical only."""
    turns = rng.standard_normal((count, 4))
    only_z = rng.random(count) < upright
    turns[only_z, 1:3] = 0
    return turns / np.linalg.norm(turns, axis=1, keepdims=True)


def _dropped(rng, things: list[Thing], room, cell=0.13, upright=0.5) -> Content:
    """Layers of things above the container's floor, `room` (x, y) half sizes, m."""
    count = len(things)
    columns, rows = (max(1, int(2 * (half - 0.04) / cell)) for half in room)
    k = np.arange(count)
    x = (k % columns - (columns - 1) / 2) * cell
    y = (k // columns % rows - (rows - 1) / 2) * cell
    z = 0.10 + 0.12 * (k // (columns * rows))
    jitter = rng.uniform(-0.02, 0.02, (count, 2))
    positions = np.stack([x + jitter[:, 0], y + jitter[:, 1], z], -1)
    order = rng.permutation(columns * rows)
    if count and count < columns * rows:  # few things lie anywhere, not in the first corner
        cells = order[:count]
        positions[:, 0] += ((cells % columns) - (k % columns)) * cell
        positions[:, 1] += ((cells // columns) - (k // columns)) * cell
    return Content(
        things, positions, _quaternions(rng, count, upright), rng.uniform(0.9, 1.1, count)
    )


def _packed(rng, split: str, recipe: Recipe, room) -> Content:
    """Rows of one and the same box, as they come from a pallet."""
    pick = lambda: objects.thing(split, int(rng.integers(recipe.bank)))  # noqa: E731
    box = pick()
    while box.kind not in ('box', 'soap'):
        box = pick()
    half = box.colliders[0].size
    columns, rows = (int(min(5, r // (h + 0.0015))) for r, h in zip(room, half))
    layers = int(rng.integers(1, 4))
    spots = [(x, y, z) for z in range(layers) for y in range(rows) for x in range(columns)]
    if layers > 1:  # the top layer is being picked already
        top = columns * rows
        spots = spots[:-top] + [
            spots[len(spots) - top + i] for i in range(top) if rng.random() < 0.7
        ]
    spots = np.array(spots or [(0, 0, 0)], float)[:45]
    middle = np.array([max(columns, 1) - 1, max(rows, 1) - 1, 0]) / 2
    positions = (spots - middle) * (2 * half + [0.003, 0.003, 0.002]) + [0, 0, half[2] + 0.002]
    turns = np.tile([1.0, 0, 0, 0], (len(spots), 1))
    turns[:, 3] = rng.normal(0, 0.01, len(spots))
    return Content([box] * len(spots), positions, turns, np.ones(len(spots)))


def _count(rng, recipe: Recipe) -> int:
    chance = rng.random() - recipe.empty_share
    if chance < 0:
        return 0
    if chance < recipe.sparse_share:
        return int(rng.integers(1, 5))
    if chance < recipe.sparse_share + recipe.overfull_share:
        return int(rng.integers(42, 52))
    return int(rng.integers(5, recipe.most_objects + 1))


def _content(rng, split: str, recipe: Recipe, container) -> Content:
    count = _count(rng, recipe)
    if count and not container.shelf and rng.random() < recipe.packed_share:
        return _packed(rng, split, recipe, container.room)
    count = min(count, container.capacity)
    things = [objects.thing(split, int(k)) for k in rng.integers(recipe.bank, size=count)]
    upright = 0.85 if container.shelf else 0.5
    return _dropped(rng, things, container.room, upright=upright)


def _lights(rng, builder: Builder, container) -> None:
    """
    One or two lamps, from dim to glaring, in front of a shelf or above a tote.

    The first alone casts shadows: a second map of them would cost as much as all other drawing.
    """
    strength = np.exp(rng.uniform(np.log(0.35), np.log(1.8)))
    for k in range(int(rng.integers(1, 3))):
        place = np.array([rng.uniform(-1, 1), rng.uniform(-1, 1), rng.uniform(1.4, 2.4)])
        if container.shelf:
            place = np.array(
                [rng.uniform(0.8, 1.6), rng.uniform(-0.8, 0.8), rng.uniform(0.2, 1.4)]
            )
        target = [rng.uniform(-0.1, 0.1), rng.uniform(-0.1, 0.1), 0.05]
        low, high = ((0.35, 0.6), (0.1, 0.3))[k]
        tint = 1 + 0.06 * rng.standard_normal(3)
        builder.light(place, target, strength * rng.uniform(low, high) * tint, k == 0)


class Scene:
    """
    A settled world: `model`, `data`, the `things` in it, the `container` around them.

    lamp_radius  metres, half the size of its lamps: the larger the softer the shadows
    intruder     a gripper or a hand that goes with the camera, or None
    """

    def __init__(self, rng: np.random.Generator, split: str, recipe: Recipe, things=None) -> None:
        """Draw the scene; `things` (list of Thing) are taken in place of those of the bank."""
        builder = Builder()
        _settings(builder.spec, recipe, rng.uniform(0.34, 0.52))
        self.lamp_radius = rng.uniform(0.02, 0.1)
        self.container = containers.build(rng, builder, recipe, split)
        if things is None:
            content = _content(rng, split, recipe, self.container)
        else:
            content = _dropped(rng, things, self.container.room)
        _lights(rng, builder, self.container)
        self.intruder = intruders.draw(rng, builder, recipe)
        builder.spec.worldbody.add_camera(name='camera')
        self.first_body = 1 + len(builder.spec.worldbody.bodies)
        for row in zip(content.things, content.scales, content.positions, content.quaternions):
            builder.thing(*row)
        self.things = content.things
        self._copied = rng.permutation(len(self.things))[: self._next_door(rng)]
        for number in self._copied:
            builder.copy(number)
        self.model = builder.compile()
        self.data = mujoco.MjData(self.model)
        self.model.dof_damping[:] = 2e-5
        self.settle()
        self._fill_next_door()

    def _next_door(self, rng) -> int:
        """Draw how many things lie in the container beside."""
        beside = self.container.beside is not None and rng.random() < 0.7
        return int(rng.integers(1, 16)) if beside else 0

    def _fill_next_door(self) -> None:
        """Let copies of things lie in the container beside as they do here, turned by half."""
        bodies = self.first_body + len(self.things) + np.arange(len(self._copied))
        for body, number in zip(bodies, self._copied):
            original = self.body_ids[number]
            at = self.data.xpos[original] * [-1, -1, 1]
            self.model.body_pos[body] = at + [*self.container.beside, 0]
            w, x, y, z = self.data.xquat[original]
            self.model.body_quat[body] = -z, -y, x, w  # half a turn about z, then its own
        mujoco.mj_kinematics(self.model, self.data)

    @property
    def body_ids(self) -> np.ndarray:
        """List the body that each thing is in MuJoCo."""
        return self.first_body + np.arange(len(self.things))

    def surface_of_geoms(self) -> np.ndarray:
        """Per geom: -1 the container, 0 the surroundings, k + 1 the thing k."""
        number = self.model.geom_bodyid - self.first_body
        ours = (number >= 0) & (number < len(self.things))
        return np.where(ours, number + 1, np.where(self.model.geom_bodyid == 1, -1, 0))

    def settle(self, longest: float = 2.0, still: float = 0.03) -> None:
        """
        Let everything fall until it rests or `longest` seconds pass; what fell out is removed.

        still  rms of all speeds at rest, m/s and rad/s alike
        """
        start = self.data.time
        while self.data.time - start < longest and self.things:
            mujoco.mj_step(self.model, self.data, 20)
            there = self.data.xpos[self.body_ids, 0] < FAR / 2  # what is parked falls for ever
            speed = self.data.qvel.reshape(-1, 6)[there]
            if not there.any():
                break
            calm = abs(speed).max() < 10 * still and np.sqrt((speed**2).mean()) < still
            if calm and self.data.time - start > 0.8:
                break
        for k, body in enumerate(self.body_ids):
            if self.container.lost(self.data.xpos[body]):
                self.remove(k)
        mujoco.mj_forward(self.model, self.data)

    def remove(self, number: int) -> None:
        """Park a thing far away: the others keep their numbers. Seen after the next step."""
        joint = self.model.body_jntadr[self.body_ids[number]]
        position, speed = self.model.jnt_qposadr[joint], self.model.jnt_dofadr[joint]
        self.data.qpos[position : position + 3] = [FAR + number, 0, -50]
        self.data.qvel[speed : speed + 6] = 0

    @contextmanager
    def emptied(self):
        """Take all things away for a moment."""
        kept = self.data.qpos.copy(), self.data.qvel.copy()
        for k in range(len(self.things)):
            self.remove(k)
        try:
            yield
        finally:
            self.data.qpos[:], self.data.qvel[:] = kept
            mujoco.mj_forward(self.model, self.data)
