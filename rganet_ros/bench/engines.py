"""`rganet bench engines`: milliseconds of a model in each backend, and how far they agree."""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import numpy as np
from rganet_ros import bag, models, report
from rganet_ros.bench import turns
from rganet_ros.bench.host import host
from rganet_ros.letterbox import letterbox
from rganet_ros.runtime import Backend
from rich.console import Console
from rich.table import Table

SHIPPED = (models.RGB, models.RGBD)
# The first that runs is what the others are compared with.
CASES = ('onnxruntime', 'openvino', 'openvino:bf16', 'torch')


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
    rows = []
    for name in args.model or SHIPPED:
        rows += _model(models.find(name), args)
    Console().print(_table(rows, args.repeats))
    if args.out:
        report.write_json(args.out, {'host': host(), 'command': args.command, 'rows': rows})
    return 0


def frame_for(size: tuple[int, int]) -> dict[str, np.ndarray]:
    """Take the first frame of the demonstration, brought to a model's size."""
    frame = next(bag.frames(models.share('demo') / 'clutter'))
    image, _ = letterbox(frame.rgb, size)
    depth, _ = letterbox(frame.depth, size, nearest=True)
    return {'image': np.ascontiguousarray(image)[None], 'depth': depth[None]}


def _model(model: models.Model, args: argparse.Namespace) -> list[dict]:
    arrays, backends = frame_for(tuple(model.card['size'])), []
    with ExitStack() as opened:
        for backend in turns.engines(model, args.engine, CASES, args.threads, args.device):
            opened.callback(backend.close)
            backends.append(backend)
        if not backends:
            raise ValueError(f'no engine runs {model.name} here')
        answers = [_once(each, arrays) for each in backends]  # warms up as well
        runs = {index: partial(_once, each, arrays) for index, each in enumerate(backends)}
        times = turns.times(runs, args.repeats, model.name)
        rows = [_about(each) for each in backends]
    for index, (row, found) in enumerate(zip(rows, answers)):
        row |= {'model': model.name, 'model_sha256': model.sha256} | turns.figures(times[index])
        row |= turns.beside(row, rows[0])
        difference = np.abs(found['affordance'] - answers[0]['affordance']).max()
        row['largest_difference'] = float(difference)
        row['equal_labels'] = float((found['labels'] == answers[0]['labels']).mean())
    return rows


def _about(backend: Backend) -> dict:
    """Say what runs; torch has the network itself, unfolded."""
    said = backend.describe()
    return {
        'engine': backend.name,
        'formulation': 'unfolded' if backend.name == 'torch' else 'the model file',
        'precision': backend.precision,
        'threads': said.get('threads'),
        'described': said,
    }


def _once(backend, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    given = {name: arrays[name] for name in backend.inputs}
    return backend.run(given, backend.new_state())


def _table(rows: list[dict], repeats: int) -> Table:
    table = Table(title=f'one frame in each backend, {repeats} turns, milliseconds')
    for head in ('model', 'backend', 'threads', 'median', 'p95', 'p99', 'ratio', 'difference',
                 'labels'):  # fmt: skip
        table.add_column(head, justify='left' if head in ('model', 'backend') else 'right')
    for row in rows:
        table.add_row(
            row['model'],
            f'{row["engine"]} {row["precision"]}',
            str(row['threads']),
            *(f'{row[key]:.2f}' for key in ('median_ms', 'p95_ms', 'p99_ms', 'ratio')),
            f'{row["largest_difference"]:.0e}',
            f'{row["equal_labels"]:.3%}',
        )
    table.caption = (
        'against the first backend: ratio of the medians, largest difference of the affordance, '
        'share of equal labels'
    )
    return table
