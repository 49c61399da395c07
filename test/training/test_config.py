from pathlib import Path

import pytest
from rganet_ros import networks
from rganet_ros.training.config import read_recipe, Recipe

SHIPPED = sorted((Path(__file__).parents[2] / 'config' / 'train').glob('*.yaml'))


@pytest.mark.parametrize('path', SHIPPED, ids=lambda path: path.stem)
def test_shipped_recipes_are_accepted_and_build(path):
    recipe = read_recipe(path)
    config = networks.build(recipe.network, recipe.config).config
    assert config.depth == (not path.stem.endswith('rgb'))
    assert len(recipe.class_weights) == config.classes


def test_two_recipes_ship():
    assert {path.stem for path in SHIPPED} >= {'fanet18-rgb', 'fanet18-rgbd'}


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('epoch: 3', "unknown option 'epoch'"),
        ('epochs: 0', 'must be in 1'),
        ('epochs: many', 'must be a whole number'),
        ('precision: fp8', 'must be one of'),
        ('- epochs', 'must hold `name: value` lines'),
    ],
)
def test_what_is_not_accepted_is_named(text, message, tmp_path):
    (tmp_path / 'recipe.yaml').write_text(text)
    with pytest.raises(ValueError, match=message) as error:
        read_recipe(tmp_path / 'recipe.yaml')
    assert 'recipe.yaml' in str(error.value)


def test_changes_come_after_the_file(tmp_path):
    (tmp_path / 'recipe.yaml').write_text('epochs: 3\nbatch: 2')
    assert read_recipe(tmp_path / 'recipe.yaml', epochs=5) == Recipe(epochs=5, batch=2)
