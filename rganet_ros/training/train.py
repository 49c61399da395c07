"""Train a network by a recipe; stopped at any moment, the same command goes on where it was."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
import copy
import dataclasses
import json
import math
import os
from pathlib import Path
import sys
import time

import numpy as np
from rganet_ros import networks
from rganet_ros.check import quick_check
from rganet_ros.networks.layers import DepthChannels
from rganet_ros.training.config import read_recipe, Recipe
from rganet_ros.training.data import batches, Frames, steps_per_epoch
from rganet_ros.training.losses import loss
from rganet_ros.training.score import answerer, save_sheet, score
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
import torch
from torch import nn


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.description = __doc__
    parser.add_argument('--recipe', required=True, help='YAML, see config/train')
    parser.add_argument(
        '--data', required=True, nargs='+', metavar='FOLDER[:WEIGHT]',
        help='data sets with splits train and test, or a YAML file of `folder: weight` lines',
    )  # fmt: skip
    parser.add_argument('--out', required=True, type=Path, help='folder; goes on if it has a run')
    parser.add_argument('--init', help='start from the weights of this checkpoint where they fit')
    parser.add_argument('--epochs', type=int, help="instead of the recipe's")
    parser.add_argument('--seed', type=int, help="instead of the recipe's")
    parser.add_argument('--threads', type=int, default=0, help='0: as many as torch chooses')


def run(args: argparse.Namespace) -> int:
    """Train; returns the exit status."""
    if args.threads:
        torch.set_num_threads(args.threads)
    changes = {k: getattr(args, k) for k in ('epochs', 'seed') if getattr(args, k) is not None}
    recipe = read_recipe(args.recipe, **changes)
    threads = torch.get_num_threads()
    quick_check(args.data)
    train, test = (Frames(args.data, split, threads) for split in ('train', 'test'))
    command = ' '.join(['rganet', *sys.argv[1:]])
    fit(
        recipe,
        train,
        test,
        args.out,
        init=args.init,
        made={'command': command, 'data': train.card},
    )
    return 0


class Training:
    """All that changes while training; what `last.pt` holds."""

    def __init__(self, recipe: Recipe, steps: int, device: torch.device):
        """Take how many steps the whole training has."""
        torch.manual_seed(recipe.seed)
        self.network = networks.build(recipe.network, recipe.config, recipe.weights or None)
        self.network.to(device, memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.network).eval().requires_grad_(False)
        self.optimiser = torch.optim.AdamW(
            parameter_groups(self.network, recipe),
            recipe.learning_rate,
            weight_decay=recipe.weight_decay,
            fused=True,
        )
        self.schedule = torch.optim.lr_scheduler.LambdaLR(
            self.optimiser, lambda step: learning_rate(step / steps, recipe.warm_up)
        )
        self.decay, self.epoch = recipe.average, 0

    def step(self, losses: Iterable[torch.Tensor], together: bool) -> float:
        """
        Descend along the gradient of the sum of losses, and let the average follow.

        Each is propagated back as soon as it is there, which frees its graph, or all together.
        Returns the sum.
        """
        self.optimiser.zero_grad()
        total, kept = 0.0, []
        for value in losses:
            if not torch.isfinite(value):
                raise ValueError(f'the loss is {value.item()}: lower learning_rate, or use fp32')
            total += value.item()
            if together:
                kept.append(value)
            else:
                value.backward()
        if kept:
            sum(kept).backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        self.optimiser.step()
        self.schedule.step()
        # The first averages must forget the random weights they began with.
        count = self.schedule.last_epoch
        share = 1 - min(self.decay, (1 + count) / (10 + count))
        with torch.no_grad():
            new = self.network.state_dict()
            for name, old in self.average.state_dict().items():
                old.lerp_(new[name], share) if old.is_floating_point() else old.copy_(new[name])
        return total

    def save(self, path: Path, about: dict) -> None:
        """Write everything, and what it was made from."""
        parts = {name: getattr(self, name).state_dict() for name in self._PARTS}
        torch.save(parts | {'epoch': self.epoch, 'about': about}, f'{path}.part')
        os.replace(f'{path}.part', path)

    def resume(self, path: Path, about: dict) -> None:
        """Go on from what `save` wrote; ValueError where it was made otherwise."""
        saved = torch.load(path, weights_only=True)
        if saved['about'] != about:
            raise ValueError(
                f'{path} was made by another recipe or data set: give another --out, or remove it'
            )
        for name in self._PARTS:
            getattr(self, name).load_state_dict(saved[name])
        self.epoch = saved['epoch']

    _PARTS = ('network', 'average', 'optimiser', 'schedule')


def parameter_groups(network: nn.Module, recipe: Recipe) -> list[dict]:
    """Give the optimiser's groups: what belongs to the backbone, and the rest."""
    groups: dict[bool, list] = {False: [], True: []}
    for name, parameter in network.named_parameters():
        groups[name.startswith('backbone.')].append(parameter)
    rates = {False: recipe.learning_rate, True: recipe.learning_rate * recipe.backbone_rate}
    return [{'params': each, 'lr': rates[key]} for key, each in groups.items() if each]


def learning_rate(done: float, warm_up: float) -> float:
    """Give the share of the peak at a share `done` of the training: a ramp, then half a cosine."""
    if done < warm_up:
        return max(done, 1e-3) / warm_up
    return 0.5 * (1 + math.cos(math.pi * min((done - warm_up) / (1 - warm_up), 1)))


def _sees_pixels(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Tell whether these are convolutions of a picture, one with depth and one without."""
    return (
        one.ndim == other.ndim == 4
        and one[:, :1].shape == other[:, :1].shape
        and {one.shape[1], other.shape[1]} == {3, 3 + DepthChannels.COUNT}
    )


def start_from(network: nn.Module, path: str | Path) -> list[str]:
    """
    Load the weights that fit from a checkpoint; returns the names of those that do not.

    The first layer may differ in its input channels: colour comes first, so the common ones are
    taken and the others start at zero; the network then begins by answering as the one it came
    from.
    """
    weights, own, missed = networks.read_weights(path), network.state_dict(), []
    for name, value in own.items():
        given = weights.get(name)
        if given is not None and given.shape == value.shape:
            value.copy_(given)
        elif given is not None and _sees_pixels(given, value):
            common = min(given.shape[1], value.shape[1])
            value.zero_()
            value[:, :common] = given[:, :common]
        else:
            missed.append(name)
    return missed


def unroll(network: networks.Network, window: list, detach: bool, mixed) -> Iterator[dict]:
    """
    Run consecutive frames (image, depth, ...) through a network; gives its outputs for each.

    What a network remembers fills up along the window, as it does after a reset. detach: no
    gradient of a later frame flows into what an earlier one left there. mixed is the context that
    chooses the precision.
    """
    first = window[0][0]
    memory = network.new_state(len(first), first.device)
    for image, depth, *_ in window:
        with mixed:
            out = network(image, depth, **memory)
        memory = {name: out[f'next_{name}'] for name in memory}
        if detach:
            memory = {name: value.detach() for name, value in memory.items()}
        yield out


def fit(
    recipe: Recipe, train: Frames, test: Frames, out: Path, *, init=None, made=None
) -> nn.Module:
    """
    Train and write to `out`; returns the averaged network.

    last.pt              everything, after each epoch: to go on from
    network.safetensors  the averaged weights, after each evaluation
    log.jsonl            a line an epoch
    epoch-N.png          frames of the test split, what is true and what the network says

    init is a checkpoint to start from; made says how this came about, for the checkpoint.
    """
    out.mkdir(parents=True, exist_ok=True)
    device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')
    steps = steps_per_epoch(train, recipe)
    training = Training(recipe, recipe.epochs * steps, device)
    about = {'recipe': dataclasses.asdict(recipe), 'frames': len(train), 'init': str(init or '')}
    about = json.loads(json.dumps(about))
    if (out / 'last.pt').exists():
        training.resume(out / 'last.pt', about)
    elif init:
        missed = start_from(training.network, init)
        training.average.load_state_dict(training.network.state_dict())
        print(f'started from {init}' + (f', but for {", ".join(missed)}' if missed else ''))
    mixed = torch.autocast(device.type, torch.bfloat16, enabled=recipe.precision == 'bf16')
    columns = (TextColumn('{task.description}'), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, TimeRemainingColumn(elapsed_when_finished=True)) as progress:
        bar = progress.add_task('', total=recipe.epochs * steps, completed=training.epoch * steps)
        while training.epoch < recipe.epochs:
            started, losses = time.monotonic(), []
            training.network.train()
            for window in batches(train, recipe, training.epoch):
                window = [[part.to(device) for part in batch] for batch in window]
                outputs = unroll(training.network, window, recipe.detach, mixed)
                each = (
                    loss(out, label, recipe) / len(window)
                    for out, (*_, label) in zip(outputs, window)
                )
                losses.append(training.step(each, together=not recipe.detach))
                text = f'epoch {training.epoch + 1}/{recipe.epochs} loss {np.mean(losses):.3f}'
                progress.update(bar, advance=1, description=text)
            training.epoch += 1
            entry = {'epoch': training.epoch, 'loss': float(np.mean(losses))}
            entry |= {'seconds': round(time.monotonic() - started, 1)}
            if training.epoch % recipe.evaluate_every == 0 or training.epoch == recipe.epochs:
                with mixed:
                    answer = answerer(training.average, device)
                    entry |= score(answer, test)
                    save_sheet(out / f'epoch-{training.epoch}.png', answer, test)
                notes = about | (made or {}) | {'epoch': training.epoch, 'scores': entry}
                networks.save(out / 'network.safetensors', training.average, made=notes)
            training.save(out / 'last.pt', about)
            with open(out / 'log.jsonl', 'a', encoding='utf-8') as log:
                log.write(json.dumps(entry) + '\n')
            progress.console.print(json.dumps(entry))
    return training.average
