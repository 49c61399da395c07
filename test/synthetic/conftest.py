"""Small scenes, made once."""

import numpy as np
import pytest
from rganet_ros.synthetic import generate, render
from rganet_ros.synthetic.recipe import Recipe

SMALL = {'width': 96, 'height': 72, 'views': 2, 'bank': 12, 'most_objects': 6,
         'drawer_share': 0, 'overfull_share': 0}  # fmt: skip


@pytest.fixture(scope='session')
def small_options():
    return SMALL


@pytest.fixture(scope='session')
def small():
    render.backend()
    return Recipe(**SMALL, empty_share=0, shelf_share=0, packed_share=0)


@pytest.fixture(scope='session')
def empty():
    render.backend()
    return Recipe(**SMALL, empty_share=1, shelf_share=0, intruder_share=1)


@pytest.fixture(scope='session')
def sample(small):
    return next(generate.samples(small, 'test', 3, 0, [0]))


@pytest.fixture
def rng():
    return np.random.default_rng(5)
