import pytest
from rganet_ros.training.config import read_recipe, Recipe


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
