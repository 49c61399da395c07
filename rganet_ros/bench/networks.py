"""`rganet bench networks`: one picture through a network, as published and as engines run it."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
import statistics
import tempfile

from rganet_ros import models, networks, report
from rganet_ros.bench import turns
from rganet_ros.bench.engines import frame_for
from rganet_ros.runtime import load
from rganet_ros.training import export
from rich.console import Console
from rich.table import Table
import torch

SIZE = (480, 640)
SOME = ('rganet5-nb', 'fanet18', 'attanet-r18', 'aaff', 'bisenet-x39', 'ddrnet-23-slim')
ENGINES = ('onnxruntime', 'openvino')


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add what can be chosen."""
    parser.add_argument('name', nargs='*', help=f'networks ({" ".join(SOME)})')
    parser.add_argument('--repeats', type=int, default=10, help='times each is run (10)')
    parser.add_argument('--out', type=Path, help='write the figures to this JSON file as well')


def run(args: argparse.Namespace) -> int:
    """Time every form in turns, so that a busy moment hits all alike."""
    turns.check(args)
    rows = []
    for name in args.name or SOME:
        rows += _network(name, args.repeats)
    table = Table(
        title=f'one picture of {SIZE[0]}x{SIZE[1]}, fp32, {args.repeats} turns, milliseconds',
        caption='Weights are random: they do not change the time. Ratio: of the medians, to torch '
        'eager in the published form.',
    )
    for head in ('network', 'engine', 'least', 'median', 'ratio'):
        table.add_column(head, justify='left' if head in ('network', 'engine') else 'right')
    for row in rows:
        figures = (f'{row[key]:.1f}' for key in ('least_ms', 'median_ms'))
        table.add_row(row['network'], row['engine'], *figures, f'{row["ratio"]:.2f}')
    Console().print(table)
    if args.out:
        report.write_json(args.out, rows)
    return 0


def _network(name: str, repeats: int) -> list[dict]:
    given = {'image': frame_for(SIZE)['image'].copy()}
    network = settled(networks.build(name), torch.from_numpy(given['image']))
    with tempfile.TemporaryDirectory() as folder:
        runs = dict(_runs(network, given, Path(folder)))
        for each in runs.values():
            each()
        times = turns.times(runs, repeats, name)
    medians = {engine: statistics.median(each) for engine, each in times.items()}
    first = next(iter(medians.values()))
    return [
        {
            'network': name,
            'engine': engine,
            'least_ms': min(times[engine]),
            'median_ms': median,
            'ratio': median / first,
        }
        for engine, median in medians.items()
    ]


@torch.no_grad()
def settled(network: networks.Network, image: torch.Tensor) -> networks.Network:
    """Let the norms of a random network see a picture: values that vanish would be slow."""
    batch = (image.permute(0, 3, 1, 2) / 255).repeat(2, 1, 1, 1)
    memory = network.new_state(2)
    network.train()
    for _ in range(3):
        network(batch, **memory)
    return network.eval()


def _runs(network, given, folder: Path):
    """Yield (what it is, what runs it once), torch in the published form first."""
    networks.save(folder / 'checkpoint', network)
    export.export(folder / 'checkpoint', folder / 'model.onnx', SIZE)
    folded = networks.Inference(network.for_inference()).eval()
    if hasattr(network, 'use'):
        network.use('published')
    published, image = networks.Inference(network).eval(), torch.from_numpy(given['image'])
    yield 'torch, published form', partial(_eager, published, image)
    yield 'torch, folded', partial(_eager, folded, image)
    for engine in ENGINES:
        yield engine, partial(_once, load(engine, models.find(folder / 'model.onnx')), given)


@torch.inference_mode()
def _eager(inference, image):
    return inference(image)


def _once(backend, given):
    return backend.run(given, backend.new_state())
