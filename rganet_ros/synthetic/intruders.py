"""
What reaches into the picture from its border: a cup on its tube, a finger, a hand in a glove.

It goes with the camera, as a gripper does that carries one. It is built with its tip at the origin
and goes on along +z.
"""

from __future__ import annotations

from typing import NamedTuple

import mujoco
import numpy as np
from rganet_ros.synthetic import meshes, soft, surroundings
from rganet_ros.synthetic.textures import colour
from rganet_ros.synthetic.thing import solid
from rganet_ros.synthetic.view import View

NAME = 'intruder'


class Intruder(NamedTuple):
    """
    Where it is in the optical frame.

    position  (3,) metres, of its tip
    rotation  (3, 3) its frame to the optical frame
    """

    position: np.ndarray
    rotation: np.ndarray

    def follow(self, view: View, model: mujoco.MjModel) -> None:
        """Move it to where it is for this view."""
        body = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_BODY, NAME)
        model.body_pos[body] = view.position + view.rotation @ self.position
        mujoco.mju_mat2Quat(model.body_quat[body], (view.rotation @ self.rotation).ravel())


def _cup(rng, builder, body) -> None:
    r, tube = rng.uniform(0.01, 0.02), rng.uniform(0.005, 0.011)
    folds = np.array([(r, 0), (0.8 * r, 0.005), (0.95 * r, 0.01), (0.75 * r, 0.015)])
    bellows = np.concatenate([[(0.5 * r, 0.001)], folds, [(tube, 0.022), (0, 0.022)]])
    rubber = ((30, 30, 32), (40, 80, 160), (205, 208, 205), (150, 60, 40))[rng.integers(4)]
    steel = builder.material(rgba=surroundings.ALUMINIUM, specular=0.9)
    builder.mesh(body, meshes.loft(bellows), builder.material(rgba=solid(rubber)))
    steps = [(0, 0.02), (tube, 0.02), (tube, 0.07), (1.6 * tube, 0.072), (1.6 * tube, 0.1),
             (1.2 * tube, 0.102), (1.2 * tube, 0.16), (2.5 * tube, 0.162), (2.5 * tube, 0.5),
             (0, 0.5)]  # fmt: skip
    builder.mesh(body, meshes.loft(steps), steel)


def _finger(rng, builder, body) -> None:
    ink = solid((30, 30, 32)) if rng.random() < 0.5 else surroundings.ALUMINIUM
    material, gape = builder.material(rgba=ink, specular=0.6), rng.uniform(0.015, 0.05)
    pad = builder.material(rgba=solid(colour(rng)))
    ghost = surroundings.GHOST
    for side in (-1, 1):
        x = side * (gape + 0.006)
        builder.box(body, [0.006, 0.011, 0.06], [x, 0, 0.06], material=material, **ghost)
        builder.box(body, [0.002, 0.01, 0.02], [side * gape, 0, 0.02], material=pad, **ghost)
    builder.box(body, [0.08, 0.03, 0.2], [0, 0, 0.32], material=material, **ghost)


def _hand(rng, builder, body) -> None:
    glove = soft.make_glove(rng).parts[0]
    turned = glove.mesh.vertices[:, [0, 2, 1]] * [1, -1, -1]  # fingers from +y to -z: the tip
    turned[:, 2] -= turned[:, 2].min()
    wrist = turned[:, 2].max()
    mesh = glove.mesh._replace(vertices=turned * 1.05, faces=glove.mesh.faces[:, ::-1])
    if np.linalg.det(np.array([[1, 0, 0], [0, 0, -1], [0, -1, 0]])) > 0:
        mesh = mesh._replace(faces=mesh.faces[:, ::-1])
    builder.mesh(body, mesh, builder.material(glove.texture, specular=0.05))
    sleeve = [(0, wrist - 0.01), (0.035, wrist - 0.01), (0.045, wrist + 0.05), (0.06, 0.7),
              (0, 0.7)]  # fmt: skip
    material = builder.material(rgba=solid(colour(rng, 0.0, 0.1)), specular=0.05)
    builder.mesh(body, meshes.loft(meshes.densify(sleeve, 0.03), 0.8), material)


def draw(rng, builder, recipe) -> Intruder | None:
    """Let something reach in, or nothing."""
    if rng.random() >= recipe.intruder_share:
        return None
    body = builder.spec.worldbody.add_body(name=NAME)
    (_cup, _finger, _hand)[rng.integers(3)](rng, builder, body)
    around, depth, share = rng.uniform(0, 2 * np.pi), rng.uniform(0.24, 0.36), rng.uniform(0.6, 1)
    inward = share * depth * 0.4  # 0.4 is about half the height of a picture at 1 m
    position = np.array([1.3 * inward * np.cos(around), inward * np.sin(around), depth])
    outward = np.array([np.cos(around), np.sin(around), -rng.uniform(0.1, 0.7)])
    z = outward / np.linalg.norm(outward)
    x = np.cross([0, 0, 1.0], z)
    x /= np.linalg.norm(x)
    spin = rng.uniform(-0.6, 0.6)
    x = x * np.cos(spin) + np.cross(z, x) * np.sin(spin)
    return Intruder(position, np.stack([x, np.cross(z, x), z], 1))
