"""Each kind alone in a tote: what it weighs, how it is seen, and which cup holds it."""

from functools import cache

import cv2
import numpy as np
import pytest
from rganet_ros.synthetic import objects, render, view
from rganet_ros.synthetic.recipe import Recipe
from rganet_ros.synthetic.sample import photograph
from rganet_ros.synthetic.scene import Scene
from rganet_ros.types import SUCTIONABLE


@cache
def alone(kind: str, cup: str):
    """Settle one thing of a kind in a tote; the scene, and a frame labelled for a cup."""
    render.backend()
    recipe = Recipe(
        width=320, height=240, cup=cup, shelf_share=0, drawer_share=0, intruder_share=0
    )
    thing = objects.KINDS[kind][0](np.random.default_rng(2))
    scene = Scene(np.random.default_rng(3), 'train', recipe, [thing])
    above = scene.data.xpos[scene.body_ids[0]] + [0.02, 0.02, 0.45]
    seen = view.look_at(above, above - [0.02, 0.02, 0.45], [0, 1, 0], np.radians(40))
    with render.Renderer(scene) as renderer:
        return scene, photograph(np.random.default_rng(4), scene, renderer, seen, recipe)


def held(kind: str, cup: str = 'rigid') -> float:
    """Share of a thing that is suctionable."""
    sample = alone(kind, cup)[1]
    return float((sample.label[sample.instance == 1] == SUCTIONABLE).mean())


@pytest.mark.parametrize('kind', objects.KINDS)
def test_every_kind_is_seen_and_weighs_what_it_should(kind):
    scene, sample = alone(kind, 'rigid')
    assert 0.002 < scene.model.body_mass[scene.body_ids[0]] < 2
    assert (sample.instance == 1).mean() > 0.002
    floor = sample.true_depth[sample.instance == 0]
    assert sample.true_depth[sample.instance == 1].min() < floor.max() - 0.002


@pytest.mark.parametrize('kind', ['box', 'book', 'soap', 'clear_box', 'lid'])
def test_flat_things_are_held(kind):
    assert held(kind) > 0.15


@pytest.mark.parametrize('kind', ['mesh_cup', 'basket', 'whisk', 'cable', 'scissors', 'pliers'])
def test_mesh_and_thin_things_are_held_by_no_cup(kind):
    assert held(kind) < 0.02 and held(kind, 'strong') < 0.05


@pytest.mark.parametrize('kind', ['towel', 'cloth', 'plush', 'sponge'])
def test_soft_things_are_held_by_a_strong_vacuum_alone(kind):
    assert held(kind) == 0 and held(kind, 'strong') > 0.05


@pytest.mark.parametrize('kind', ['bag', 'pack', 'blister', 'box', 'book', 'can', 'bottle'])
def test_film_is_held_in_more_places_by_a_strong_vacuum_and_nothing_in_fewer(kind):
    rigid, strong = (alone(kind, cup)[1].label == SUCTIONABLE for cup in ('rigid', 'strong'))
    assert strong[rigid].all()
    assert kind not in ('bag', 'pack') or strong.sum() > rigid.sum() > 0


def test_a_mesh_is_one_thing_to_ids_and_wires_to_the_eye():
    scene, sample = alone('mesh_cup', 'rigid')
    inside = cv2.erode((sample.instance == 1).astype(np.uint8), np.ones((9, 9))) > 0
    assert (
        inside.any() and cv2.connectedComponents((sample.instance == 1).astype(np.uint8))[0] == 2
    )
    assert sample.rgb[inside].std() > 8


def test_what_is_behind_clear_plastic_is_seen():
    sample = alone('clear_box', 'rigid')[1]
    inside = cv2.erode((sample.instance == 1).astype(np.uint8), np.ones((15, 15))) > 0
    assert sample.rgb[inside].astype(float).std() > 12
    assert (sample.depth[inside] == 0).mean() > 0.1
