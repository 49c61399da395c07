"""Scores and pictures of what answers frames: a network in training, or a model file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from rganet_ros import metrics, networks, report, viz
from rganet_ros.types import CLASSES
from rich.progress import track
import torch
from torch import nn

Answer = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]

COLOURS = np.array([[40, 40, 40], [200, 60, 50], [60, 200, 80], [120, 120, 120]], np.uint8)


def answerer(network: nn.Module, device: torch.device) -> Answer:
    """Make a function: rgb (H, W, 3), depth (H, W) -> affordance, labels, (H, W) each."""
    inference = networks.Inference(network)

    @torch.no_grad()
    def answer(rgb, depth):
        arrays = [torch.from_numpy(a)[None].to(device) for a in (rgb, depth)]
        out = inference(*arrays)
        return out['affordance'][0].cpu().numpy(), out['labels'][0].cpu().numpy()

    return answer


def score(answer: Answer, frames, show=False) -> dict:
    """
    Score answers on frames of (rgb, depth, label).

    iou, precision, recall  by class, pooled over all pixels of all frames; accuracy likewise
    frame_iou               by class, mean over the frames that have or are said to have any
    frames                  how many
    """
    pooled, single = np.zeros((len(CLASSES), len(CLASSES)), np.int64), []
    for index in track(range(len(frames)), 'evaluating', disable=not show, transient=True):
        rgb, depth, label = frames[index]
        matrix = metrics.confusion(answer(rgb, depth)[1], label, len(CLASSES))
        pooled += matrix
        single.append(metrics.scores(matrix)['iou'])
    found = metrics.scores(pooled) | {'frame_iou': np.nanmean(single, 0)}
    return {key: np.round(value, 4).tolist() for key, value in found.items()} | {
        'frames': len(frames)
    }


def save_sheet(path: Path, answer: Answer, frames, count=6) -> None:
    """Write a picture, a row a frame: rgb, true labels, answered labels, affordance."""
    rows = []
    for index in np.linspace(0, len(frames) - 1, min(count, len(frames))).astype(int):
        rgb, depth, label = frames[index]
        affordance, labels = answer(rgb, depth)
        truth, said = COLOURS[np.minimum(label, 3)], COLOURS[labels]
        rows.append(np.hstack([rgb, truth, said, viz.colormap(affordance)])[::2, ::2])
    report.write_picture(path, np.vstack(rows))
