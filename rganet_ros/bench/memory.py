"""`rganet bench memory`: what FANet's memory of past frames costs, by the length of its window."""

from __future__ import annotations

import argparse
from contextlib import closing, ExitStack
from functools import partial
from pathlib import Path
import tempfile

import numpy as np
from rganet_ros import models, networks
from rganet_ros.bench import turns
from rganet_ros.bench.engines import frame_for
from rganet_ros.bench.networks import ENGINES, settled
from rganet_ros.runtime import load
from rganet_ros.training import export
from rich.console import Console
from rich.table import Table
import torch

WINDOWS = (1, 2, 4, 8, 16)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add what can be chosen."""
    parser.add_argument('--network', default='fanet18', help='a FANet (fanet18)')
    parser.add_argument(
        '--frames', type=int, nargs='+', default=WINDOWS, help=f'of the windows {WINDOWS}'
    )
    parser.add_argument('--size', type=int, nargs=2, metavar=('H', 'W'), default=(480, 640))
    parser.add_argument('--repeats', type=int, default=50, help='frames of each (50)')
    parser.add_argument('--threads', type=int, default=0, help='0: as many as the engine chooses')
    parser.add_argument('--out', type=Path, help='write the figures to this JSON file as well')


def run(args: argparse.Namespace) -> int:
    """Time windows of every length in turns, so that a busy moment hits all alike."""
    turns.check(args)
    rows = []
    for engine in ENGINES:
        rows += _engine(engine, args)
    size = 'x'.join(map(str, args.size))
    table = Table(
        title=f'{args.network}, {size}, fp32, {args.repeats} frames of each, milliseconds',
        caption='Weights are random: they do not change the time. Ratio: median over the frames '
        'of the time beside that of the first window, run just before.',
    )
    for head in ('engine', 'frames', 'median', 'p95', 'longest', 'ratio', 'memory, kB'):
        table.add_column(head, justify='left' if head == 'engine' else 'right')
    for row in rows:
        figures = (f'{row[key]:.1f}' for key in ('median_ms', 'p95_ms', 'longest_ms'))
        table.add_row(
            row['engine'], str(row['frames']), *figures, f'{row["ratio"]:.3f}',
            f'{row["memory_kb"]:.0f}',
        )  # fmt: skip
    Console().print(table)
    turns.write(args, rows, size=list(args.size))
    return 0


def _engine(engine: str, args: argparse.Namespace) -> list[dict]:
    given = {'image': frame_for(tuple(args.size))['image'].copy()}
    with tempfile.TemporaryDirectory() as folder, ExitStack() as opened:
        runs, sizes = {}, {}
        for frames in args.frames:
            path = _exported(args.network, frames, given['image'], Path(folder))
            backend = opened.enter_context(
                closing(load(engine, models.find(path), threads=args.threads))
            )
            state = backend.new_state()
            for _ in range(frames + 1):  # until the window is full
                backend.run(given, state)
            runs[frames] = partial(backend.run, given, state)
            sizes[frames] = sum(each.nbytes for each in state.values())
        times = turns.times(runs, args.repeats, engine)
    first = np.array(times[args.frames[0]])
    return [
        {
            'engine': engine,
            'network': args.network,
            'frames': frames,
            'median_ms': float(np.median(each)),
            'p95_ms': float(np.percentile(each, 95)),
            'longest_ms': max(each),
            'ratio': float(np.median(np.array(each) / first)),
            'memory_kb': sizes[frames] / 1e3,
        }
        for frames, each in times.items()
    ]


def _exported(name: str, frames: int, image: np.ndarray, folder: Path) -> Path:
    network = networks.build(name, {'frames': frames, 'scale_by_n': True})
    networks.save(folder / 'checkpoint', settled(network, torch.from_numpy(image)))
    path = folder / f'{frames}.onnx'
    export.export(folder / 'checkpoint', path, image.shape[1:3])
    return path
