"""Every recipe that ships, and every row of one, is accepted, builds and trains."""

import dataclasses
from pathlib import Path

import pytest
from rganet_ros import networks
from rganet_ros.training.batches import Batches
from rganet_ros.training.config import read_recipe, rows
from rganet_ros.training.machine import open_fabric
from rganet_ros.training.training import Training
import torch

FOLDER = Path(__file__).parents[2] / 'config' / 'train'
CASES = [(path.stem, None) for path in sorted(FOLDER.glob('*.yaml'))]
CASES += [(name, row) for name, _ in CASES for row in rows(FOLDER / f'{name}.yaml')]
ZOO = {
    'rganet5-nb', 'rganet5-b3-deconv', 'fanet18', 'fanet34', 'fanet-lite0', 'fanet-lite0-rgbd',
    'attanet-r18', 'attanet-light', 'aaff', 'sanet-lite0', 'ddrnet-23-slim',
}  # fmt: skip


@pytest.mark.parametrize(('name', 'row'), CASES)
def test_it_trains(name, row, frames, clips):
    given = read_recipe(FOLDER / f'{name}.yaml', row)
    assert len(given.class_weights) == 3
    if name.endswith(('-rgb', '-rgbd')):
        assert given.config['depth'] == name.endswith('-rgbd')
    bound = {'size': (64, 96)} if given.network.startswith('rganet') else {}
    if bound:
        usual = networks.NETWORKS[given.network][1].config.size
        assert given.crop == tuple(given.config.get('size', usual))
    window = min(given.window[0], 2), min(given.window[1], 2)
    recipe = dataclasses.replace(
        given, config=given.config | bound, crop=(64, 96), batch=2, window=window, accumulate=1
    )
    batches = Batches(clips if window[1] > 1 else frames, recipe)
    training = Training(recipe, 2, open_fabric('cpu'))
    training.begin_epoch()
    before = [parameter.detach().clone() for parameter in training.network.parameters()]
    for _ in range(1 if recipe.precision != 'fp16' else 8):  # its scaler leaves out the first ones
        assert torch.isfinite(training.step([batches[0, 0]]))
    still = [
        key for (key, now), old in zip(training.network.named_parameters(), before)
        if now.requires_grad and now.grad is None
    ]  # fmt: skip
    assert not still  # several processes would wait for them
    assert not all(map(torch.equal, training.network.parameters(), before))


def test_the_zoo_has_a_row_for_each():
    path = FOLDER / 'default.yaml'
    assert set(rows(path)) >= ZOO
    common = read_recipe(path)
    for name in rows(path):  # else they would not be comparable
        row = read_recipe(path, name)
        for field in ('batch', 'loss', 'class_weights', 'overlap', 'optimiser', 'schedule'):
            assert getattr(row, field) == getattr(common, field)


def test_any_network_may_take_the_shared_recipe():
    recipe = read_recipe(FOLDER / 'default.yaml', 'bisenet-x39')
    assert recipe.network == 'bisenet-x39' and recipe.batch == 32


def test_a_row_with_an_unknown_key_is_refused(tmp_path):
    path = tmp_path / 'recipe.yaml'
    path.write_text('networks: {fanet18: {epoch: 3}}')
    with pytest.raises(ValueError, match="recipe.yaml: unknown option 'epoch'"):
        read_recipe(path, 'fanet18')
