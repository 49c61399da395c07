"""`rganet bench engines`: milliseconds of a model in each backend, and how far they agree."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
import statistics

import numpy as np
from rganet_ros import bag, models, report
from rganet_ros.bench import turns
from rganet_ros.bench.host import host
from rganet_ros.letterbox import letterbox
from rganet_ros.runtime import load
from rich.console import Console
from rich.table import Table

SHIPPED = (models.RGB, models.RGBD)
# Backend and precision; the first is what the others are compared with.
CASES = (('onnxruntime', 'fp32'), ('openvino', 'fp32'), ('openvino', 'bf16'), ('torch', 'fp32'))


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add what can be chosen."""
    parser.add_argument('model', nargs='*', help=f'names or .onnx files ({" ".join(SHIPPED)})')
    parser.add_argument('--repeats', type=int, default=30, help='times each backend is run (30)')
    parser.add_argument('--threads', type=int, default=0, help='0: as many as the engine chooses')
    parser.add_argument('--out', type=Path, help='write the figures to this JSON file as well')


def run(args: argparse.Namespace) -> int:
    """Time every backend in turns, so that a busy moment hits all alike."""
    turns.check(args)
    rows = []
    for name in args.model or SHIPPED:
        rows += _model(models.find(name), args.repeats, args.threads)
    Console().print(_table(rows, args.repeats))
    if args.out:
        report.write_json(args.out, {'host': host(), 'rows': rows})
    return 0


def frame_for(size: tuple[int, int]) -> dict[str, np.ndarray]:
    """Take the first frame of the demonstration, brought to a model's size."""
    frame = next(bag.frames(models.share('demo') / 'clutter'))
    image, _ = letterbox(frame.rgb, size)
    depth, _ = letterbox(frame.depth, size, nearest=True)
    return {'image': np.ascontiguousarray(image)[None], 'depth': depth[None]}


def _model(model: models.Model, repeats: int, threads: int) -> list[dict]:
    arrays, backends, rows = frame_for(tuple(model.card['size'])), {}, []
    for backend, precision in CASES:
        try:
            backends[backend, precision] = load(backend, model, precision, threads)
        except ValueError as error:
            Console().print(f'left out: {error}', highlight=False)
    answers = {case: _once(each, arrays) for case, each in backends.items()}  # warms up as well
    runs = {case: partial(_once, each, arrays) for case, each in backends.items()}
    times = turns.times(runs, repeats, model.name)
    medians = {case: statistics.median(each) for case, each in times.items()}
    first = CASES[0]
    for case, found in answers.items():
        difference = np.abs(found['affordance'] - answers[first]['affordance']).max()
        rows.append({
            'model': model.name,
            'model_sha256': model.sha256,
            'formulation': 'the model file' if case[0] != 'torch' else 'eager, unfolded',
            'backend': case[0],
            'precision': case[1],
            'engine': backends[case].describe(),
            'median_ms': round(medians[case], 2),
            **{f'{k}_ms': v for k, v in report.percentiles(times[case], (95, 99)).items()},
            'least_ms': round(min(times[case]), 2),
            'ratio': round(medians[case] / medians[first], 3),
            'largest_difference': float(difference),
            'equal_labels': float((found['labels'] == answers[first]['labels']).mean()),
        })  # fmt: skip
    for each in backends.values():
        each.close()
    return rows


def _once(backend, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    given = {name: arrays[name] for name in backend.inputs}
    return backend.run(given, backend.new_state())


def _table(rows: list[dict], repeats: int) -> Table:
    table = Table(title=f'one frame in each backend, {repeats} turns, milliseconds')
    for head in ('model', 'backend', 'median', 'ratio', 'difference', 'labels'):
        table.add_column(head, justify='left' if head in ('model', 'backend') else 'right')
    for row in rows:
        table.add_row(
            row['model'],
            f'{row["backend"]} {row["precision"]}',
            *(f'{row[key]:.2f}' for key in ('median_ms', 'ratio')),
            f'{row["largest_difference"]:.0e}',
            f'{row["equal_labels"]:.3%}',
        )
    table.caption = (
        'against the first backend: ratio of the medians, largest difference of the affordance, '
        'share of equal labels'
    )
    return table
