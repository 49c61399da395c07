"""How weights follow gradients: groups, optimisers, schedules."""

from __future__ import annotations

import math

from rganet_ros.training.config import Recipe
from torch import nn, optim

POWER = 0.9  # of the poly schedule: AttaNet, FANet, and most since DeepLab


def optimiser(network: nn.Module, recipe: Recipe) -> optim.Optimizer:
    """Make the recipe's optimiser: one kernel for all weights."""
    groups = parameter_groups(network, recipe)
    common = {'lr': recipe.learning_rate, 'weight_decay': recipe.weight_decay, 'fused': True}
    if recipe.optimiser == 'sgd':
        return optim.SGD(groups, momentum=0.9, **common)
    return optim.AdamW(groups, amsgrad=recipe.optimiser == 'adamw-amsgrad', **common)


def parameter_groups(network: nn.Module, recipe: Recipe) -> list[dict]:
    """Give the optimiser's groups: the backbone, unless it keeps its weights, and the rest."""
    groups: dict[bool, list] = {False: [], True: []}
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            groups[name.startswith('backbone.')].append(parameter)
    rates = {False: recipe.learning_rate, True: recipe.learning_rate * recipe.backbone_rate}
    return [{'params': each, 'lr': rates[key]} for key, each in groups.items() if each]


def learning_rate(done: float, recipe: Recipe) -> float:
    """Give the share of the peak at a share `done` of the training: a ramp, then the schedule."""
    if done < recipe.warm_up:
        return max(done, 1e-3) / recipe.warm_up
    left = 1 - min((done - recipe.warm_up) / (1 - recipe.warm_up), 1) if recipe.warm_up < 1 else 1
    if recipe.schedule == 'poly':
        return left**POWER
    return 0.5 * (1 - math.cos(math.pi * left)) if recipe.schedule == 'cosine' else 1.0
