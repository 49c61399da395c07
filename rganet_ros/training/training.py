"""One training: weights, their average, optimiser, and the step that changes them."""

from __future__ import annotations

from contextlib import AbstractContextManager
import copy
import os
from pathlib import Path

from lightning_fabric import Fabric
import numpy as np
from rganet_ros import networks
from rganet_ros.training.batches import Batch, on
from rganet_ros.training.config import Recipe
from rganet_ros.training.losses import loss
from rganet_ros.training.optimise import learning_rate, optimiser
import torch
from torch import nn, Tensor

TYPES = {'fp32': torch.float32, 'bf16': torch.bfloat16, 'fp16': torch.float16}
NORMS = nn.modules.batchnorm._BatchNorm


class Training:
    """All that changes while training; what `last.pt` holds."""

    _PARTS = ('network', 'average', 'optimiser', 'schedule', 'scaler')

    def __init__(self, recipe: Recipe, steps: int, fabric: Fabric, compiled=False):
        """Take how many steps the whole training has, and where it runs."""
        torch.manual_seed(recipe.seed)
        self.recipe, self.fabric, self.device, self.epoch = recipe, fabric, fabric.device, 0
        self.network = networks.build(recipe.network, recipe.config, recipe.weights or None)
        self.network.to(self.device, memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.network).eval().requires_grad_(False)
        self._kept = [
            _part(self.network, name).requires_grad_(False) for name in recipe.parts_kept
        ]
        self.optimiser = optimiser(self.network, recipe)
        self.schedule = torch.optim.lr_scheduler.LambdaLR(
            self.optimiser, lambda step: learning_rate(step / steps, recipe)
        )
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=recipe.precision == 'fp16')
        self._model = fabric.setup_module(
            torch.compile(self.network) if compiled else self.network
        )
        states = (module.state_dict().values() for module in (self.average, self.network))
        pairs = list(zip(*states))
        self._means = [pair for pair in pairs if pair[0].is_floating_point()]
        self._counts = [pair for pair in pairs if not pair[0].is_floating_point()]  # of norms

    def mixed(self) -> AbstractContextManager:
        """Give the context that convolutions run in."""
        given = TYPES[self.recipe.precision]
        return torch.autocast(self.device.type, given, enabled=given != torch.float32)

    def begin_epoch(self) -> None:
        """Learn from here on; dropout depends on seed, epoch and process alone."""
        key = self.recipe.seed, self.epoch, self.fabric.global_rank
        torch.manual_seed(int(np.random.SeedSequence(key).generate_state(1)[0]))
        self._model.train()
        for part in self._kept:
            part.eval()
        if self.recipe.freeze_norms:
            for module in self.network.modules():
                if isinstance(module, NORMS):
                    module.eval()

    def step(self, parts: list[list[Batch]]) -> Tensor:
        """
        Descend along the mean loss of some batches, and let the average follow.

        parts  of one step, each a list of consecutive frames, as Batches draws them
        Returns the loss, on the device: to read it is to wait for it.
        """
        self.optimiser.zero_grad()
        total = torch.zeros((), device=self.device)
        for place, window in enumerate(parts, 1):
            total += self._propagate(window, len(parts), place == len(parts))
        self.scaler.unscale_(self.optimiser)
        nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        self.scaler.step(self.optimiser)
        self.scaler.update()
        self.schedule.step()
        self._follow()
        return total

    def _propagate(self, window: list[Batch], parts: int, last_part: bool) -> Tensor:
        """
        Run consecutive frames through the network, and their loss back; returns its sum.

        What a network remembers fills up along the window, as it does after a reset. Where no
        gradient flows into what an earlier frame left there (`detach`), each loss is propagated
        back as soon as it is there, which frees its graph; else all together.
        """
        total: Tensor | float = 0.0
        kept: list[Tensor] = []
        memory = None
        for place, batch in enumerate(window, 1):
            image, depth, label = on(self.device, batch)
            if memory is None:
                memory = self.network.new_state(len(image), self.device)
            last = last_part and place == len(window)
            with self.fabric.no_backward_sync(self._model, enabled=not last):
                with self.mixed():
                    out = self._model(image, depth, **memory)
                memory = {name: out[f'next_{name}'] for name in memory}
                value = loss(out, label, self.recipe) / len(window) / parts
                total = total + value.detach()
                kept.append(value)
                if self.recipe.detach:
                    memory = {name: x.detach() for name, x in memory.items()}
                    self._back(kept.pop())
        if kept:
            self._back(torch.stack(kept).sum())
        return total

    def _back(self, value: Tensor) -> None:
        # Gradients of processes are averaged, but losses are shares of one sum: see losses.pooled.
        self.fabric.backward(self.scaler.scale(value * self.fabric.world_size))

    @torch.no_grad()
    def _follow(self) -> None:
        # The first averages must forget the random weights they began with.
        count = self.schedule.last_epoch
        share = 1 - min(self.recipe.average, (1 + count) / (10 + count))
        # As torch.optim.swa_utils: one kernel, not hundreds.
        torch._foreach_lerp_(*map(list, zip(*self._means)), share)
        if self._counts:
            torch._foreach_copy_(*map(list, zip(*self._counts)))

    def save(self, path: Path, about: dict) -> None:
        """Write everything, and what it was made from."""
        parts = {name: getattr(self, name).state_dict() for name in self._PARTS}
        torch.save(parts | {'epoch': self.epoch, 'about': about}, f'{path}.part')
        os.replace(f'{path}.part', path)

    def resume(self, path: Path, about: dict) -> None:
        """
        Go on from what the first process saved.

        ValueError where it was made otherwise, or cannot be read.
        """
        first = self.fabric.global_rank == 0
        saved = self.fabric.broadcast(_read(path) if first else None)
        if about | saved['about'] != about:  # an older version noted less
            raise ValueError(
                f'{path} was made by another recipe or data set: give another --out, or remove it'
            )
        for name in self._PARTS:
            getattr(self, name).load_state_dict(saved[name])
        self.epoch = saved['epoch']


def _part(network: nn.Module, name: str) -> nn.Module:
    try:
        return network.get_submodule(name)
    except AttributeError:
        parts = ', '.join(each for each, _ in network.named_children())
        raise ValueError(
            f'{network.name} has no {name} to keep (backbone_rate 0 or kept): it has {parts}'
        ) from None


def _read(path: Path) -> dict:
    try:
        return torch.load(path, weights_only=True, map_location='cpu')
    except Exception:  # torch has one of its own for each way of being cut off
        raise ValueError(
            f'{path} cannot be read, or is cut off: put a whole one back, or remove it to begin '
            'anew'
        ) from None
