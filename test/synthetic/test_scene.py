"""Containers, what is around them, what reaches into the picture, and the renderers."""

from dataclasses import replace
import os
import subprocess
import sys

import numpy as np
import pytest
from rganet_ros.synthetic import render, view
from rganet_ros.synthetic.recipe import Recipe
from rganet_ros.synthetic.scene import Scene

PLAIN = Recipe(
    width=160, height=120, most_objects=8, empty_share=0, sparse_share=0, overfull_share=0,
    shelf_share=0, drawer_share=0, packed_share=0, intruder_share=0,
)  # fmt: skip
CONTAINERS = {'tote': {}, 'drawer': {'drawer_share': 1}, 'shelf': {'shelf_share': 1}}


def build(seed=1, **changes) -> Scene:
    return Scene(np.random.default_rng(seed), 'train', replace(PLAIN, **changes))


def shoot(scene: Scene, seed=2) -> render.Shot:
    render.backend()
    seen = view.draw(np.random.default_rng(seed), scene.container, PLAIN)
    with render.Renderer(scene) as renderer:
        return renderer.shoot(seen)


@pytest.mark.parametrize('name', CONTAINERS)
def test_things_come_to_rest_in_every_container(name):
    scene = build(**CONTAINERS[name])
    kept = [k for k, body in enumerate(scene.body_ids) if scene.data.xpos[body, 2] > -0.02]
    assert len(kept) >= 3
    at = scene.data.xpos[scene.body_ids[kept]]
    assert (abs(at[:, :2]) < np.array(scene.container.half) + 0.06).all()
    shot = shoot(scene)
    assert (shot.surface > 0).any() and (shot.surface == -1).any()
    assert shot.rgb.min() >= 0 and shot.rgb.max() <= 1 and np.ptp(shot.rgb) > 0.3
    assert shot.depth.min() > 0.1 and np.isfinite(shot.depth).all()


def test_heaps_are_higher_than_what_is_usual():
    usual, heap = build(), build(overfull_share=1)
    assert len(heap.things) >= 40
    top = [scene.data.xpos[scene.body_ids, 2].max() for scene in (usual, heap)]
    assert top[1] > top[0]


def test_what_reaches_in_is_background_and_goes_with_the_camera():
    scenes = [build(intruder_share=1), build(empty_share=1, intruder_share=1)]
    for scene in scenes:
        assert scene.intruder is not None
        bare = build(empty_share=float(not scene.things))
        for seed in range(2):
            with_it, without = shoot(scene, seed), shoot(bare, seed)
            near = with_it.depth < scene.intruder.position[2] + 0.02
            assert near.any() and (with_it.surface[near] == 0).all()
            assert not (without.depth < scene.intruder.position[2] - 0.05).all()


def test_the_tote_beside_shows_things_that_are_background():
    filled = next(scene for scene in (build(seed) for seed in range(30)) if len(scene._copied) > 4)
    first = filled.first_body + len(filled.things)
    at = filled.data.xpos[first : first + len(filled._copied)]
    beside = np.array(filled.container.beside)
    assert (abs(at[:, :2] - beside) < np.array(filled.container.half) + 0.06).all()
    geoms = filled.model.geom_bodyid >= first
    assert geoms.any() and (filled.surface_of_geoms()[geoms] == 0).all()


def test_a_crowd_is_around_a_tote_and_not_in_it():
    render.backend()
    above = view.look_at([0, 0, 1.5], [0, 0, 0], [0, 1, 0], np.radians(60))
    steps = {0: 0, 1: 0}  # in the depth of what is around
    for seed in range(6):
        for crowded_share in steps:
            scene = build(seed, empty_share=1, crowded_share=crowded_share)
            with render.Renderer(scene) as renderer:
                shot = renderer.shoot(above)
            focal = above.camera(160, 120).fx
            x, y = (0.9 * focal / 1.5 * half for half in scene.container.half)
            inside = slice(int(60 - y), int(60 + y)), slice(int(80 - x), int(80 + x))
            assert (shot.surface[inside] == -1).all()
            around = np.where(shot.surface == 0, shot.depth, np.nan)
            steps[crowded_share] += (abs(np.diff(around, axis=1)) > 0.005).sum()
    assert steps[1] > 1.3 * steps[0]


def test_lamps_are_from_dim_to_glaring():
    strength = [build(seed, empty_share=1).model.light_diffuse.sum() for seed in range(20)]
    assert max(strength) > 2.5 * min(strength)


def test_what_was_taken_away_does_not_keep_the_rest_from_settling():
    scene = build()
    scene.settle(longest=5.0)
    time = scene.data.time
    scene.remove(0)
    scene.settle(longest=5.0)
    assert scene.data.time - time < 2.0
    for k in range(len(scene.things)):
        scene.remove(k)
    scene.settle()
    time = scene.data.time
    scene.settle()
    assert scene.data.time - time < 0.2


def test_osmesa_serves_where_egl_does_not_start():
    words = (
        'from rganet_ros.synthetic import generate, render;'
        'from rganet_ros.synthetic.recipe import Recipe;'
        'sample = next(generate.samples(Recipe(width=64, height=64), "train", 1, 3, [0]));'
        'print(render.backend(), sample.rgb.std() > 5)'
    )
    environment = {**os.environ, '__EGL_VENDOR_LIBRARY_DIRS': '/nowhere'}
    for name in ('MUJOCO_GL', 'PYOPENGL_PLATFORM'):
        environment.pop(name, None)
    command = [sys.executable, '-c', words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.stdout == 'osmesa True\n' and not done.stderr
