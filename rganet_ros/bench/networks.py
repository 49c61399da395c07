"""`rganet bench networks`: one picture through networks, as published and as engines run them."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
import tempfile

from rganet_ros import models, networks
from rganet_ros.bench import turns
from rganet_ros.bench.engines import frame_for
from rganet_ros.runtime import Backend, choose
from rganet_ros.training import export
from rganet_ros.training.conversion import retyped
from rich.console import Console
import torch

SIZE = (480, 640)
# The last four are what the others are compared with: DDRNet, BiSeNet, torchvision's, timm's.
SOME = (
    'rganet5-nb', 'fanet18', 'attanet-r18', 'aaff', 'ddrnet-23-slim', 'bisenet-x39',
    'deeplabv3-mobilenetv2', 'hrnet-w18-small',
)  # fmt: skip
ENGINES = ('onnxruntime', 'openvino')
CASES = (*ENGINES, 'openvino:bf16', 'openvino:int8', 'openvino:int8+bf16')
CAPTION = (
    'Weights are random, and int8 has its ranges from one picture: that changes no times. Ratio: '
    'of the medians, to torch eager in the published form in fp32, in the same turns.'
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add what can be chosen."""
    parser.add_argument('name', nargs='*', help=f'networks ({" ".join(SOME)})')
    parser.add_argument(
        '--engine', nargs='+', metavar='NAME[:PRECISION]', help=f'beside torch ({" ".join(CASES)})'
    )
    parser.add_argument('--size', type=int, nargs=2, metavar=('H', 'W'), default=SIZE)
    parser.add_argument('--repeats', type=int, default=20, help='times each is run (20)')
    parser.add_argument('--threads', type=int, default=0, help='0: as many as the engine chooses')
    parser.add_argument('--out', type=Path, help='write the figures to this JSON file as well')


def run(args: argparse.Namespace) -> int:
    """Time every form of every network in turns, so that a busy moment hits all alike."""
    turns.check(args)
    if args.threads:
        torch.set_num_threads(args.threads)
    runs, rows = {}, []
    with tempfile.TemporaryDirectory() as folder, ExitStack() as opened:
        for name in args.name or SOME:
            for about, once in _forms(name, args, Path(folder), opened):
                for _ in range(2):  # on a GPU each of the two sets of memory has a graph
                    once()
                runs[len(rows)] = once
                rows.append({'network': name} | about)
        times = turns.times(runs, args.repeats, 'networks')
    firsts = {}
    for index, row in enumerate(rows):
        row |= turns.figures(times[index])
        row |= turns.beside(row, firsts.setdefault(row['network'], row))
    title = f'{args.size[0]}x{args.size[1]}, {args.repeats} turns, milliseconds'
    Console().print(turns.table(title, rows, 'network', _name))
    print(CAPTION)
    turns.write(args, rows, size=list(args.size))
    return 0


def built(name: str, size: tuple[int, int]) -> torch.nn.Module:
    """Build a random network, for this size where it is bound to one."""
    network = networks.build(name)
    bound = hasattr(network.config, 'size')
    return networks.build(name, {'size': size}) if bound else network


@torch.no_grad()
def settled(network: torch.nn.Module, image: torch.Tensor) -> torch.nn.Module:
    """Let the norms of a random network see a picture: values that vanish would be slow."""
    batch = (image.permute(0, 3, 1, 2) / 255).repeat(2, 1, 1, 1)
    memory = network.new_state(2)
    network.train()
    for _ in range(3):
        network(batch, **memory)
    return network.eval()


def _forms(name: str, args, folder: Path, opened: ExitStack) -> Iterator[tuple[dict, partial]]:
    """Yield (what it is, what runs it once), torch in the published form first."""
    given = {'image': frame_for(tuple(args.size))['image'].copy()}
    network = settled(built(name, tuple(args.size)), torch.from_numpy(given['image']))
    networks.save(folder / 'checkpoint', network)
    path = folder / f'{name}.onnx'
    export.export(folder / 'checkpoint', path, tuple(args.size))
    folded = networks.Inference(network.for_inference()).eval()
    if hasattr(network, 'use'):
        network.use('published')
    published, image = networks.Inference(network).eval(), torch.from_numpy(given['image'])
    for form, inference in (('published', published), ('folded', folded)):
        about = {'engine': 'torch', 'formulation': form, 'precision': 'fp32'}
        yield about | {'threads': torch.get_num_threads()}, partial(_eager, inference, image)
    model, state = models.find(path), {k: v.numpy() for k, v in network.new_state(1).items()}
    for backend in _backends(model, given | state, args):
        opened.callback(backend.close)
        about = {'engine': backend.name, 'formulation': 'folded', 'precision': backend.precision}
        about['threads'] = backend.describe().get('threads')
        yield about, partial(backend.run, given, backend.new_state())


def _backends(model: models.Model, frame: dict, args) -> Iterator[Backend]:
    """Load a model into the engines; int8 wants a file of its own, with the ranges of a frame."""
    for text in args.engine or CASES:
        tensorrt = choose(text.partition(':')[0]) == 'tensorrt'
        wanted = _quantised(model, frame, tensorrt) if ':int8' in text else model
        # Of random weights no engine is of use again; the others keep nothing unless told where.
        cache = str(model.onnx.parent) if tensorrt else ''
        asked = [text] if args.engine else None
        yield from turns.engines(wanted, asked, [text], args.threads, cache=cache)


def _quantised(model: models.Model, frame: dict, about_zero: bool) -> models.Model:
    """Write a model in int8, once of each kind: TensorRT wants values about zero."""
    path = model.onnx.with_stem(model.name + ('-int8-about-zero' if about_zero else '-int8'))
    if path.exists():
        return models.find(path)
    return retyped(model, path, 'int8', [frame], about_zero)


@torch.inference_mode()
def _eager(inference, image):
    return inference(image)


def _name(row: dict) -> str:
    return f'{row["engine"]} {row["precision"]}, {row["formulation"]}'
