"""Frames into an active node, good ones and bad ones, and what comes out."""

from diagnostic_msgs.msg import DiagnosticStatus
from live import Client, disc, FAKE, picture, Process
import numpy as np
import pytest
from rganet_ros.node.encode import read_cloud
from std_srvs.srv import Trigger

SECOND = 10**9
NOW = 1_700_000_000 * SECOND


@pytest.fixture(scope='module')
def active(ros, tmp_path_factory):
    """Start a node and its client, for the tests that leave it active."""
    process = Process(tmp_path_factory.mktemp('active') / 'node.log', *FAKE)
    client = Client()
    client.meet()
    yield client
    status = process.stop()
    client.close()
    assert status == 0, process.said()


@pytest.fixture
def stamp(active):
    """Give a stamp after all that were sent so far."""
    active.stamp = getattr(active, 'stamp', NOW) + 10 * SECOND
    return active.stamp


def test_promise_27_a_frame_goes_in_and_all_that_is_promised_comes_out(active, stamp):
    active.send(stamp)
    topics = ('candidates', 'poses', 'best', 'affordance', 'labels', 'overlay')
    for topic in topics:
        active.spin_until(lambda t=topic: active.of(t, stamp), topic)
    found = {topic: active.of(topic, stamp)[0] for topic in topics}
    assert {message.header.frame_id for message in found.values()} == {'camera'}
    candidates = read_cloud(found['candidates'])
    assert len(candidates) == len(found['poses'].poses) > 0
    first = candidates[0]
    assert abs(first.z - 0.5) < 1e-3
    assert first.normal_z < -0.999
    assert [c.score for c in candidates] == sorted((c.score for c in candidates), reverse=True)
    pose = found['best'].pose
    assert (pose.position.x, pose.position.z) == pytest.approx((first.x, first.z), abs=1e-6)
    assert found['affordance'].encoding == '32FC1'
    affordance = np.frombuffer(found['affordance'].data, np.float32).reshape(120, 160)
    assert affordance[60, 80] > 0.9
    assert affordance[5, 5] < 0.1
    labels = np.frombuffer(found['labels'].data, np.uint8).reshape(120, 160)
    assert (found['labels'].encoding, labels[60, 80], labels[5, 5]) == ('mono8', 2, 0)
    assert (found['overlay'].encoding, found['overlay'].step) == ('rgb8', 480)
    markers = active.received['markers'][-1].markers
    assert markers[0].action == markers[0].DELETEALL
    assert len(markers) == 1 + 2 * len(candidates)


def test_promise_30_nothing_to_pick_is_published_too(active, stamp):
    assert active.answer(stamp, rgb=np.zeros((120, 160, 3), np.uint8)).width == 0
    active.spin_until(lambda: active.of('poses', stamp), 'poses')
    assert active.of('poses', stamp)[0].poses == []
    assert not active.of('best', stamp)


@pytest.mark.parametrize(
    ('encoding', 'pad'), [('bgr8', 7), ('rgba8', 0), ('bgra8', 3), ('mono8', 5), ('rgb8', 16)]
)
def test_promise_14_encodings_with_padded_rows(active, stamp, encoding, pad):
    pixels = disc()
    if encoding == 'mono8':
        pixels = pixels[..., 0]
    elif encoding.endswith('a8'):
        pixels = np.dstack([pixels, np.zeros((120, 160), np.uint8)])
    assert active.answer(stamp, image=picture(pixels, encoding, stamp, pad)).width > 0


def test_depth_in_metres_with_holes_of_nan_and_inf(active, stamp):
    metres = np.full((120, 160), 0.5, np.float32)
    metres[:, :20], metres[:, -20:] = np.nan, np.inf
    candidates = read_cloud(active.answer(stamp, depth=picture(metres, '32FC1', stamp, 8)))
    assert candidates
    assert all(abs(c.z - 0.5) < 1e-3 for c in candidates)


def damaged(reason, stamp):
    image = picture(disc(), 'rgb8', stamp)
    if reason == 'encoding':
        image.encoding = 'yuv999'
    elif reason == 'length':
        image.data = image.data[:1000]
    elif reason == 'step':
        image.step = 7
    else:
        image.height = image.width = image.step = 0
        image.data = image.data[:0]
    return image


@pytest.mark.parametrize('reason', ['encoding', 'length', 'step', 'size'])
def test_a_bad_frame_is_counted_and_the_next_good_one_works(active, stamp, reason):
    before = active.count(f'dropped.{reason}')
    active.send(
        stamp, image=damaged(reason, stamp), depth=picture(np.ones((4, 4)), '16UC1', stamp)
    )
    active.spin_until(lambda: active.count(f'dropped.{reason}') > before, reason)
    assert active.answer(stamp + SECOND).width > 0
    assert not active.of('candidates', stamp)


def test_depth_of_another_size_is_counted(active, stamp):
    small = picture(np.ones((60, 60), np.uint16), '16UC1', stamp)
    active.send(stamp, depth=small)
    active.spin_until(lambda: active.count('dropped.depth_size'), 'depth_size')
    assert active.answer(stamp + SECOND).width > 0


def test_stamps_late_far_back_and_zero(active, stamp):
    active.answer(stamp)
    late = stamp - SECOND // 5
    active.send(late)
    active.spin_until(lambda: active.count('dropped.late'), 'late')
    assert not active.of('candidates', late)
    # Further back it is a bag that began again.
    jumps = active.count('resets.jump_back')
    back = stamp - 3 * SECOND
    assert active.answer(back).width > 0
    active.spin_until(lambda: active.count('resets.jump_back') > jumps, 'a reset')
    assert active.answer(0).width > 0


def test_the_same_stamp_with_other_sizes_in_turn(active, stamp):
    for index, shape in enumerate([(120, 160), (90, 200), (240, 320)]):
        message = active.answer(stamp + index * SECOND, rgb=disc(*shape))
        assert message.width > 0
        assert read_cloud(message)[0].z == pytest.approx(0.5, abs=1e-3)


def test_parameters_are_checked_and_refused_with_a_reason(active, stamp):
    good, reason = active.set(min_score=1.5)
    assert not good
    good, reason = active.set(backend='onnxruntime')
    assert not good and 'unconfigured' in reason
    good, reason = active.set(workspace=[0.0, 0.0, 1.0, 1.0, 1.0, 0.5])
    assert not good and 'workspace' in reason
    # All or nothing.
    good, reason = active.set(limit=1, up=[0.0, 0.0, 0.0])
    assert not good and 'up' in reason
    assert active.answer(stamp).width > 1
    assert active.set(limit=1, output_scale=0.5) == (True, '')
    assert active.answer(stamp + SECOND).width == 1
    active.spin_until(lambda: active.of('overlay', stamp + SECOND), 'overlay')
    overlay = active.of('overlay', stamp + SECOND)[0]
    assert (overlay.width, overlay.height, overlay.step) == (80, 60, 240)
    assert active.set(limit=20, output_scale=1.0) == (True, '')


def test_reset_and_what_diagnostics_say(active, stamp):
    active.answer(stamp)
    asked = active.count('resets.asked')
    response = active.call(Trigger, 'reset', Trigger.Request())
    assert response.success
    active.spin_until(lambda: active.count('resets.asked') == asked + 1, 'a reset')
    said = active.diagnostics
    assert active.level == DiagnosticStatus.OK
    assert (said['model'], said['backend'], said['precision']) == ('fake', 'fake', 'fp32')
    assert len(said['model_sha256']) == 64
    assert int(said['frames']) <= int(said['received.image'])
    for stage in ('decode', 'letterbox', 'infer', 'candidates', 'publish', 'age'):
        p50, p95, p99 = (float(said[f'{stage}_ms.p{p}']) for p in (50, 95, 99))
        assert p50 <= p95 <= p99
