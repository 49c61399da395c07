"""How many epochs fit into some minutes on this machine: measured, once, before a training."""

from __future__ import annotations

import dataclasses
import time

from lightning_fabric import Fabric
import numpy as np
from rganet_ros.tally import Tally
from rganet_ros.training.batches import Batches, load
from rganet_ros.training.config import Recipe
from rganet_ros.training.data import Frames
from rganet_ros.training.score import answerer
from rganet_ros.training.training import Training
import torch

EVALUATIONS = 2
WARM = 3  # steps and answers that are not timed: engines choose their kernels in them
MOST = 60  # timed steps


def within(
    minutes: float,
    recipe: Recipe,
    train: Frames,
    test: Frames,
    fabric: Fabric,
    workers=0,
    compiled=False,
) -> Recipe:
    """
    Give the recipe with as many epochs as fit, one at least, and two evaluations among them.

    The measuring is a training of its own, thrown away, at most a tenth of the time: what then
    runs is what this recipe, with its epochs in run.json, always gives.
    """
    began = time.monotonic()
    whole = 100000 if recipe.whole_epochs >= recipe.epochs else 0
    probe = dataclasses.replace(recipe, epochs=100000, whole_epochs=whole)
    batches = Batches(train, probe, fabric.global_rank, fabric.world_size)
    training = Training(probe, 100000, fabric, compiled)
    training.begin_epoch()
    drawn = load(batches, 0, workers, pin=fabric.device.type == 'cuda')
    times: list[float] = []
    while len(times) < WARM + MOST:
        started = time.monotonic()
        training.step([next(drawn) for _ in range(recipe.accumulate)]).item()
        times.append(time.monotonic() - started)
        # Processes must agree to stop: they take their steps together.
        spent = fabric.broadcast(time.monotonic() - began)
        if len(times) > WARM and spent > 6 * minutes:
            break
    step = float(np.mean(times[WARM:]))
    with training.mixed():
        answer, tally = answerer(training.average, fabric.device), Tally(test.classes)
        answers = []
        for index in range(min(WARM + 5, len(test))):
            started = time.monotonic()
            rgb, depth, label = test[index]
            affordance, labels = answer(rgb, depth)
            tally.add(labels, label, affordance)
            answers.append(time.monotonic() - started)
    evaluation = float(np.median(answers)) * len(test)
    left = minutes * 60 - (time.monotonic() - began) - EVALUATIONS * evaluation
    epochs = fabric.broadcast(max(int(left / (batches.steps * step)), 1))
    if fabric.global_rank == 0:
        print(
            f'{recipe.network}: {step:.3f} s a step, {batches.steps} steps an epoch, about '
            f'{evaluation:.0f} s an evaluation: {epochs} epochs in {minutes:g} minutes'
        )
    del training, drawn
    if fabric.device.type == 'cuda':
        torch.cuda.empty_cache()
    every = max(-(-epochs // EVALUATIONS), 1)
    return dataclasses.replace(recipe, epochs=epochs, evaluate_every=every)
