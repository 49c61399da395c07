"""Train to the end of a recipe, from wherever the last run of it was stopped."""

from __future__ import annotations

from collections.abc import Iterator
import dataclasses
import json
from pathlib import Path
import time

from lightning_fabric import Fabric
import numpy as np
from rganet_ros import networks, report
from rganet_ros.dataset import read_picture
from rganet_ros.networks.unfold import settle
from rganet_ros.training import records
from rganet_ros.training.batches import Batches, load, on
from rganet_ros.training.config import Recipe
from rganet_ros.training.data import Frames
from rganet_ros.training.machine import open_fabric
from rganet_ros.training.score import answerer, save_sheet, score
from rganet_ros.training.start import is_model, start_from
from rganet_ros.training.training import Training
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
import torch
from torch import nn

SAVE_EVERY = 30.0  # seconds: on a GPU an epoch may be shorter than writing it
SETTLED = 8  # batches whose statistics norms that come out of a model file get
READ_EVERY = 16  # steps: to read a loss from a GPU is to wait until it has nothing to do


def fit(
    recipe: Recipe,
    train: Frames,
    test: Frames,
    out: Path,
    *,
    init=None,
    made: dict | None = None,
    fabric: Fabric | None = None,
    workers=0,
    compiled=False,
) -> nn.Module:
    """
    Train and write to `out`; returns the averaged network.

    last.pt              everything, at least each SAVE_EVERY seconds: to go on from
    network.safetensors  the averaged weights, after each evaluation
    run.json             what the run is made from, and when and where it was started
    log.jsonl, curves/   a line an epoch, and the same for TensorBoard
    epoch-N.png          frames of the test split, what is true and what the network says

    init is a checkpoint or a model to start from; made says how this came about (command, data),
    for the checkpoint. workers draw batches; compiled runs the network through torch.compile.
    """
    fabric = fabric or open_fabric()
    first = fabric.global_rank == 0
    batches = Batches(train, recipe, fabric.global_rank, fabric.world_size)
    training = Training(recipe, recipe.epochs * batches.steps, fabric, compiled)
    about = {'recipe': dataclasses.asdict(recipe), 'frames': len(train), 'init': str(init or '')}
    about |= {'data_card': records.digest(train.card), 'names': records.digest(train.names)}
    about = json.loads(json.dumps(about))
    made = made or {}
    given = about | {'test_frames': len(test)}
    if fabric.broadcast(given) != given:
        raise ValueError('this machine has another recipe or other data than the first: copy them')
    if fabric.broadcast((out / 'last.pt').exists()):
        training.resume(out / 'last.pt', about)
    else:
        _begin(training, batches, init)
    if training.epoch == recipe.epochs:
        return training.average
    if not first:
        for _ in _epochs(training, batches, workers):
            fabric.barrier()
        return training.average
    out.mkdir(parents=True, exist_ok=True)
    session = {'command': made.get('command', ''), 'after_epoch': training.epoch}
    session |= {'device': _device(fabric.device), 'processes': fabric.world_size}
    records.note_start(out, given, session | {'workers': workers, 'compiled': compiled})
    saved = time.monotonic()
    with records.opened(out, training.epoch) as log:
        for entry in _epochs(training, batches, workers):
            epoch, last = training.epoch, training.epoch == recipe.epochs
            if epoch % recipe.evaluate_every == 0 or last:
                with training.mixed():
                    answer = answerer(training.average, fabric.device)
                    entry |= report.plain(score(answer, test))
                    save_sheet(out / f'epoch-{epoch}.png', answer, test)
                log.picture('answers', read_picture(out / f'epoch-{epoch}.png'), epoch)
                notes = about | made | {'epoch': epoch, 'scores': entry}
                notes |= {'classes': list(test.classes)}
                networks.save(out / 'network.safetensors', training.average, made=notes)
            log.write(entry)
            print(json.dumps(entry))
            if last or time.monotonic() - saved > SAVE_EVERY:
                training.save(out / 'last.pt', about)
                saved = time.monotonic()
            fabric.barrier()
    return training.average


def _begin(training: Training, batches: Batches, init: str | Path | None) -> None:
    """Take what fits of another training; ValueError if a part would be kept at random."""
    recipe = training.recipe
    random = [
        part for part in recipe.parts_kept
        if not (recipe.weights and part.split('.')[0] == 'backbone')
    ]  # fmt: skip
    if not init:
        if random:
            raise ValueError(
                f'{random[0]} would be kept at random (backbone_rate 0, kept): give --init'
            )
        return
    missed = start_from(training.network, init)
    lost = [name for name in missed if name.startswith(tuple(f'{part}.' for part in random))]
    if lost:
        raise ValueError(
            f'{len(lost)} random tensors, {lost[0]} first, would be kept (backbone_rate 0, kept): '
            f'{init} does not have them: give another --init'
        )
    if is_model(init) and not recipe.freeze_norms:
        # Of whole batches: all processes must come to the same weights.
        drawn = Batches(batches.frames, batches.recipe)
        picked = (drawn[0, number][0] for number in range(min(SETTLED, drawn.steps)))
        inputs = (on(training.device, batch)[:2] for batch in picked)
        settle(training.network.eval(), inputs, without=missed)
    training.average.load_state_dict(training.network.state_dict())
    if training.fabric.global_rank == 0:
        parts = ', '.join(dict.fromkeys(name.split('.')[0] for name in missed))
        rest = f', but for {len(missed)} tensors of {parts}' if missed else ''
        print(f'started from {init}{rest}')


def _epochs(training: Training, batches: Batches, workers: int) -> Iterator[dict]:
    """Train an epoch after the other; gives what is to be said of each. ValueError at a NaN."""
    recipe, fabric, steps = training.recipe, training.fabric, batches.steps
    on_gpu = fabric.device.type == 'cuda'
    every = READ_EVERY if on_gpu else 1
    drawn, said = load(batches, training.epoch, workers, pin=on_gpu), ''
    with _progress(fabric.global_rank == 0) as progress:
        bar = progress.add_task('', total=recipe.epochs * steps, completed=training.epoch * steps)
        while training.epoch < recipe.epochs:
            started, losses, unread = time.monotonic(), [], []
            training.begin_epoch()
            for step in range(steps):
                unread.append(training.step([next(drawn) for _ in range(recipe.accumulate)]))
                if len(unread) == every or step == steps - 1:
                    losses += torch.stack(unread).tolist()
                    unread.clear()
                    _check(losses, batches, training.epoch)
                    text = f'epoch {training.epoch + 1}/{recipe.epochs} loss {np.mean(losses):.3f}'
                    done = training.epoch * steps + step + 1
                    progress.update(bar, completed=done, description=text + said)
            training.epoch += 1
            entry = {'epoch': training.epoch, 'loss': float(np.mean(losses))}
            entry |= {'learning_rate': training.schedule.get_last_lr()[0]}
            entry |= {'seconds': round(time.monotonic() - started, 1)}
            yield entry
            if 'iou' in entry:  # whoever took it has added scores
                last = entry['iou'][-1]
                said = f' IoU {"-" if last is None else f"{last:.3f}"} after {training.epoch}'


def _check(losses: list[float], batches: Batches, epoch: int) -> None:
    """Raise ValueError where a loss is no number, and name the frames it came from."""
    bad = next((step for step, value in enumerate(losses) if not np.isfinite(value)), None)
    if bad is None:
        return
    parts = batches.recipe.accumulate
    windows = [w for i in range(parts) for w in batches.picked(epoch, bad * parts + i)]
    names = ', '.join(batches.frames.names[index] for window in windows for index in window)
    raise ValueError(
        f'the loss of epoch {epoch + 1}, step {bad + 1} is {losses[bad]} (frames {names}): lower '
        'learning_rate, or use precision fp32; last.pt, if there is one, is from before'
    )


def _progress(shown: bool):
    columns = TextColumn('{task.description}'), BarColumn(), TimeElapsedColumn()
    left = TimeRemainingColumn(elapsed_when_finished=True)
    return Progress(*columns, left, disable=not shown)


def _device(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == 'cuda' else 'CPU'
