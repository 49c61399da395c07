"""Scores and pictures of what answers frames: a network in training, or a model file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from rganet_ros import metrics, networks, report, viz
from rganet_ros.letterbox import model_inputs, undo
from rganet_ros.mgrid import DEFAULT, Grid
from rganet_ros.tally import Tally
from rganet_ros.types import SUCTIONABLE
from rich.progress import Progress
import torch
from torch import nn

Answer = Callable[..., tuple[np.ndarray, np.ndarray]]
Watch = Callable[[int, tuple, np.ndarray, dict], None]

COLOURS = np.array([[40, 40, 40], [200, 60, 50], [60, 200, 80], [120, 120, 120]], np.uint8)


def answerer(network: nn.Module, device: torch.device) -> Answer:
    """
    Make a function: rgb (H, W, 3), depth (H, W), new=True -> affordance, labels, (H, W) each.

    new  whether the frame begins something; else what is remembered of the ones before counts

    A network that is bound to a size sees frames of another one letterboxed, as in the node.
    """
    inference = networks.Inference(network)
    bound = getattr(network.config, 'size', None)
    memory: dict[str, torch.Tensor] = {}

    @torch.no_grad()
    def answer(rgb, depth, new=True):
        if new:
            memory.update(network.new_state(1, device))
        given, spot = model_inputs(rgb, depth, bound or rgb.shape[:2])
        arrays = {name: torch.from_numpy(array).to(device) for name, array in given.items()}
        out = inference(**arrays, **memory)
        memory.update({name: out[f'next_{name}'] for name in memory})
        affordance, labels = (out[name][0].cpu().numpy() for name in ('affordance', 'labels'))
        return undo(affordance, spot), undo(labels, spot, nearest=True)

    return answer


def smoothed(answer: Answer, share: float) -> Answer:
    """
    Smooth the affordance exponentially over frames: share of the new, the rest of what it was.

    What anyone can do without a network that remembers. Suctionable is then what is above 0.5.
    """
    past = np.zeros(())

    def smooth(rgb, depth, new=True):
        nonlocal past
        affordance, labels = answer(rgb, depth, new)
        past = affordance if new else share * affordance + (1 - share) * past
        others = np.minimum(labels, SUCTIONABLE - 1)
        return past, np.where(past > 0.5, SUCTIONABLE, others).astype(np.uint8)

    return smooth


def score(
    answer: Answer, frames, show=False, watch: Watch | None = None, grid: Grid = DEFAULT
) -> dict:
    """
    Score answers on frames of (rgb, depth, label), clip by clip.

    watch  is called with each frame's index, the frame, its affordance and own figures: `Tally`
    grid   constants of MGRID

    Gives what `Tally.summary` does and, where there are clips, flicker: the share of pixels whose
    class changes though the true class, followed along the true flow, does not.
    """
    tally, changed = Tally(frames.classes, grid), np.zeros(2, np.int64)
    with Progress(transient=True, disable=not show) as progress:
        bar = progress.add_task('evaluating', total=len(frames))
        for clip in frames.clips:
            before = None
            for index in clip:
                frame = rgb, depth, truth = frames[index]
                affordance, labels = answer(rgb, depth, before is None)
                own = tally.add(labels, truth, affordance)
                if watch is not None:
                    watch(index, frame, affordance, own)
                if before is not None:
                    pairs = zip(before, (labels, truth))
                    changed += metrics.flicker(*pairs, *frames.flow(index))
                before = labels, truth
                progress.advance(bar)
    found = tally.summary()
    if changed[1]:
        found['flicker'] = round(float(changed[0] / changed[1]), 5)
    return found


def save_sheet(path: Path, answer: Answer, frames, count=6) -> None:
    """Write a picture, a row a frame at half its size: see `beside`."""
    picked = np.linspace(0, len(frames) - 1, min(count, len(frames))).astype(int)
    rows = [beside(frames[k], *answer(*frames[k][:2]))[::2, ::2] for k in picked]
    report.write_picture(path, viz.sheet(rows, 1))


def beside(frame, affordance: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Put beside each other: rgb, true labels, answered labels, affordance; uint8 RGB."""
    rgb, _, label = frame
    last = len(COLOURS) - 1  # what is ignored, and classes beyond ours
    truth, said = (COLOURS[np.minimum(each, last)] for each in (label, labels))
    return viz.sheet([rgb, truth, said, viz.colormap(affordance)], 4)
