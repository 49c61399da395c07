"""
Score model files, checkpoints and the baseline `normals` on a data set, against its labels.

Several models are set side by side. With --check nothing is scored: the data set is read, and what
is wrong with it is said; the exit status is then 1.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
import time
from typing import NamedTuple

import numpy as np
from rganet_ros import check, networks, normals, report
from rganet_ros.mgrid import DEFAULT, Grid
from rganet_ros.mixture import DataSet
from rganet_ros.networks.count import Count
from rganet_ros.options import make
from rganet_ros.predictor import open_predictor, PredictorOptions
from rganet_ros.training import comparison, origin
from rganet_ros.training.cost import cost, cup, noted
from rganet_ros.training.places import Places
from rganet_ros.training.score import Answer, answerer, beside, score, smoothed
from rganet_ros.types import CLASSES, Frame
from rich.console import Console
import torch

SHOWN = 3  # pictures of the best, of the middle and of the worst


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.description = __doc__
    parser.add_argument(
        'models', nargs='*', metavar='MODEL',
        help='an .onnx file or the bare name of one, a .safetensors, or normals (no training)',
    )  # fmt: skip
    parser.add_argument('data', help='folder of the data set, or a YAML file of several')
    parser.add_argument('--check', action='store_true', help='say what is wrong with the data')
    parser.add_argument('--split', help='test; with --check those of train and test there are')
    parser.add_argument(
        '--unlabelled', choices=('ignore', 'background'),
        help="what label 255 is: not counted, or background; not given: what the data's card says",
    )  # fmt: skip
    parser.add_argument(
        '--gamma-at-zero', choices=('paper', 'code'), default='paper',
        help="what MGRID gives a cell without a hit: 0, or 0.05 as the authors' program (paper)",
    )  # fmt: skip
    parser.add_argument('--backend', default='auto', help='engine of a model file')
    parser.add_argument('--precision', default='model', help="of a model file's arithmetic")
    parser.add_argument('--threads', type=int, default=0, help='0: as many as the engine chooses')
    parser.add_argument(
        '--smooth', type=float, default=0, metavar='SHARE',
        help='of clips: smooth the affordance over frames, so much of the new (0: not)',
    )  # fmt: skip
    parser.add_argument(
        '--out', type=Path,
        help='folder for a page with pictures and scores.json; or a .json file for those alone',
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Evaluate, or check; returns the exit status."""
    if args.check:
        return _check(args)
    if not args.models:
        raise ValueError('give one model or more, then the data set; or --check and the data set')
    if not 0 <= args.smooth <= 1:
        raise ValueError(f'--smooth {args.smooth} must be 0 ... 1')
    frames = DataSet(args.data, args.split or 'test', args.unlabelled)
    if args.smooth and frames.classes != CLASSES:
        raise ValueError(f'--smooth is of affordances: {args.data} has other classes than ours')
    engine = args.backend, args.threads, args.precision
    opened = [open_answer(name, frames, *engine) for name in args.models]
    pictures = args.out is not None and args.out.suffix != '.json'
    grid = Grid(gamma_at_zero=args.gamma_at_zero)
    labelled, size = origin.cup(frames.card), frames[0][2].shape
    rows, shown = [], []
    for name, answer in zip(args.models, opened):
        found, kept = evaluate(answer, frames, args.smooth, pictures, grid)
        about = {'model': str(name), 'data': str(args.data), 'split': frames.split}
        about |= {'unlabelled': frames.unlabelled, 'gamma_at_zero': grid.gamma_at_zero}
        about |= {'classes': list(frames.classes), 'smooth': args.smooth}
        about |= {'arithmetic': args.precision}
        known = noted(str(name))
        about |= dict(zip(Count._fields, cost(known, size) or (None, None)))
        about |= {'cup': cup(known), 'labels_for': labelled.name if labelled else ''}
        rows.append(about | found)
        shown.append(kept)
    for table in comparison.tables(rows):
        Console().print(table)
    if args.out:
        content = rows[0] if len(rows) == 1 else rows
        report.write_json(args.out / 'scores.json' if pictures else args.out, content)
    if pictures:
        comparison.write_page(args.out, rows, shown)
    return 0


def _check(args: argparse.Namespace) -> int:
    if args.models:
        raise ValueError('--check takes a data set and no model')
    counts, faults = check.check(args.data, args.split and [args.split], show=True)
    for fault in faults:
        print(fault)
    for name, count in counts.items():
        print(f'{name}: {count} frames')
    print(f'{len(faults)} faults' if faults else 'nothing is wrong')
    return 1 if faults else 0


def open_answer(
    name: str, frames: DataSet, backend='auto', threads=0, precision='model'
) -> Answer:
    """Open what answers frames, as score.answerer's function does; ValueError if it cannot."""
    if precision != 'model' and (str(name) == 'normals' or str(name).endswith('.safetensors')):
        raise ValueError(f'--precision {precision} is of model files, and {name} is none')
    if str(name) == 'normals':
        check_fit(name, frames, True, CLASSES)
        return _normals(frames)
    if str(name).endswith('.safetensors'):
        if threads:
            torch.set_num_threads(threads)
        network = networks.restore(name)
        classes = origin.classes(networks.notes(name))
        check_fit(name, frames, network.config.depth, classes)
        return answerer(network, torch.device('cpu'))
    options = {'model': str(name), 'backend': backend, 'threads': threads}
    options['precision'] = precision
    options['build_engine'] = 'if_missing'  # nobody waits with a time limit
    predictor = open_predictor(make(PredictorOptions, options), frames.classes)
    check_fit(name, frames, predictor.takes_depth, frames.classes)

    def answer(rgb, depth, new=True):
        if new:
            predictor.reset()
        return predictor.predict(Frame(rgb, depth))[:2]

    return answer


def check_depth(name: str, frames: DataSet, depth: bool) -> None:
    """Refuse a model that needs depth where there is none: ValueError."""
    if depth and not frames.depth:
        raise ValueError(f'{name} needs depth, which {frames.root} does not have')


def check_fit(name: str, frames: DataSet, depth: bool, classes: tuple[str, ...]) -> None:
    """Refuse a model that needs depth which is not there, or tells other classes: ValueError."""
    check_depth(name, frames, depth)
    if classes != frames.classes:
        raise ValueError(
            f'{name} tells {", ".join(classes)}; {frames.root} has {", ".join(frames.classes)}: '
            'evaluate it on data of its own classes'
        )


def _normals(frames: DataSet) -> Answer:
    camera = frames.camera(0)  # cameras of one set are alike enough for slopes
    if camera is None:
        raise ValueError(f'normals needs the intrinsics of the camera, which {frames.root} lacks')
    return lambda rgb, depth, new=True: normals.answer(depth, camera)


class Kept(NamedTuple):
    """A frame of a page: where it is in the order, its name, and what there is to see."""

    value: float
    name: str
    picture: np.ndarray


def evaluate(
    answer: Answer, frames: DataSet, smooth: float, pictures: bool, grid: Grid = DEFAULT
) -> tuple[dict, dict[str, list[Kept]]]:
    """
    Score one model, with what takes its time and the precision of its ranked places.

    Returns the scores of `score.score`, ms (median a frame), those of `Places.summary`, and
    pictures: best, median and worst.
    """
    took: list[float] = []
    places = Places(frames) if frames.classes == CLASSES else None
    order: list[tuple[float, int]] = []

    def timed(rgb, depth, new=True):
        start = time.perf_counter()
        said = answer(rgb, depth, new)
        took.append((time.perf_counter() - start) * 1e3)
        return said

    def watch(index, frame, affordance, own):
        order.append((own.get('iou', own['accuracy']), index))
        if places is not None:
            places.add(index, frame, affordance)

    given = smoothed(timed, smooth) if smooth else timed
    found = score(given, frames, True, watch, grid) | {'ms': round(float(np.median(took)), 2)}
    found |= places.summary() if places is not None else {}
    return found, _picked(given, frames, order) if pictures else {}


def _picked(answer: Callable, frames: DataSet, order: list) -> dict[str, list[Kept]]:
    ordered = sorted(each for each in order if np.isfinite(each[0]))
    count, middle = min(SHOWN, len(ordered)), max(0, (len(ordered) - SHOWN) // 2)
    chosen = {
        'best': ordered[::-1][:count],
        'median': ordered[middle : middle + count],
        'worst': ordered[:count],
    }
    # What a model remembers of the frames before belongs to its answer: the clip is run again.
    clip_of = {index: clip for clip in frames.clips for index in clip}
    shown: dict[int, np.ndarray] = {}
    for index in {index for each in chosen.values() for _, index in each}:
        for each in clip_of[index]:
            frame = frames[each]
            said = answer(*frame[:2], each == clip_of[index][0])
            if each == index:
                shown[index] = beside(frame, *said)
                break
    return {
        name: [Kept(value, frames.names[index], shown[index]) for value, index in each]
        for name, each in chosen.items()
    }
