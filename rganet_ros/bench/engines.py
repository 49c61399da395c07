"""`rganet bench engines`: milliseconds of a model in each backend, and how far they agree."""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import numpy as np
from rganet_ros import bag, models
from rganet_ros.bench import turns
from rganet_ros.letterbox import model_inputs
from rganet_ros.runtime import Backend
from rich.console import Console

SHIPPED = (models.RGB, models.RGBD)
# The first that runs is what the others are compared with.
CASES = ('onnxruntime', 'openvino', 'openvino:bf16', 'torch')
CAPTION = (
    'Against the first engine: ratio of the medians, largest difference of the affordance, share '
    'of equal labels.'
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add what can be chosen."""
    parser.add_argument('model', nargs='*', help=f'names or .onnx files ({" ".join(SHIPPED)})')
    parser.add_argument(
        '--engine', nargs='+', metavar='NAME[:PRECISION]',
        help=f'the first is what the others are compared with; tensorrt too ({" ".join(CASES)})',
    )  # fmt: skip
    parser.add_argument('--device', default='auto', help='auto, cpu, gpu, cuda:0 ... (auto)')
    parser.add_argument('--repeats', type=int, default=30, help='times each backend is run (30)')
    parser.add_argument('--threads', type=int, default=0, help='0: as many as the engine chooses')
    parser.add_argument('--out', type=Path, help='write the figures to this JSON file as well')


def run(args: argparse.Namespace) -> int:
    """Time every backend in turns, so that a busy moment hits all alike."""
    turns.check(args)
    rows = _rows([models.find(name) for name in args.model or SHIPPED], args)
    title = f'one frame, {args.repeats} turns, milliseconds'
    agreement = {
        'differs': lambda row: f'{row["largest_difference"]:.0e}',
        'labels': lambda row: f'{row["equal_labels"]:.2%}',
    }
    Console().print(turns.table(title, rows, 'model', _name, **agreement))
    print(CAPTION)
    turns.write(args, rows)
    return 0


def frame_for(size: tuple[int, int]) -> dict[str, np.ndarray]:
    """Take the first frame of the demonstration, brought to a model's size."""
    frame = next(bag.frames(models.share('demo') / 'clutter'))
    return model_inputs(frame.rgb, frame.depth, size)[0]


def _rows(chosen: list[models.Model], args: argparse.Namespace) -> list[dict]:
    rows, runs, firsts = [], {}, []  # firsts: of each row, the row that it is compared with
    with ExitStack() as opened:
        for model in chosen:
            arrays = frame_for(tuple(model.card['size']))
            start, reference = len(rows), None
            for backend in turns.engines(model, args.engine, CASES, args.threads, args.device):
                opened.callback(backend.close)
                once = partial(backend.run, arrays, backend.new_state())
                answer = once()
                once()  # warms up: on a GPU each of the two sets of memory has a graph
                reference = answer if reference is None else reference
                runs[len(rows)] = once
                rows.append(_about(model, backend) | _agreement(answer, reference))
                firsts.append(start)
            if reference is None:
                raise ValueError(f'no engine runs {model.name} here')
        times = turns.times(runs, args.repeats, 'engines')
    for index, row in enumerate(rows):
        row |= turns.figures(times[index])
        row |= turns.beside(row, rows[firsts[index]])
    return rows


def _agreement(answer: dict, first: dict) -> dict[str, float]:
    """Compare with the first engine: the affordance's largest difference, share of labels."""
    difference = np.abs(answer['affordance'] - first['affordance']).max()
    equal = (answer['labels'] == first['labels']).mean()
    return {'largest_difference': float(difference), 'equal_labels': float(equal)}


def _about(model: models.Model, backend: Backend) -> dict:
    """Say what runs; torch has the network itself, unfolded."""
    said = backend.describe()
    return {
        'model': model.name,
        'model_sha256': model.sha256,
        'engine': backend.name,
        'formulation': 'unfolded' if backend.name == 'torch' else 'as exported',
        'precision': backend.precision,
        'threads': said.get('threads'),
        'described': said,
    }


def _name(row: dict) -> str:
    return f'{row["engine"]} {row["precision"]}'
