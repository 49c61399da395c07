"""Find the temperature at which of all pixels said to hold with 0.8, eight in ten do."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
import dataclasses
from pathlib import Path

import numpy as np
from rganet_ros import networks, report
from rganet_ros.dataset import write_file
from rganet_ros.letterbox import model_inputs, undo
from rganet_ros.mixture import DataSet
from rganet_ros.training import origin
from rganet_ros.training.augment import IGNORE
from rganet_ros.training.evaluate import check_depth
from rganet_ros.training.reliability import curve, drawing, error
from rganet_ros.training.score import answerer, score
from rganet_ros.training.start import start_from
from rganet_ros.types import CLASSES, SUCTIONABLE
from rich.progress import track
import torch
from torch import nn

STRIDE = 4  # of the pixels that are looked at: neighbours say the same
RANGE, ROUNDS = (0.1, 10.0), 4


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.description = __doc__
    parser.add_argument(
        'checkpoint', type=Path, help='.safetensors; the temperature is written in'
    )
    parser.add_argument(
        'data',
        help='data set; on its test split what was trained on a mixture of several is scored anew',
    )
    parser.add_argument('--split', required=True, help='to fit on; not one it was trained on')
    parser.add_argument('--score', required=True, help='another split, to see what it is worth')
    parser.add_argument(
        '--blur', type=int, metavar='N',
        help='blur the picture inside the network first, N times by (1, 2, 1) / 4 along both '
        'axes; where it was not so before, the test split is scored anew',
    )  # fmt: skip
    parser.add_argument(
        '--frames', type=int, metavar='T',
        help='of FANet: give it a memory, which has no weights, over a window of T frames, this '
        'one included; 1: none; where it was not so before, the test split is scored anew',
    )  # fmt: skip
    parser.add_argument(
        '--without-depth', type=Path, metavar='FILE.safetensors',
        help='of a network that has learnt without depth, too: write one of colour alone there, '
        'scored anew, and leave the checkpoint as it is',
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Fit, score, and write the temperature into the checkpoint; returns the exit status."""
    if args.split == args.score:
        raise ValueError(
            f'--split and --score are both {args.split}: fit on one, score on another'
        )
    network, about = networks.restore(args.checkpoint), networks.notes(args.checkpoint)
    made, out = about.get('made', {}), args.without_depth or args.checkpoint
    depth = False if args.without_depth else None
    asked = {'blur': args.blur, 'frames': args.frames, 'depth': depth}
    changed = {
        name: value for name, value in asked.items()
        if value is not None and value != getattr(network.config, name, 0)
    }  # fmt: skip
    if changed:
        network = rebuilt(network, args.checkpoint, **changed)
    if args.split == 'train' and made:
        raise ValueError('--split train: it was trained on that, and is too sure there')
    fit_on, score_on = (DataSet(args.data, split) for split in (args.split, args.score))
    for frames in (fit_on, score_on):
        check_depth(str(args.checkpoint), frames, network.config.depth)
    for names in (fit_on.classes, origin.classes(about)):
        if names != CLASSES:
            raise ValueError(
                f'the temperature is of an affordance: {args.checkpoint} and {args.data} must '
                f'have the classes {", ".join(CLASSES)}, not {", ".join(names)}'
            )
    mixed = 'data' in made and 'splits' not in made['data']
    if changed or mixed:
        answer, test = answerer(network, torch.device('cpu')), DataSet(args.data, 'test')
        scores = report.plain(score(answer, test, show=True))
        made = made | {'scores': made.get('scores', {}) | scores}
    fitted = round(temperature(*answers(network, fit_on)), 4)
    logits, holds = answers(network, score_on)
    curves = {t: curve(probability(logits, t), holds) for t in (1.0, fitted)}
    before, after = (round(error(each), 5) for each in curves.values())
    network.temperature = fitted
    note = {'temperature': fitted, 'error_before': before, 'error_after': after}
    note |= {'fitted_on': args.split, 'scored_on': args.score}
    note |= {'command': args.command}
    picture = out.with_suffix('.calibration.svg')
    write_file(picture, drawing(curves).encode())
    networks.save(out, network, made=made | {'calibration': note})
    print(
        f'temperature {fitted:.3f}: expected calibration error on {args.score} {before:.4f} '
        f'before, {after:.4f} after; {picture}'
    )
    return 0


def rebuilt(network: nn.Module, checkpoint: Path, **config) -> nn.Module:
    """Give a network with other fields in its Config and its checkpoint's weights, evaluating."""
    other = networks.build(network.name, dataclasses.asdict(network.config) | config)
    missed = start_from(other, checkpoint)
    if missed:
        raise ValueError(f'{checkpoint} has no {missed[0]} that fits: it cannot be changed so')
    return other.eval()


@torch.no_grad()
def answers(network: nn.Module, frames: Sequence) -> tuple[np.ndarray, np.ndarray]:
    """
    Ask a network about some pixels of every frame, clip by clip; see `score.answerer`.

    Returns logits (N, K) float32 and whether a cup holds there (N,) bool; without ignored ones.
    """
    logits, holds = [], []
    bound = getattr(network.config, 'size', None)
    for clip in track(frames.clips, 'asking', transient=True):
        memory = network.new_state(1)
        for index in clip:
            rgb, depth, label = frames[index]
            given, spot = model_inputs(rgb, depth, bound or rgb.shape[:2])
            image = torch.from_numpy(given['image']).permute(0, 3, 1, 2).float() / 255
            out = network(image, torch.from_numpy(given['depth'])[None], **memory)
            memory = {name: out[f'next_{name}'] for name in memory}
            said = undo(out['logits'][0].permute(1, 2, 0).numpy(), spot)[::STRIDE, ::STRIDE]
            label = label[::STRIDE, ::STRIDE]
            logits.append(said[label != IGNORE])
            holds.append(label[label != IGNORE] == SUCTIONABLE)
    return np.concatenate(logits), np.concatenate(holds)


def probability(logits: np.ndarray, temperature: float) -> np.ndarray:
    """Say how probable suctionable is, as a model file does: logits (N, K) -> (N,)."""
    with np.errstate(over='ignore'):
        over = np.exp((logits - logits[:, SUCTIONABLE, None]) / temperature)
    return 1 / over.sum(1)


def temperature(logits: np.ndarray, holds: np.ndarray) -> float:
    """Minimise the negative log likelihood of what holds and what does not, over one number."""
    if not holds.any() or holds.all():
        raise ValueError(
            'the split to fit on has no pixel that holds, or no other: nothing to fit'
        )
    low, high = np.log(RANGE)
    for _ in range(ROUNDS):  # a finer grid around the best, each time
        tried = np.linspace(low, high, 11)
        losses = [_likelihood(probability(logits, t), holds) for t in np.exp(tried)]
        best = int(np.argmin(losses))
        low, high = tried[max(best - 1, 0)], tried[min(best + 1, len(tried) - 1)]
    return float(np.exp(tried[best]))


def _likelihood(p: np.ndarray, holds: np.ndarray) -> float:
    right = np.where(holds, p, 1 - p)
    return -float(np.log(np.maximum(right, 1e-7)).mean())
