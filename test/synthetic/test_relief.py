"""Floors of used totes: depth of their panels, their plate, and what a scene shows of them."""

from dataclasses import replace

import numpy as np
from rganet_ros.synthetic import relief, render, view
from rganet_ros.synthetic.recipe import find, Recipe
from rganet_ros.synthetic.scene import Scene

EMPTY = Recipe(
    width=160, height=120, empty_share=1, shelf_share=0, drawer_share=0, intruder_share=0
)


def test_panels_are_millimetres_below_what_things_rest_on():
    spans = []
    for seed in range(20):
        deep = relief.panels(np.random.default_rng(seed))
        assert deep.shape == (relief.SIZE, relief.SIZE) and deep.dtype == np.float32
        assert deep.min() >= -relief.DEEPEST and deep.max() <= 0
        spans.append(np.ptp(deep))
    assert min(spans) > 0.0003 and max(spans) > 0.003


def test_the_plate_faces_up_and_fills_round_corners():
    half = 0.2, 0.3
    plate = relief.floor(np.random.default_rng(1), half, 12.0)
    a, b, c = (plate.vertices[plate.faces[:, k]] for k in range(3))
    assert (np.cross(b - a, c - a)[:, 2] > 0).all()
    share = abs(plate.vertices[:, :2]) / (0.97 * np.array(half))
    assert np.isclose((share**12).sum(1).max(), 1, atol=1e-3)
    assert plate.uv.min() >= 0 and plate.uv.max() <= 1


def test_worn_plastic_is_uneven_and_keeps_its_colour():
    for seed in range(10):
        picture = relief.worn(np.random.default_rng(seed), (178, 32, 24))
        assert picture.dtype == np.uint8 and picture.std() > 3
        assert picture[..., 0].mean() > picture[..., 1:].mean() + 20


def test_a_floor_with_panels_is_the_container_and_no_flatter_than_they_are():
    render.backend()
    rough = []
    for relief_share in (0, 1):
        scene = Scene(np.random.default_rng(3), 'train', replace(EMPTY, relief_share=relief_share))
        above = view.look_at([0, 0, 0.8], [0, 0, 0], [0, 1, 0], np.radians(20))
        with render.Renderer(scene) as renderer:
            shot = renderer.shoot(above)
        middle = slice(40, 80), slice(50, 110)
        assert (shot.surface[middle] == -1).all()
        assert abs(shot.depth[middle] - 0.8).max() < 0.001 + relief_share * relief.DEEPEST
        rough.append(np.ptp(shot.depth[middle]))
    assert rough[1] > rough[0] + 0.0005


def test_the_recipe_of_totes_has_tilted_views():
    recipe, container = find('totes'), Scene(np.random.default_rng(0), 'train', EMPTY).container

    def tilts(recipe):
        rng = np.random.default_rng(1)
        views = [view.draw(rng, container, recipe) for _ in range(400)]
        return np.array([np.arccos(-each.rotation[2, 2]) for each in views])

    assert (tilts(recipe) > 0.4).mean() > 2 * (tilts(Recipe()) > 0.4).mean()


def test_the_recipe_of_far_cells_has_views_from_afar():
    container = Scene(np.random.default_rng(0), 'train', EMPTY).container

    def views(name):
        rng = np.random.default_rng(1)
        return [view.draw(rng, container, find(name)) for _ in range(400)]

    near, far = views('cells'), views('far-cells')
    away = [np.linalg.norm([each.position for each in some], axis=1) for some in (near, far)]
    assert away[1].mean() > 1.25 * away[0].mean() and away[1].max() < 1.8 * away[0].max()
