"""
Write a checkpoint as a model file: one ONNX graph with everything inside, and its card.

A model file will do as well: to have it in another precision, or to build its engine.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path
import tempfile

import numpy as np
import onnx
from onnx import helper, numpy_helper, TensorProto
from onnxscript.optimizer import fold_constants
from rganet_ros import models, networks
from rganet_ros.dataset import write_file
from rganet_ros.networks.folding import absorb_norms
from rganet_ros.networks.layers import graph_for_engines
from rganet_ros.runtime import precision_of
from rganet_ros.training import conversion, origin
import torch
from torch import nn

OPSET = 17
SIZE = (480, 640)
LARGEST = 1 << 17  # elements of what is computed while exporting: matrices that interpolate
BITS = 11  # significant bits of fp16
CUP_RADIUS = 0.015  # metres; for data whose card names no cup


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.description = __doc__
    parser.add_argument('source', help='.safetensors; or a model: its name or .onnx')
    parser.add_argument(
        'out', type=Path, nargs='?', help='.onnx; .json and .safetensors come beside it'
    )
    parser.add_argument(
        '--size', type=int, nargs=2, metavar=('H', 'W'),
        help="of the model's input (480 640, or the size that the network is bound to)",
    )  # fmt: skip
    parser.add_argument(
        '--cup-radius', type=float,
        help=f"metres (that of the training data's card, else {CUP_RADIUS})",
    )  # fmt: skip
    parser.add_argument(
        '--bits', type=int, default=BITS, choices=range(8, BITS + 1), metavar='N',
        help='significant bits that weights are rounded to: with 8 the file is as large, but git '
        'and zip keep it in three quarters (11: all of fp16)',
    )  # fmt: skip
    conversion.arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Export; returns the exit status."""
    checkpoint = args.source.endswith('.safetensors')
    if args.out is None and (checkpoint or not args.engine):
        raise ValueError('name the file to write, or, of a model, --engine to build its engine')
    with tempfile.TemporaryDirectory() as folder:
        if checkpoint:
            plain = args.out if args.precision in (None, 'fp32') else Path(folder) / args.out.name
            path = plain.with_suffix('.onnx')
            size = args.size and tuple(args.size)
            export(Path(args.source), path, size, args.cup_radius, args.command, args.bits)
            model = models.find(path)
        elif args.bits != BITS:
            raise ValueError(
                '--bits is of a checkpoint: the weights of a model file stay as they are'
            )
        elif args.size:
            raise ValueError('--size is fixed in a model file: give its checkpoint')
        else:
            model = models.find(args.source)
            has = precision_of(model)
            if args.out and args.precision in (None, has):
                raise ValueError(
                    f'{args.source} is a model file in {has}, and {args.out} would be the same: '
                    'ask for another --precision, or leave it out'
                )
        model = conversion.convert(model, args)
        print(f'{model.onnx}: {model.onnx.stat().st_size / 1e6:.1f} MB, {model.sha256[:16]}')
        if args.engine:
            conversion.build(model, args)
    return 0


def export(
    checkpoint: Path,
    path: Path,
    size: tuple[int, int] | None = None,
    cup_radius: float | None = None,
    command='',
    bits=BITS,
) -> dict:
    """
    Write path (.onnx), its card (.json) and the weights it has (.safetensors); returns the card.

    size        (height, width) of the model's input; None: that of the network's Config, or SIZE
    cup_radius  metres; None: that of the cup that the data's labels were made for, or CUP_RADIUS
    command     the line that asked for it, for the card
    bits        significant bits that weights are rounded to

    Weights are stored as fp16 and widened by Casts: arithmetic is float32. The shipped safetensors
    hold those same rounded values, unfolded, so torch and the engines answer alike.
    """
    about = networks.notes(checkpoint)
    network = absorb_norms(networks.restore(checkpoint))
    bound = getattr(network.config, 'size', None)
    size = size or bound or SIZE
    if min(size) < 1:
        raise ValueError(f'--size {size[0]} {size[1]}: both sides must be 1 or more')
    if bound and size != bound:
        raise ValueError(f'{checkpoint} is bound to {bound}: leave --size {size} out')
    weights = path.with_suffix('.safetensors')
    made = about.get('made', {})
    networks.save(weights, rounded(network, bits), half=True, made=made)
    network = networks.restore(weights)
    graph = store_half(to_onnx(network, size))
    onnx.checker.check_model(graph, full_check=True)
    data = graph.SerializeToString()
    write_file(path, data)
    recipe, cup = made.get('recipe', {}), origin.cup(made.get('data', {}))
    if cup_radius is None:
        cup_radius = cup.radius if cup else CUP_RADIUS
    card = {
        'format': 1,
        'network': about['network'],
        'config': about['config'],
        'classes': list(origin.classes(about)),
        'size': list(size),
        'fit': 'letterbox',
        'depth': network.config.depth,
        'cup': cup.name if cup and cup.radius == cup_radius else '',
        'cup_radius': cup_radius,
        'precision': f'fp32 arithmetic, fp16 weights of {bits} significant bits',
        'arithmetic': 'fp32',
        'data': made.get('data', {}),
        'scores': made.get('scores', {}),
        'calibration': made.get('calibration', {}),
        'made': {
            'command': made.get('command', ''),
            'export': command,
            'seed': recipe.get('seed'),
            'recipe': recipe,
            'init': made.get('init', ''),
            'torch': torch.__version__,
            'onnx': onnx.__version__,
        },
        'sha256': hashlib.sha256(data).hexdigest(),
    }
    write_file(path.with_suffix('.json'), (json.dumps(card, indent=2) + '\n').encode())
    return card


@torch.no_grad()
def rounded(network: nn.Module, bits: int) -> nn.Module:
    """Round, in place, the weights of layers to so many significant bits."""
    for value in network.parameters():
        if value.ndim > 1 and bits < BITS:
            mantissa, exponent = torch.frexp(value)
            value.copy_(torch.ldexp(torch.round(mantissa * 2**bits) / 2**bits, exponent))
    return network


def to_onnx(network: nn.Module, size: tuple[int, int]) -> onnx.ModelProto:
    """Trace an evaluating network, batch norms folded, at a fixed size."""
    inference = networks.Inference(network.for_inference())
    height, width = size
    arguments = {'image': torch.zeros(1, height, width, 3, dtype=torch.uint8)}
    if network.config.depth:
        arguments['depth'] = torch.zeros(1, height, width)
    state = network.new_state(1)
    outputs = ['affordance', 'labels', *(f'next_{name}' for name in state)]
    with graph_for_engines():
        program = torch.onnx.export(
            inference.eval(), (), kwargs=arguments | state, dynamo=True, opset_version=OPSET + 1,
            input_names=[*arguments, *state], output_names=outputs, verbose=False,
        )  # fmt: skip
    model = program.model_proto
    fold_constants(model, input_size_limit=LARGEST)
    return without_notes(model)


def without_notes(model: onnx.ModelProto) -> onnx.ModelProto:
    """Drop what the exporter noted of where it ran: stack traces with paths of its machine."""
    del model.metadata_props[:]
    for part in (
        model.graph,
        *model.graph.node,
        *model.graph.value_info,
        *model.graph.initializer,
    ):
        part.ClearField('doc_string')
        part.ClearField('metadata_props')
    return model


def store_half(model: onnx.ModelProto, least=1024) -> onnx.ModelProto:
    """
    Store as fp16, each with a Cast after it, the float32 initialisers that lose nothing by it.

    Those are the weights that are fp16 in the checkpoint; what is smaller than `least` stays.
    """
    casts = []
    for tensor in model.graph.initializer:
        array = numpy_helper.to_array(tensor)
        if array.dtype != np.float32 or array.size < least:
            continue
        half = np.clip(array, -65504, 65504).astype(np.float16)
        if not np.allclose(half, array, rtol=1e-6, atol=0):  # but for what folding rounds
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(half, f'{name}_half'))
        casts.append(helper.make_node('Cast', [f'{name}_half'], [name], to=TensorProto.FLOAT))
    for node in reversed(casts):
        model.graph.node.insert(0, node)
    return model
