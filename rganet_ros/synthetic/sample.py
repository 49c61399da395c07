"""One finished frame: a view of a scene, labelled, as the sensor sees it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from rganet_ros.synthetic import label, render, sensor, shading, view
from rganet_ros.synthetic.cup import CUPS
from rganet_ros.synthetic.recipe import Recipe
from rganet_ros.synthetic.scene import Scene
from rganet_ros.types import Camera


class Sample(NamedTuple):
    """
    One finished frame.

    rgb         (H, W, 3) uint8, and depth (H, W) float32 metres, 0 unknown, as sensed
    label       (H, W) uint8 class ids, and score (H, W) float32 in 0..1
    instance    (H, W) uint8: 0 background, k + 1 the thing k
    true_depth  (H, W) float32 metres, without noise
    pose        (4, 4) optical frame to world, metres
    background  rgb and depth as sensed of the same view without the things, or None
    flow        to the frame before, of a clip: (H, W, 2) pixels and where it is known (H, W) bool
    """

    rgb: np.ndarray
    depth: np.ndarray
    label: np.ndarray
    score: np.ndarray
    instance: np.ndarray
    true_depth: np.ndarray
    camera: Camera
    pose: np.ndarray
    background: tuple[np.ndarray, np.ndarray] | None = None
    flow: tuple[np.ndarray, np.ndarray] | None = None


def _bodies(scene: Scene, seen: view.View) -> label.Bodies:
    ids = scene.body_ids
    return label.Bodies(
        scene.model.body_mass[ids],
        (scene.data.xipos[ids] - seen.position) @ seen.rotation,
        np.array([thing.porous for thing in scene.things], bool),
        np.array([thing.open for thing in scene.things], bool),
    )


def _sense(
    rng, scene: Scene, shot: render.Shot, normal, seen: view.View, camera: Camera, recipe: Recipe
) -> tuple[np.ndarray, np.ndarray]:
    """Give colour and depth of what was rendered, as the sensor has them."""
    # By surface, as in render.Shot: -1, the container, is the last.
    gloss = np.array(
        [0, *(thing.gloss for thing in scene.things), scene.container.gloss], np.float32
    )
    room, ray = shading.surroundings(rng), shading.rays(shot.depth.shape, seen)
    picture = shading.shade(
        rng, shot.rgb, shot.rgba, shot.depth, normal, gloss[shot.surface], ray, seen, room
    )
    depth = sensor.depth(
        rng, shot.depth, shot.surface, normal, ray, camera,
        1 - picture.max(-1), shot.rgba[..., 3] < 1, recipe,
    )  # fmt: skip
    return sensor.colour(rng, picture), depth


def background(
    rng, scene: Scene, renderer: render.Renderer, seen: view.View, recipe: Recipe
) -> tuple[np.ndarray, np.ndarray]:
    """Give colour and depth of the same view without the things, as Zeng's set has them."""
    with scene.emptied():
        shot = renderer.shoot(seen)
    camera = seen.camera(recipe.width, recipe.height)
    normal = label.normals(label.points(shot.depth, camera), shot.surface)
    return _sense(rng, scene, shot, normal, seen, camera, recipe)


def photograph(
    rng, scene: Scene, renderer: render.Renderer, seen: view.View, recipe: Recipe
) -> Sample:
    """Render a view of a scene, label it, and pass it through the sensor."""
    shot = renderer.shoot(seen)
    camera, cup = seen.camera(recipe.width, recipe.height), CUPS[recipe.cup]
    cloud = label.points(shot.depth, camera)
    normal = label.normals(cloud, shot.surface)
    up, approach = seen.rotation.T @ [0, 0, 1], seen.rotation.T @ scene.container.approach
    score = label.score(
        cloud, normal, shot.surface, camera, up, approach, _bodies(scene, seen), cup
    )
    rgb, depth = _sense(rng, scene, shot, normal, seen, camera, recipe)
    return Sample(
        rgb, depth, label.classes(score, shot.surface, cup), score,
        np.maximum(shot.surface, 0).astype(np.uint8), shot.depth, camera, seen.pose(),
    )  # fmt: skip
