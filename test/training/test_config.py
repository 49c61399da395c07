import pytest
from rganet_ros.training.config import read_recipe, Recipe, rows


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('epoch: 3', "unknown option 'epoch'"),
        ('epochs: 0', 'must be in 1'),
        ('epochs: many', 'must be a whole number'),
        ('precision: fp8', 'must be one of'),
        ('- epochs', 'must hold `name: value` lines'),
        ('zoom: [0.6]', r'zoom = \[0.6\] must be two numbers, the least and the most'),
        ('window: [4, 1]', r'window = \[4.0, 1.0\] must be two numbers, the least and'),
        ('crop: [64]', r'crop = \[64.0\] must be two numbers, height and width'),
    ],
)
def test_what_is_not_accepted_is_named(text, message, tmp_path):
    (tmp_path / 'recipe.yaml').write_text(text)
    with pytest.raises(ValueError, match=message) as error:
        read_recipe(tmp_path / 'recipe.yaml')
    assert 'recipe.yaml' in str(error.value)


def test_a_row_may_say_nothing_but_its_name(tmp_path):
    (tmp_path / 'recipe.yaml').write_text('epochs: 3\nnetworks:\n  attanet-light:\n')
    assert rows(tmp_path / 'recipe.yaml') == ['attanet-light']
    found = read_recipe(tmp_path / 'recipe.yaml', 'attanet-light')
    assert found == Recipe('attanet-light', epochs=3)
    (tmp_path / 'recipe.yaml').write_text('epochs: 3\nnetworks:\n')
    assert rows(tmp_path / 'recipe.yaml') == []
    assert read_recipe(tmp_path / 'recipe.yaml') == Recipe(epochs=3)


def test_changes_come_after_the_file(tmp_path):
    (tmp_path / 'recipe.yaml').write_text('epochs: 3\nbatch: 2')
    assert read_recipe(tmp_path / 'recipe.yaml', epochs=5) == Recipe(epochs=5, batch=2)
