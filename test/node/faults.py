"""What strikes a node: messages that cannot be, models that fail."""

from live import disc, picture
import numpy as np
from onnx import helper, numpy_helper, TensorProto
from rclpy.serialization import serialize_message
from sensor_msgs.msg import CameraInfo
import tiny

HEIGHT, WIDTH = 120, 160


def ghosts(*functions):
    """Call all of them with what one is called with."""

    def call(*arguments):
        for function in functions:
            function(*arguments)

    return call


def _image(client, stamp, change):
    message = picture(disc(), 'rgb8', stamp)
    change(message)
    client.send(stamp, image=message, depth=_depth(stamp))


def _depth(stamp):
    return picture(np.full((HEIGHT, WIDTH), 500, np.uint16), '16UC1', stamp)


def unknown_encoding(client, stamp, rng):
    words = ['', 'yuv999', 'RGB8', 'rgb8 ', '16UC1', '\u00e4\u00f6', 'x' * 1000, 'None']
    _image(client, stamp, lambda m: setattr(m, 'encoding', str(rng.choice(words))))


def too_few_bytes(client, stamp, rng):
    keep = int(rng.integers(0, HEIGHT * WIDTH * 3 - 1))
    _image(client, stamp, lambda m: setattr(m, 'data', m.data[:keep]))


def step_too_small(client, stamp, rng):
    _image(client, stamp, lambda m: setattr(m, 'step', int(rng.integers(0, 3 * WIDTH))))


def step_enormous(client, stamp, rng):
    _image(client, stamp, lambda m: setattr(m, 'step', int(rng.integers(10**6, 2**32))))


def no_pixels(client, stamp, rng):
    side = 'height' if rng.integers(2) else 'width'
    _image(client, stamp, lambda m: setattr(m, side, 0))


def size_enormous(client, stamp, rng):
    def change(message):
        message.height, message.width, message.step = 2**31, 2**30, 2**32 - 1

    _image(client, stamp, change)


def depth_of_another_size(client, stamp, rng):
    shape = rng.integers(1, 100, 2)
    client.send(stamp, depth=picture(np.ones(shape, np.uint16), '16UC1', stamp))


def depth_of_a_wrong_encoding(client, stamp, rng):
    client.send(stamp, depth=picture(disc(), 'rgb8', stamp))


def depth_too_short(client, stamp, rng):
    depth = _depth(stamp)
    depth.data = depth.data[: int(rng.integers(0, len(depth.data)))]
    client.send(stamp, depth=depth)


def depth_of_noise(client, stamp, rng):
    """Send any bits as 32FC1: NaN, Inf, negative, enormous and denormal numbers."""
    bits = rng.integers(0, 2**32, (HEIGHT, WIDTH), np.uint32)
    client.send(stamp, depth=picture(bits.view(np.float32), '32FC1', stamp))


def _with_info(client, stamp, **fields):
    image = picture(disc(), 'rgb8', stamp)
    info = CameraInfo(header=image.header, height=HEIGHT, width=WIDTH)
    info.k = [150.0, 0.0, 80.0, 0.0, 150.0, 60.0, 0.0, 0.0, 1.0]
    for name, value in fields.items():
        setattr(info, name, value)
    client.publishers['image'].publish(image)
    client.publishers['depth'].publish(_depth(stamp))
    client.publishers['camera_info'].publish(info)


def info_of_another_size(client, stamp, rng):
    _with_info(client, stamp, width=int(rng.integers(1, 100)))


def info_of_strange_numbers(client, stamp, rng):
    numbers = [0.0, -1.0, 1e-300, 1e300, float('nan'), float('inf'), -float('inf')]
    k = [float(each) for each in rng.choice(numbers, 9)]
    _with_info(client, stamp, k=k, p=[float(each) for each in rng.choice(numbers, 12)])


def bytes_that_are_no_message(client, stamp, rng):
    """Send what a publisher of another type would, or a broken one."""
    topic = rng.choice(['image', 'depth', 'camera_info'])
    whole = bytearray(serialize_message(_depth(stamp)))
    whole[4:60] = rng.integers(0, 256, 56, np.uint8).tobytes()
    client.publishers[topic].publish(bytes(whole[: int(rng.integers(4, 200))]))


MALFORMED = [
    unknown_encoding,
    too_few_bytes,
    step_too_small,
    step_enormous,
    no_pixels,
    size_enormous,
    depth_of_another_size,
    depth_of_a_wrong_encoding,
    depth_too_short,
    depth_of_noise,
    info_of_another_size,
    info_of_strange_numbers,
    bytes_that_are_no_message,
]


def resting_model(folder):
    """Write a model whose second frame fails: what it looks up by its count is not there."""
    height, width = tiny.SIZE
    shape = (1, height, width)

    def table(name, value, kind):
        return numpy_helper.from_array(np.full((1, *shape), value, kind), name)

    nodes = [
        helper.make_node('Squeeze', ['count'], ['one']),
        helper.make_node('Cast', ['one'], ['index'], to=TensorProto.INT64),
        helper.make_node('Gather', ['maps', 'index'], ['affordance'], axis=0),
        helper.make_node('Gather', ['ids', 'index'], ['labels'], axis=0),
        helper.make_node('Add', ['count', 'unit'], ['next_count']),
    ]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        'resting',
        [value('image', TensorProto.UINT8, (*shape, 3)), value('count', TensorProto.FLOAT, (1,))],
        [
            value('affordance', TensorProto.FLOAT, shape),
            value('labels', TensorProto.UINT8, shape),
            value('next_count', TensorProto.FLOAT, (1,)),
        ],
        [
            table('maps', 0.9, np.float32),
            table('ids', 2, np.uint8),
            numpy_helper.from_array(np.float32([1]), 'unit'),
        ],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 17)], ir_version=9)
    return tiny.write(folder, made, 'resting')
