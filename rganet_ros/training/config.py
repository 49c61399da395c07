"""The recipe of a training: a YAML file, checked, frozen."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from rganet_ros.options import OneOf, Range, read


@dataclass(frozen=True)
class Recipe:
    """Everything but the data and the machine that decides what a training gives."""

    network: Annotated[str, 'name in networks.NETWORKS'] = 'fanet18'
    config: Annotated[dict, 'fields of its Config'] = field(default_factory=dict)
    weights: Annotated[str, "of its backbone: '', imagenet, or a file"] = ''
    seed: Annotated[int, Range(0, 2**31), 'of weights, order and augmentation'] = 0
    epochs: Annotated[int, Range(1, 100000), 'the budget; the learning rate ends with it'] = 40
    batch: Annotated[int, Range(1, 1024), 'frames a step, or windows of clips'] = 12
    window: Annotated[
        tuple, Range(1, 64), 'least and most consecutive frames of a clip; each step draws'
    ] = (1, 1)
    detach: Annotated[bool, 'no gradient flows into what past frames left in the memory'] = True
    crop: Annotated[tuple, Range(32, 4096), 'height and width of a training picture'] = (256, 320)
    whole_epochs: Annotated[int, Range(0, 100000), 'how many last epochs see whole frames'] = 0
    precision: Annotated[str, OneOf(('fp32', 'bf16')), 'of convolutions while training'] = 'bf16'

    learning_rate: Annotated[float, Range(0, 1), 'at its peak (AdamW)'] = 2e-3
    backbone_rate: Annotated[float, Range(0, 10), 'learning rate of the backbone, of that'] = 1.0
    warm_up: Annotated[float, Range(0, 1), 'share of the steps that raise it linearly'] = 0.05
    weight_decay: Annotated[float, Range(0, 10), 'AdamW'] = 0.02
    average: Annotated[float, Range(0, 1), 'decay a step of the averaged weights'] = 0.998
    class_weights: Annotated[tuple, Range(0, 1000), 'of the cross-entropy'] = (0.6, 1.0, 1.5)
    overlap: Annotated[float, Range(0, 100), 'weight of the soft-IoU loss, suctionable'] = 0.5
    auxiliary: Annotated[float, Range(0, 100), 'weight of each auxiliary head'] = 0.5
    presence: Annotated[float, Range(0, 100), 'weight of which classes there are'] = 0.2

    zoom: Annotated[tuple, Range(0.1, 10), 'least and largest random scale'] = (0.6, 1.1)
    turn: Annotated[float, Range(0, 180), 'largest random rotation, degrees'] = 30.0
    colour: Annotated[float, Range(0, 1), 'strength of the changes of colour'] = 0.5
    depth_holes: Annotated[int, Range(0, 100), 'most blobs of depth that are dropped'] = 6
    evaluate_every: Annotated[int, Range(1, 100000), 'epochs'] = 5


def read_recipe(path: str | Path, **changes) -> Recipe:
    """Read a recipe; changes override its fields. ValueError says what is not accepted."""
    return read(Recipe, path, **changes)
