import numpy as np
import pytest
from rganet_ros import networks
from rganet_ros.training.config import OPTIMISERS, Recipe
from rganet_ros.training.optimise import learning_rate, optimiser
import torch


@pytest.mark.parametrize('schedule', ['cosine', 'poly'])
def test_learning_rate_rises_then_falls_to_nothing(schedule):
    recipe = Recipe(schedule=schedule, warm_up=0.1)
    rates = [learning_rate(done, recipe) for done in np.linspace(0, 1, 101)]
    assert rates[10] == max(rates) == 1 and rates[0] < 0.02 and rates[-1] == 0
    assert all(np.diff(rates[:11]) > 0) and all(np.diff(rates[10:]) < 0)


def test_schedules_are_those_of_the_papers():
    poly, constant = (Recipe(schedule=s, warm_up=0.0) for s in ('poly', 'constant'))
    assert learning_rate(0.25, poly) == pytest.approx(0.75**0.9)
    assert learning_rate(0.25, constant) == learning_rate(1.0, constant) == 1


@pytest.mark.parametrize('name', OPTIMISERS)
def test_optimisers_descend(name):
    network = torch.nn.Linear(3, 1)
    recipe = Recipe(optimiser=name, learning_rate=0.05, weight_decay=0.0)
    made, x = optimiser(network, recipe), torch.rand(16, 3)
    losses = []
    for _ in range(30):
        made.zero_grad()
        losses.append((network(x) - x.sum(1, keepdim=True)).square().mean())
        losses[-1].backward()
        made.step()
    assert losses[-1] < 0.5 * losses[0]
    assert made.defaults.get('amsgrad', False) == (name == 'adamw-amsgrad')


def test_a_backbone_has_its_own_rate():
    network = networks.build('fanet18', {'blocks': [1, 1, 1, 1]})
    groups = optimiser(network, Recipe(learning_rate=0.1, backbone_rate=0.2)).param_groups
    assert sorted(round(group['lr'], 6) for group in groups) == [0.02, 0.1]
    whole = sum(len(group['params']) for group in groups)
    assert whole == len(list(network.parameters()))
