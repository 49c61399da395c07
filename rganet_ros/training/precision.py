"""
A model file in fp32 to one whose arithmetic is fp16, bf16 or int8, typed in the graph itself.

fp16 and bf16 are made here: convolutions are halved and what follows them, until something needs
fp32. (ONNX Runtime's converter writes one cast twice where two fp32 nodes read one value, which no
engine loads; onnxconverter-common has had no release for over a year.) int8 is made by ONNX
Runtime's quantiser, with explicit Q/DQ nodes that every engine reads: it comes with an engine that
is here anyway, where NNCF and ModelOpt would bring a tree of packages.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
import tempfile

import ml_dtypes
import numpy as np
import onnx
from onnx import helper, numpy_helper, shape_inference, TensorProto, version_converter
from onnxruntime import quantization

# In half precision where what they read is. All else stays in fp32: sums over many pixels (KᵀV
# among them), norms, softmax, quotients, and what stands before the convolutions: pixels, metres.
FOLLOW = {
    'Add', 'AveragePool', 'Clip', 'Concat', 'Expand', 'LeakyRelu', 'MaxPool', 'Mul', 'Pad', 'Relu',
    'Reshape', 'Resize', 'Slice', 'Split', 'Squeeze', 'Sub', 'Transpose', 'Unsqueeze',
}  # fmt: skip
# With the first opset that has convolutions in them.
HALVES = {
    'fp16': (TensorProto.FLOAT16, np.float16, 1),
    'bf16': (TensorProto.BFLOAT16, ml_dtypes.bfloat16, 22),
}


def widen(model: onnx.ModelProto) -> onnx.ModelProto:
    """Give weights that are stored as fp16, each with a Cast after it, back as fp32."""
    stored = {each.name: each for each in model.graph.initializer}
    for node in list(model.graph.node):
        tensor = stored.get(node.input[0]) if node.op_type == 'Cast' else None
        if tensor is not None and tensor.data_type == TensorProto.FLOAT16:
            wide = numpy_helper.to_array(tensor).astype(np.float32)
            tensor.CopyFrom(numpy_helper.from_array(wide, node.output[0]))
            model.graph.node.remove(node)
    return model


def to_half(model: onnx.ModelProto, precision: str) -> onnx.ModelProto:
    """Make weights and arithmetic fp16 or bf16: convolutions, and FOLLOW where it follows them."""
    half_kind, dtype, opset = HALVES[precision]
    # Between them it has its full precision: what guards a quotient is smaller than fp16's least.
    least, most = float(ml_dtypes.finfo(dtype).tiny), float(ml_dtypes.finfo(dtype).max)
    model = widen(model)
    if model.opset_import[0].version < opset:
        model = version_converter.convert_version(model, opset)
    graph = shape_inference.infer_shapes(model).graph
    values = [*graph.value_info, *graph.input, *graph.output]
    kinds = {each.name: each.type.tensor_type.elem_type for each in values}
    constants = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    given_out = {each.name for each in graph.output}
    half: set[str] = set()
    casts: dict[tuple[str, int], str] = {}
    nodes, weights = [], []

    def takes(node) -> list[int]:
        """List the inputs of a node that are numbers to compute with."""
        places = [0] if node.op_type == 'Resize' else range(len(node.input))
        return [
            place for place in places
            if kinds.get(node.input[place]) == TensorProto.FLOAT
            or constants.get(node.input[place], np.empty(0)).dtype == np.float32
        ]  # fmt: skip

    def halves(node) -> bool:
        if given_out & set(node.output):
            return False
        if node.op_type == 'Conv':
            return True
        read = [node.input[place] for place in takes(node)]
        fixed = [np.abs(constants[name]) for name in read if name in constants]
        tiny = any(((each > 0) & (each < least)).any() for each in fixed)
        flowing = [name for name in read if name not in constants]
        return node.op_type in FOLLOW and bool(flowing) and not tiny and half.issuperset(flowing)

    def as_kind(name: str, kind: int) -> str:
        """Give a value in another type, cast or, of a constant, stored so."""
        if (name, kind) not in casts:
            casts[name, kind] = f'{name}_{"half" if kind == half_kind else "wide"}'
            if name in constants:
                array = np.clip(constants[name], -most, most).astype(dtype)
                weights.append(numpy_helper.from_array(array, casts[name, kind]))
            else:
                nodes.append(helper.make_node('Cast', [name], [casts[name, kind]], to=kind))
        return casts[name, kind]

    for node in graph.node:
        narrow = halves(node)
        for place in takes(node):
            name = node.input[place]
            if narrow and name not in half:
                node.input[place] = as_kind(name, half_kind)
            elif not narrow and name in half:
                node.input[place] = as_kind(name, TensorProto.FLOAT)
        if narrow:
            half |= set(node.output)
        nodes.append(node)
    used = {name for node in nodes for name in node.input}
    kept = [each for each in [*graph.initializer, *weights] if each.name in used]
    made = helper.make_graph(nodes, graph.name, graph.input, graph.output, kept)
    return helper.make_model(made, opset_imports=model.opset_import, ir_version=model.ir_version)


def _groups(convolution: onnx.NodeProto) -> int:
    return next((each.i for each in convolution.attribute if each.name == 'group'), 1)


class _Reader(quantization.CalibrationDataReader):
    def __init__(self, frames: Iterable[dict[str, np.ndarray]]):
        self._frames = iter(frames)

    def get_next(self):
        return next(self._frames, None)


def to_int8(
    model: onnx.ModelProto, frames: Iterable[dict[str, np.ndarray]], about_zero: bool
) -> onnx.ModelProto:
    """
    Quantise convolutions and max pools: Q/DQ nodes, weights by channel, biases in fp32.

    frames      the graph's inputs, of each frame that ranges are taken from
    about_zero  values in int8 about zero, as TensorRT wants them; else in uint8, of which what
                follows a ReLU has all the steps, and weights of 7 bits: a processor without VNNI
                adds two products in 16 bits, which larger ones overflow

    What a convolution gives becomes int8 after its activation, and once, where the next one reads.
    Stay as they are: the last convolution, which makes the logits; depth-wise ones, whose channels
    have ranges far apart and would share one; and the first, where it sees depth, too (channels of
    different kinds), or depth-wise ones read what it makes.
    """
    model = widen(model)
    # What the quantiser advises to do first is done: constants and norms are folded.
    helper.set_model_props(model, {'onnx.quant.pre_process': 'onnxruntime.quant'})
    convolutions = [node for node in model.graph.node if node.op_type == 'Conv']
    grouped = [each for each in convolutions if _groups(each) > 1]
    deep = any(each.name == 'depth' for each in model.graph.input)
    first = convolutions[: int(deep or bool(grouped))]
    kept = [each.name for each in (*first, *grouped, convolutions[-1])]
    values = quantization.QuantType.QInt8 if about_zero else quantization.QuantType.QUInt8
    options = {
        'WeightSymmetric': True, 'QuantizeBias': False, 'ActivationSymmetric': about_zero,
        'OpTypesToExcludeOutputQuantization': ['Conv'], 'ForceQuantizeNoInputCheck': True,
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'quantised.onnx'
        quantization.quantize_static(
            model, path, _Reader(frames),
            quant_format=quantization.QuantFormat.QDQ, op_types_to_quantize=['Conv', 'MaxPool'],
            per_channel=True, activation_type=values, reduce_range=not about_zero,
            weight_type=quantization.QuantType.QInt8, extra_options=options,
            nodes_to_exclude=kept,
        )  # fmt: skip
        return onnx.load(path)
