"""Messages to arrays: every encoding, padding and byte order against a slow reference."""

import struct
from types import SimpleNamespace

import numpy as np
import pytest
from rganet_ros import decode
from rganet_ros.types import Camera

HEIGHT, WIDTH = 5, 7
ORDER = {'rgb8': (0, 1, 2), 'bgr8': (2, 1, 0), 'rgba8': (0, 1, 2), 'bgra8': (2, 1, 0)}
CHANNELS = {'rgb8': 3, 'bgr8': 3, 'rgba8': 4, 'bgra8': 4, 'mono8': 1}


def message(encoding, row, padding=0, big=0, height=HEIGHT):
    """Make an Image of random bytes, `row` of them of each row used."""
    rng = np.random.default_rng(0)
    step = row + padding
    data = rng.integers(0, 256, step * height, np.uint8)
    header = SimpleNamespace(stamp=SimpleNamespace(sec=3, nanosec=5), frame_id='eye')
    return SimpleNamespace(
        header=header, height=height, width=WIDTH, encoding=encoding, is_bigendian=big, step=step,
        data=data,
    )  # fmt: skip


def info(k=(0,) * 9, p=(0,) * 12, width=WIDTH, height=HEIGHT):
    return SimpleNamespace(k=k, p=p, width=width, height=height)


@pytest.mark.parametrize('padding', [0, 3])
@pytest.mark.parametrize('encoding', CHANNELS)
def test_colour_is_what_a_loop_over_pixels_finds(encoding, padding):
    channels = CHANNELS[encoding]
    given = message(encoding, WIDTH * channels, padding)
    found = decode.rgb(given)
    assert found.shape == (HEIGHT, WIDTH, 3) and found.dtype == np.uint8
    for row in range(HEIGHT):
        for column in range(WIDTH):
            at = row * given.step + column * channels
            order = ORDER.get(encoding, (0, 0, 0))
            assert found[row, column].tolist() == [given.data[at + k] for k in order]


@pytest.mark.parametrize('padding', [0, 3])
@pytest.mark.parametrize('big', [0, 1])
@pytest.mark.parametrize(('encoding', 'code', 'unit'), [('16UC1', 'H', 0.001), ('32FC1', 'f', 1)])
def test_depth_is_in_metres_whatever_the_bytes(encoding, code, unit, big, padding):
    size = struct.calcsize(code)
    given = message(encoding, WIDTH * size, padding, big)
    rng = np.random.default_rng(1)
    values = rng.integers(0, 2000, (HEIGHT, WIDTH)).tolist()
    values[0][:3] = [0, 1, 65535]
    for row in range(HEIGHT):
        line = struct.pack(f'{"><"[not big]}{WIDTH}{code}', *values[row])
        at = row * given.step
        given.data[at : at + WIDTH * size] = np.frombuffer(line, np.uint8)
    found = decode.depth(given)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, np.array(values) * unit, rtol=1e-6)


@pytest.mark.parametrize('bad', [np.nan, np.inf, -np.inf, -1.0, 0.0])
def test_what_is_no_distance_is_unknown(bad):
    given = message('32FC1', WIDTH * 4)
    given.data = np.full((HEIGHT, WIDTH), bad, np.float32).view(np.uint8).ravel()
    assert (decode.depth(given) == 0).all()


def test_rgb8_is_not_copied():
    given = message('rgb8', WIDTH * 3, 4)
    assert np.shares_memory(decode.rgb(given), given.data)


@pytest.mark.parametrize(
    ('reason', 'changes'),
    [
        ('encoding', {'encoding': 'yuv422'}),
        ('encoding', {'encoding': '16UC1'}),
        ('encoding', {'encoding': ''}),
        ('size', {'width': 0}),
        ('size', {'height': 0}),
        ('step', {'step': WIDTH * 3 - 1}),
        ('step', {'step': 0}),
        ('length', {'data': np.zeros(WIDTH * 3 * HEIGHT - 1, np.uint8)}),
        ('length', {'data': np.zeros(0, np.uint8)}),
    ],
)
def test_what_cannot_be_a_picture_is_refused_with_a_reason(reason, changes):
    given = message('rgb8', WIDTH * 3)
    given.__dict__.update(changes)
    with pytest.raises(decode.Undecodable) as refusal:
        decode.rgb(given)
    assert refusal.value.reason == reason


def test_the_last_row_needs_no_padding():
    given = message('mono8', WIDTH, 3)
    given.data = given.data[:-3]
    assert decode.rgb(given).shape == (HEIGHT, WIDTH, 3)


def test_intrinsics_of_the_rectified_picture_come_first():
    k, p = (10, 0, 3, 0, 11, 2, 0, 0, 1), (20, 0, 3.5, 0, 0, 21, 2.5, 0, 0, 0, 1, 0)
    assert decode.camera(info(k)) == Camera(10, 11, 3, 2, WIDTH, HEIGHT)
    assert decode.camera(info(k, p)) == Camera(20, 21, 3.5, 2.5, WIDTH, HEIGHT)
    assert decode.camera(info()) is None


def test_a_frame_has_the_pictures_own_stamp():
    found = decode.frame(message('mono8', WIDTH), message('16UC1', WIDTH * 2), info())
    assert (found.stamp, found.frame_id) == (3_000_000_005, 'eye')
    assert found.depth.shape == (HEIGHT, WIDTH)
    assert found.camera is None


def test_parts_of_another_size_are_refused():
    colour = message('mono8', WIDTH)
    smaller = message('16UC1', WIDTH * 2, height=HEIGHT - 1)
    with pytest.raises(decode.Undecodable, match='aligned to colour') as refusal:
        decode.frame(colour, smaller)
    assert refusal.value.reason == 'depth_size'
    with pytest.raises(decode.Undecodable) as refusal:
        decode.frame(colour, None, info(k=(9, 0, 3, 0, 9, 2, 0, 0, 1), width=WIDTH + 1))
    assert refusal.value.reason == 'camera_info'


@pytest.mark.parametrize('encoding', [e for e in CHANNELS if e != 'mono8'])
def test_cv_bridge_agrees(encoding):
    cv_bridge = pytest.importorskip('cv_bridge', reason='comes with a ROS distribution only')
    from sensor_msgs.msg import Image

    given = message(encoding, WIDTH * CHANNELS[encoding])
    ros = Image(height=HEIGHT, width=WIDTH, encoding=encoding, step=given.step)
    ros.data = given.data.tobytes()
    expected = cv_bridge.CvBridge().imgmsg_to_cv2(ros, 'rgb8')
    assert np.array_equal(decode.rgb(given), expected)
