"""Messages to arrays: every encoding, padding and byte order against a slow reference."""

import struct
from types import SimpleNamespace

import numpy as np
import pytest
from rganet_ros import decode, rectify
from rganet_ros.types import Camera

HEIGHT, WIDTH = 5, 7
ORDER = {'rgb8': (0, 1, 2), 'bgr8': (2, 1, 0), 'rgba8': (0, 1, 2), 'bgra8': (2, 1, 0)}
CHANNELS = {'rgb8': 3, 'bgr8': 3, 'rgba8': 4, 'bgra8': 4, 'mono8': 1}
WHOLE = {'x_offset': 0, 'y_offset': 0, 'width': 0, 'height': 0, 'do_rectify': False}


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


def info(k=(0,) * 9, p=(0,) * 12, width=WIDTH, height=HEIGHT, **changes):
    given = {
        'd': (), 'r': (0,) * 9, 'distortion_model': 'plumb_bob', 'binning_x': 0, 'binning_y': 0,
        'roi': SimpleNamespace(**WHOLE),
    }  # fmt: skip
    return SimpleNamespace(k=k, p=p, width=width, height=height, **(given | changes))


def pinhole(f, cx, cy):
    return (f, 0, cx, 0, f, cy, 0, 0, 1)


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
def test_promise_15_depth_is_in_metres_whatever_the_bytes(encoding, code, unit, big, padding):
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


def test_promise_26_rgb8_is_not_copied():
    given = message('rgb8', WIDTH * 3, 4)
    assert np.shares_memory(decode.rgb(given), given.data)


@pytest.mark.parametrize(
    ('reason', 'changes'),
    [
        ('encoding', {'encoding': '8UC3'}),
        ('size', {'encoding': 'yuv422'}),
        ('size', {'encoding': 'nv12'}),
        ('size', {'encoding': 'bayer_rggb8'}),
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
    assert rectify.camera(info(k)) == Camera(10, 11, 3, 2, WIDTH, HEIGHT)
    assert rectify.camera(info(k, p)) == Camera(20, 21, 3.5, 2.5, WIDTH, HEIGHT)
    assert rectify.camera(info()) is None


def test_a_frame_has_the_pictures_own_stamp():
    found = decode.frame(message('mono8', WIDTH), message('16UC1', WIDTH * 2), info())
    assert (found.stamp, found.frame_id) == (3_000_000_005, 'eye')
    assert found.depth.shape == (HEIGHT, WIDTH)
    assert found.camera is None


def test_intrinsics_of_a_part_of_the_sensor_and_of_binned_pixels():
    whole = {'k': pinhole(100, 320, 240), 'width': 640, 'height': 480}
    part = SimpleNamespace(**WHOLE | {'x_offset': 20, 'y_offset': 40, 'width': 320, 'height': 240})
    assert rectify.camera(info(**whole, roi=part)) == Camera(100, 100, 300, 200, 320, 240)
    binned = info(**whole, roi=part, binning_x=2, binning_y=4)
    assert rectify.camera(binned) == Camera(50, 25, 150, 50, 160, 60)


@pytest.mark.parametrize('bad', [np.nan, np.inf, -1.0, 0.0])
def test_intrinsics_that_cannot_be_are_none(bad):
    assert rectify.camera(info(k=(bad, 0, 3, 0, 9, 2, 0, 0, 1))) is None


def test_distortion_is_said_in_pixels():
    lens = {'k': pinhole(400, 320, 240), 'width': 640, 'height': 480}
    assert rectify.distortion(info(**lens)) == 0
    assert rectify.distortion(info(**lens, d=(0,) * 5)) == 0
    # A corner is 1 focal length off the axis: r^2 = 1, so k1 moves it by about k1 * 400 pixels.
    assert rectify.distortion(info(**lens, d=(0.01, 0, 0, 0, 0))) == pytest.approx(4, rel=0.1)
    fish = {'d': (0.1, 0.0, 0.0, 0.0), 'distortion_model': 'equidistant'}
    assert rectify.distortion(info(**lens, **fish)) > 10
    assert rectify.distortion(info(**lens, d=(1, 2), distortion_model='nonesuch')) == np.inf


def picture(encoding, pixels, frame_id='eye'):
    rows = np.ascontiguousarray(pixels).view(np.uint8).reshape(len(pixels), -1)
    header = SimpleNamespace(stamp=SimpleNamespace(sec=3, nanosec=5), frame_id=frame_id)
    return SimpleNamespace(
        header=header, height=pixels.shape[0], width=pixels.shape[1], encoding=encoding,
        is_bigendian=0, step=rows.shape[1], data=rows.ravel(),
    )  # fmt: skip


def slope(camera, height, width):
    """Draw what a camera sees of the plane z = 1 + x / 2, in millimetres."""
    x = (np.arange(width) - camera[2]) / camera[0]
    return np.tile((1000 / (1 - x / 2)).astype(np.uint16), (height, 1))


COLOUR = np.zeros((60, 80, 3), np.uint8)


def test_depth_of_other_intrinsics_is_brought_onto_colour():
    # The depth camera is wider and finer; what colour sees is a part of its picture.
    fine, coarse = pinhole(120, 110, 70), pinhole(60, 42, 31)
    lenses = [info(coarse, width=80, height=60), info(fine, width=220, height=140)]
    found = decode.frame(picture('rgb8', COLOUR), picture('16UC1', slope(fine, 140, 220)), *lenses)
    np.testing.assert_allclose(found.depth, slope(coarse, 60, 80) / 1000, atol=0.012)
    # What the depth camera did not look at is unknown.
    narrow = info(pinhole(200, 40, 30), width=80, height=60)
    found = decode.frame(picture('rgb8', COLOUR), picture('16UC1', slope(fine, 60, 80)),
                         lenses[0], narrow)  # fmt: skip
    assert (found.depth[0] == 0).all() and (found.depth[:, -1] == 0).all()
    assert found.depth[31, 42] > 0


@pytest.mark.parametrize('scale', [0.5, 2])
def test_depth_of_the_same_view_in_another_size_is_scaled(scale):
    height, width = int(60 * scale), int(80 * scale)
    pixels = np.arange(height * width, dtype=np.uint16).reshape(height, width)
    found = decode.frame(picture('rgb8', COLOUR), picture('16UC1', pixels)).depth * 1000
    for row, column in ((0, 0), (13, 27), (59, 79)):
        near = pixels[int((row + 0.5) * scale), int((column + 0.5) * scale)]
        assert abs(found[row, column] - near) <= (0.1 if scale < 1 else width + 1)


@pytest.mark.parametrize(
    ('reason', 'shape', 'frame_id', 'lens'),
    [
        ('depth_size', (60, 100), 'eye', None),
        ('depth_frame', (30, 40), 'ear', None),
        ('depth_frame', (60, 80), 'ear', info(pinhole(90, 40, 30), width=80, height=60)),
        ('depth_camera_info', (60, 80), 'eye', info(pinhole(90, 40, 30), width=81, height=60)),
    ],
)
def test_depth_of_another_view_is_refused(reason, shape, frame_id, lens):
    given = picture('16UC1', np.ones(shape, np.uint16), frame_id)
    mine = info(pinhole(60, 42, 31), width=80, height=60)
    with pytest.raises(decode.Undecodable) as refusal:
        decode.frame(picture('rgb8', COLOUR), given, mine, lens)
    assert refusal.value.reason == reason


def test_aligned_depth_is_taken_as_it_is_whatever_its_frame_is_called():
    mine = info(pinhole(60, 42, 31), width=80, height=60)
    given = picture('16UC1', np.full((60, 80), 700, np.uint16), 'ear')
    for lens in (None, mine, info(pinhole(60.1, 42.1, 31), width=80, height=60)):
        found = decode.frame(picture('rgb8', COLOUR), given, mine, lens).depth
        np.testing.assert_allclose(found, 0.7, atol=1e-6)


def test_intrinsics_of_another_picture_are_refused():
    with pytest.raises(decode.Undecodable) as refusal:
        decode.frame(message('mono8', WIDTH), None, info(pinhole(9, 3, 2), width=WIDTH + 1))
    assert refusal.value.reason == 'camera_info'


def test_a_mask_is_true_inside():
    given = message('mono8', WIDTH, 2)
    given.data[:] = 0
    given.data[given.step + 3] = 1
    assert decode.mask(given).nonzero() == (1, 3)
    with pytest.raises(decode.Undecodable):
        decode.mask(message('rgb8', WIDTH * 3))


@pytest.mark.parametrize('encoding', [e for e in CHANNELS if e != 'mono8'])
def test_cv_bridge_agrees(encoding):
    cv_bridge = pytest.importorskip('cv_bridge', reason='comes with a ROS distribution only')
    from sensor_msgs.msg import Image

    given = message(encoding, WIDTH * CHANNELS[encoding])
    ros = Image(height=HEIGHT, width=WIDTH, encoding=encoding, step=given.step)
    ros.data = given.data.tobytes()
    expected = cv_bridge.CvBridge().imgmsg_to_cv2(ros, 'rgb8')
    assert np.array_equal(decode.rgb(given), expected)
