"""Score a model file or a checkpoint on a data set, against its labels."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from rganet_ros import networks, report
from rganet_ros.dataset import Zeng
from rganet_ros.options import make
from rganet_ros.predictor import open_predictor, PredictorOptions
from rganet_ros.training.score import answerer, score, smoothed
from rganet_ros.types import CLASSES, Frame
from rich.console import Console
from rich.table import Table
import torch


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.description = __doc__
    parser.add_argument('model', help='an .onnx file or the bare name of one, or a .safetensors')
    parser.add_argument('data', help='root of the data set')
    parser.add_argument('--split', default='test')
    parser.add_argument('--backend', default='auto', help='engine of a model file')
    parser.add_argument('--threads', type=int, default=0, help='0: as many as the engine chooses')
    parser.add_argument(
        '--smooth', type=float, default=0, metavar='SHARE',
        help='of clips: smooth the affordance over frames, so much of the new (0: not)',
    )  # fmt: skip
    parser.add_argument('--out', type=Path, help='write the scores to this JSON file as well')


def run(args: argparse.Namespace) -> int:
    """Evaluate; returns the exit status."""
    frames = Zeng(args.data, args.split)
    if not 0 <= args.smooth <= 1:
        raise ValueError(f'--smooth {args.smooth} must be 0 ... 1')
    answer = open_answer(args.model, args.backend, args.threads)
    found = score(smoothed(answer, args.smooth) if args.smooth else answer, frames, show=True)
    Console().print(table(found, f'{args.model} on {args.data}, {args.split}'))
    if args.out:
        about = {key: str(getattr(args, key)) for key in ('model', 'data', 'split')}
        about |= {'smooth': args.smooth}
        report.write_json(args.out, about | found)
    return 0


def open_answer(name: str, backend='auto', threads=0) -> Callable:
    """Open what answers frames, as score.answerer's function does."""
    if str(name).endswith('.safetensors'):
        if threads:
            torch.set_num_threads(threads)
        return answerer(networks.restore(name), torch.device('cpu'))
    options = {'model': str(name), 'backend': backend, 'threads': threads}
    predictor = open_predictor(make(PredictorOptions, options))

    def answer(rgb, depth, new=True):
        if new:
            predictor.reset()
        return predictor.predict(Frame(rgb, depth))[:2]

    return answer


def table(found: dict, title: str) -> Table:
    """Lay scores out: a row a class, in percent."""
    rows = Table('class', 'IoU', 'IoU a frame', 'precision', 'recall', title=title)
    for index, name in enumerate(CLASSES):
        values = (found[key][index] for key in ('iou', 'frame_iou', 'precision', 'recall'))
        rows.add_row(name, *(f'{100 * value:.1f}' for value in values))
    rows.caption = (
        f'{found["frames"]} frames; accuracy {100 * found["accuracy"]:.1f} %; IoU, precision and '
        'recall over all pixels, IoU a frame averaged over frames'
    )
    if 'flicker' in found:
        rows.caption += f'; flicker {100 * found["flicker"]:.2f} % of pixels a frame'
    return rows
