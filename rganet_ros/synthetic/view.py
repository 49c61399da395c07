"""Where the camera stands: a pose in the world, drawn for a tote or a shelf."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from rganet_ros.synthetic.containers import Container
from rganet_ros.synthetic.recipe import Recipe
from rganet_ros.types import Camera


class View(NamedTuple):
    """
    A camera in the world.

    position   (3,) metres
    rotation   (3, 3) optical frame to world: columns x right, y down, z forward
    fovy       rad, vertical field of view
    """

    position: np.ndarray
    rotation: np.ndarray
    fovy: float

    def pose(self) -> np.ndarray:
        """Optical frame to world, (4, 4), metres."""
        pose = np.eye(4)
        pose[:3, :3], pose[:3, 3] = self.rotation, self.position
        return pose

    def camera(self, width: int, height: int) -> Camera:
        """Intrinsics for a picture of this size."""
        focal = height / 2 / np.tan(self.fovy / 2)
        return Camera(focal, focal, (width - 1) / 2, (height - 1) / 2, width, height)


def look_at(position, target, up, fovy: float) -> View:
    """Look from position at target; `up` (3,) is upwards in the picture, not along the view."""
    forward = np.asarray(target, float) - position
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, up)
    right /= np.linalg.norm(right)
    down = np.cross(forward, right)
    return View(np.asarray(position, float), np.stack([right, down, forward], 1), fovy)


def _fovy(rng) -> float:
    return np.radians(42.6 + rng.uniform(-4, 4))  # an SR300's colour camera, and its like


def over_tote(rng, container: Container, recipe: Recipe) -> View:
    """From above, tilted a little or strongly, the tote's long side along either picture axis."""
    around = rng.integers(4) * np.pi / 2 + 0.25 * rng.standard_normal()
    slight = rng.random() < 1 - recipe.tilted_share
    tilt = abs(rng.normal(0, 0.22)) if slight else rng.uniform(0.3, 0.7)
    out = np.array([np.sin(tilt) * np.cos(around), np.sin(tilt) * np.sin(around), np.cos(tilt)])
    target = np.array([rng.normal(0, 0.03), rng.normal(0, 0.04), rng.uniform(0.02, 0.1)])
    distance = max(rng.uniform(0.45, 0.95), container.height + 0.32)
    if recipe.far_share and rng.random() < recipe.far_share:  # a share of 0 draws no number
        distance *= rng.uniform(1.2, 1.7)
    roll = around + np.pi + 0.12 * rng.standard_normal()
    up = np.array([np.cos(roll), np.sin(roll), 0])
    return look_at(target + distance * out, target, up, _fovy(rng))


def into_shelf(rng, container: Container) -> View:
    """From the front, somewhat from above and from either side."""
    distance = container.half[0] + rng.uniform(0.25, 0.5)
    side, lift = rng.normal(0, 0.22), rng.uniform(0.05, 0.5)
    target = np.array([0, rng.normal(0, 0.04), container.height * rng.uniform(0.3, 0.5)])
    out = np.array([np.cos(lift) * np.cos(side), np.cos(lift) * np.sin(side), np.sin(lift)])
    up = np.array([0, 0.06 * rng.standard_normal(), 1])
    return look_at(target + distance * out, target, up, _fovy(rng))


def draw(rng, container: Container, recipe: Recipe) -> View:
    """Draw a view of the container, with the recipe's shares of tilted and of far ones."""
    return into_shelf(rng, container) if container.shelf else over_tote(rng, container, recipe)
