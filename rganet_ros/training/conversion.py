"""A model file in another precision, held against what it was; and its engine, ahead of time."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from contextlib import closing
import hashlib
import json
from pathlib import Path
import shutil
import tempfile

import numpy as np
import onnx
from rganet_ros import bag, models, report
from rganet_ros.dataset import write_file
from rganet_ros.letterbox import model_inputs
from rganet_ros.mixture import DataSet
from rganet_ros.models import Model
from rganet_ros.predictor import Predictor
from rganet_ros.runtime import choose, load, precision_of, PRECISIONS
from rganet_ros.training import parity, precision
from rganet_ros.training.evaluate import check_depth, check_fit
from rganet_ros.types import CLASSES

ENGINES = {'onnx': 'onnxruntime', 'openvino': 'openvino', 'tensorrt': 'tensorrt'}
CALIBRATED, CHECKED = 32, 100  # frames at most, evenly picked


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of export that are about engines."""
    add = parser.add_argument
    add('--to', choices=ENGINES, default='onnx', help='the engine it is for (onnx: ONNX Runtime)')
    add(
        '--precision', choices=PRECISIONS,
        help='of arithmetic (that of the model file; of a checkpoint fp32)',
    )  # fmt: skip
    add('--calibrate', metavar='DATA', help='int8: a data set, for ranges (train split)')
    add(
        '--check', metavar='DATA',
        help="a data set whose test split it is held against (the demonstration's frames)",
    )  # fmt: skip
    add(
        '--tolerance', type=float, default=parity.MOST_LOST,
        help=f'of the suctionable IoU; past it nothing is written ({parity.MOST_LOST})',
    )  # fmt: skip
    add('--engine', action='store_true', help='build the TensorRT engine, for the GPU here')
    add(
        '--compute-capability', metavar='8.6',
        help='build for GPUs of that kind, which need not be here (TensorRT for RTX)',
    )  # fmt: skip
    add('--cache', default='', help="folder of engines (in that of the user's caches)")


def convert(model: Model, args: argparse.Namespace) -> Model:
    """Write the model in the precision asked for; ValueError where it answers otherwise."""
    has = precision_of(model)
    if args.precision in (None, has):
        return model
    if has != 'fp32':
        raise ValueError(f'{model.onnx} is in {has}: give the one in fp32')
    if args.check and model.card['classes'] != list(CLASSES):
        raise ValueError(
            f'{model.name} tells {", ".join(model.card["classes"])}, and --check holds labels of '
            f'{", ".join(CLASSES)} against it: leave --check out'
        )
    if args.out is None:
        raise ValueError(f'name the file that {args.precision} is to be written to')
    if args.precision == 'bf16' and args.to == 'onnx':
        raise ValueError('ONNX Runtime has no bf16: give --to openvino or --to tensorrt')
    frames = inputs(model, args.calibrate) if args.precision == 'int8' else ()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / args.out.with_suffix('.onnx').name
        made = retyped(model, path, args.precision, frames, about_zero=args.to == 'tensorrt')
        card = made.card | {'made': model.card.get('made', {}) | {'export': args.command}}
        card['parity'] = _parity(model, made, args)
        _write_card(path, card)
        for suffix in ('.onnx', '.json'):  # only what was held against the other
            out = args.out.with_suffix(suffix)
            out.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path.with_suffix(suffix), out)
    return models.find(args.out.with_suffix('.onnx'))


def retyped(
    model: Model, path: Path, to: str, frames: Iterable[dict] = (), about_zero=False
) -> Model:
    """
    Write a model in fp32 to path (.onnx, its card beside it) in another precision.

    frames, about_zero  for int8: what the graph takes, by name; see precision.to_int8
    """
    graph = onnx.load(model.onnx)
    if to == 'int8':
        graph = precision.to_int8(graph, frames, about_zero)
    else:
        graph = precision.to_half(graph, to)
    onnx.checker.check_model(graph, full_check=True)
    data = graph.SerializeToString()
    write_file(path, data)
    card = {
        'precision': f'{to} arithmetic',
        'arithmetic': to,
        'from': model.sha256,
        'sha256': hashlib.sha256(data).hexdigest(),
    }
    _write_card(path, model.card | card)
    return models.find(path)


def _write_card(path: Path, card: dict) -> None:
    write_file(path.with_suffix('.json'), (json.dumps(card, indent=2) + '\n').encode())


def _parity(model: Model, made: Model, args: argparse.Namespace) -> dict:
    engine = ENGINES[args.to]
    if engine == 'tensorrt' and choose('auto') != 'tensorrt':
        engine = 'openvino' if args.precision == 'bf16' else 'onnxruntime'
        print(f'no GPU with TensorRT is here: precisions are compared in {engine}')
    settings = {'build_engine': 'if_missing', 'cache': args.cache}
    with (
        closing(Predictor(model, load(engine, model, **settings))) as reference,
        closing(Predictor(made, load(engine, made, **settings))) as other,
    ):
        found = parity.compare(reference, other, _checked(model, args.check))
    found |= {'engine': engine, 'data': args.check or 'demo', 'tolerance': args.tolerance}
    report.print_table(f'{args.precision} beside fp32', found.items())
    if faults := parity.faults(found, args.tolerance):
        raise ValueError(f'{args.precision} is refused: {"; ".join(faults)}')
    return found


def _picked(count: int, most: int) -> np.ndarray:
    return np.unique(np.linspace(0, count - 1, min(most, count)).astype(int))


def _checked(model: Model, data: str | None) -> Iterator[tuple]:
    """Give frames of (rgb, depth, label); ValueError where they are not for this model."""
    if data is None:
        for frame in bag.frames(models.share('demo') / 'clutter'):
            yield frame.rgb, frame.depth, None
        return
    frames = DataSet(data, 'test')
    check_fit(model.name, frames, model.card['depth'], CLASSES)
    yield from (frames[int(index)] for index in _picked(len(frames), CHECKED))


def inputs(model: Model, data: str | None) -> Iterator[dict[str, np.ndarray]]:
    """Give what the graph takes, of evenly picked training frames; ValueError without any."""
    if data is None:
        raise ValueError('int8 needs frames to take ranges from: give --calibrate DATA')
    frames = DataSet(data, 'train')
    check_depth(model.name, frames, model.card['depth'])
    picked = (frames[int(index)] for index in _picked(len(frames), CALIBRATED))
    given = (
        model_inputs(rgb, depth if model.card['depth'] else None, tuple(model.card['size']))[0]
        for rgb, depth, _ in picked
    )
    window = model.card.get('config', {}).get('frames', 1) - 1
    return _remembered(model, given, window) if window else given


def _remembered(model: Model, every: Iterator[dict], window: int) -> Iterator[dict]:
    """Add the memory of a camera that stands still."""
    with closing(load('onnxruntime', model)) as backend:
        for given in every:
            state = backend.new_state()
            for _ in range(window):
                backend.run(given, state)
            yield given | state


def build(model: Model, args: argparse.Namespace) -> None:
    """Build the engine into the cache, saying how it goes on."""
    capability = args.compute_capability
    if capability is None:
        load('tensorrt', model, build_engine='if_missing', cache=args.cache).close()
        return
    from rganet_ros.runtime import tensorrt_builder as builder

    if not builder.RTX:
        raise ValueError(
            'TensorRT builds for the GPU that is here: leave --compute-capability out'
        )
    name, _ = builder.engine(model, builder.Target('any', capability), True, args.cache)
    print(f'engine {name} for compute capability {capability}')
