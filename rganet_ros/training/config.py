"""The recipe of a training: a YAML file, checked, frozen."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from rganet_ros.options import make, OneOf, Range, read_yaml

OPTIMISERS = ('adamw', 'adamw-amsgrad', 'sgd')
SCHEDULES = ('cosine', 'poly', 'constant')
LOSSES = ('cross-entropy', 'focal', 'ohem')
RANGE = 'the least and the most'
PAIRS = {'window': RANGE, 'zoom': RANGE, 'crop': 'height and width'}


@dataclass(frozen=True)
class Recipe:
    """Everything but the data and the machine that decides what a training gives."""

    network: Annotated[str, 'name in networks.NETWORKS'] = 'fanet18'
    config: Annotated[dict, 'fields of its Config'] = field(default_factory=dict)
    weights: Annotated[str, "of its backbone: '', imagenet, or a file"] = ''
    seed: Annotated[int, Range(0, 2**31), 'of weights, order and augmentation'] = 0
    epochs: Annotated[int, Range(1, 100000), 'the budget; the learning rate ends with it'] = 40
    batch: Annotated[int, Range(1, 4096), 'frames, or windows of clips, of all processes'] = 12
    accumulate: Annotated[int, Range(1, 1024), 'batches whose gradients make one step'] = 1
    window: Annotated[
        tuple, Range(1, 64), 'least and most consecutive frames of a clip; each step draws'
    ] = (1, 1)
    detach: Annotated[bool, 'no gradient flows into what past frames left in the memory'] = True
    crop: Annotated[tuple, Range(32, 4096), 'height and width of a training picture'] = (256, 320)
    whole_epochs: Annotated[int, Range(0, 100000), 'how many last epochs see whole frames'] = 0
    precision: Annotated[
        str, OneOf(('fp32', 'bf16', 'fp16')), 'of convolutions while training'
    ] = 'bf16'

    optimiser: Annotated[str, OneOf(OPTIMISERS), 'what descends'] = 'adamw'
    schedule: Annotated[str, OneOf(SCHEDULES), 'of the learning rate, after the warm-up'] = (
        'cosine'
    )
    learning_rate: Annotated[float, Range(0, 1), 'at its peak'] = 2e-3
    backbone_rate: Annotated[
        float, Range(0, 10), 'learning rate of the backbone, of that; 0: it and its norms stay'
    ] = 1.0
    kept: Annotated[str, 'parts of the network that stay, too: names, with blanks between'] = ''
    warm_up: Annotated[float, Range(0, 1), 'share of the steps that raise it linearly'] = 0.05
    weight_decay: Annotated[float, Range(0, 10), 'of all weights'] = 0.02
    freeze_norms: Annotated[bool, 'batch norms keep the statistics that they begin with'] = False
    average: Annotated[float, Range(0, 1), 'decay a step of the averaged weights'] = 0.998
    loss: Annotated[str, OneOf(LOSSES), 'of pixels'] = 'cross-entropy'
    class_weights: Annotated[tuple, Range(0, 1000), 'of that loss'] = (0.6, 1.0, 1.5)
    focus: Annotated[float, Range(0, 10), "the focal loss's gamma"] = 1.3
    hard: Annotated[float, Range(0, 1), 'ohem: pixels less sure of the truth count'] = 0.7
    overlap: Annotated[float, Range(0, 100), 'weight of the soft-IoU loss, suctionable'] = 0.5
    auxiliary: Annotated[float, Range(0, 100), 'weight of each auxiliary head'] = 0.5
    presence: Annotated[float, Range(0, 100), 'weight of which classes there are'] = 0.2

    fit: Annotated[
        str, OneOf(('cut', 'letterbox')), 'a crop shows part of a frame, or all of it, padded'
    ] = 'cut'
    move_share: Annotated[float, Range(0, 1), 'of pictures that are zoomed, turned, shifted'] = 1.0
    zoom: Annotated[tuple, Range(0.1, 10), 'least and largest random scale'] = (0.6, 1.1)
    turn: Annotated[float, Range(0, 180), 'largest random rotation, degrees'] = 30.0
    shift: Annotated[float, Range(0, 1), 'largest random shift, of the sides of a crop'] = 0.0
    colour: Annotated[float, Range(0, 1), 'strength of the changes of colour'] = 0.5
    sharpen: Annotated[float, Range(1, 10), 'half of the pictures, up to this; 1: none'] = 1.0
    depth_holes: Annotated[int, Range(0, 100), 'most blobs of depth that are dropped'] = 6
    without_depth: Annotated[float, Range(0, 1), 'of pictures whose depth is left out'] = 0.0
    evaluate_every: Annotated[int, Range(1, 100000), 'epochs'] = 5

    def __post_init__(self):
        """Raise ValueError where what comes in pairs does not."""
        for name, what in PAIRS.items():
            pair = getattr(self, name)
            if len(pair) != 2 or (what == RANGE and pair[0] > pair[1]):
                raise ValueError(f'{name} = {list(pair)} must be two numbers, {what}')

    @property
    def parts_kept(self) -> tuple[str, ...]:
        """Name the parts of the network that keep their weights and the statistics of norms."""
        return (*(() if self.backbone_rate else ('backbone',)), *self.kept.split())


def read_recipe(path: str | Path, name: str | None = None, **changes) -> Recipe:
    """
    Read a recipe; ValueError says what is not accepted.

    A recipe for several networks has what differs under `networks`, a mapping from a name to
    fields. name  chooses one of those, or is a network that the recipe says nothing of
    changes  override what is read
    """
    values = read_yaml(path)
    rows = values.pop('networks', None) or {}
    row = {} if name is None else {'network': name} | (rows.get(name) or {})
    try:
        return make(Recipe, values | row | changes)
    except ValueError as error:
        raise ValueError(f'{path}: {error}') from None


def rows(path: str | Path) -> list[str]:
    """List the networks that a recipe has rows for."""
    return list(read_yaml(path).get('networks') or {})
