"""A model file small enough to be made in a test: a graph with memory, and its card."""

import hashlib
import json

import numpy as np
from onnx import helper, numpy_helper
from onnx import TensorProto as kinds

SIZE = (6, 8)


def graph(size=SIZE, affordance='affordance', sum_shape=(1,)):
    """
    Affordance: the red channel / 255 times how many frames were seen, this one included.

    State `count` is that number; state `sum` half of what it was plus the mean of the reds.
    """
    height, width = size

    def value(name, kind, shape):
        return helper.make_tensor_value_info(name, kind, shape)

    def constant(name, array):
        return numpy_helper.from_array(np.asarray(array), name)

    nodes = [
        helper.make_node('Cast', ['image'], ['float'], to=kinds.FLOAT),
        helper.make_node('Slice', ['float', 'zero', 'one', 'last'], ['red4']),
        helper.make_node('Squeeze', ['red4', 'last'], ['red']),
        helper.make_node('Div', ['red', 'white'], ['share']),
        helper.make_node('Add', ['count', 'unit'], ['next_count']),
        helper.make_node('Mul', ['share', 'next_count'], [affordance]),
        helper.make_node('Mul', ['sum', 'half'], ['faded']),
        helper.make_node('ReduceMean', ['share'], ['mean'], keepdims=0),
        helper.make_node('Add', ['faded', 'mean'], ['next_sum']),
        helper.make_node('Round', ['share'], ['rounded']),
        helper.make_node('Cast', ['rounded'], ['labels'], to=kinds.UINT8),
    ]
    made = helper.make_graph(
        nodes,
        'tiny',
        [
            value('image', kinds.UINT8, (1, height, width, 3)),
            value('count', kinds.FLOAT, (1,)),
            value('sum', kinds.FLOAT, sum_shape),
        ],
        [
            value(affordance, kinds.FLOAT, (1, height, width)),
            value('labels', kinds.UINT8, (1, height, width)),
            value('next_count', kinds.FLOAT, (1,)),
            value('next_sum', kinds.FLOAT, sum_shape),
        ],
        [
            constant('zero', np.array([0])),
            constant('one', np.array([1])),
            constant('last', np.array([3])),
            constant('white', np.float32(255)),
            constant('unit', np.float32([1])),
            constant('half', np.float32(0.5)),
        ],
    )
    return helper.make_model(made, opset_imports=[helper.make_opsetid('', 17)], ir_version=9)


def write(folder, made=None, name='tiny', **changes):
    """Write a graph and its card into a folder; `changes` are of the card."""
    data = (made or graph()).SerializeToString()
    path = folder / f'{name}.onnx'
    path.write_bytes(data)
    write_card(path, data, **changes)
    return path


def write_card(path, data, **changes):
    """Write the card of a model file of these bytes."""
    card = {
        'format': 1, 'network': 'tiny', 'config': {}, 'size': list(SIZE), 'fit': 'letterbox',
        'classes': ['background', 'not suctionable', 'suctionable'], 'depth': False,
        'cup_radius': 0.015, 'sha256': hashlib.sha256(data).hexdigest(),
    }  # fmt: skip
    path.with_suffix('.json').write_text(json.dumps(card | changes))
