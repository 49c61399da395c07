"""What a robot cell asks of the node: a frame on request, a bag of what just happened, limits."""

from concurrent.futures import ThreadPoolExecutor
import time

import cv2
from diagnostic_msgs.msg import DiagnosticStatus
from live import disc, FAKE, LONG, picture
import numpy as np
import pytest
import rclpy
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rganet_ros import bag
from rganet_ros.node import saving
from rganet_ros.node.encode import read_cloud
from rganet_ros.node.inputs import describe_qos
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_srvs.srv import Trigger

SECOND = 10**9
NOW = 1_700_000_000 * SECOND


class Asked:
    """A call of a service that is under way."""

    def __init__(self, client, name):
        self._made = client.node.create_client(Trigger, f'/perception/{name}')
        assert self._made.wait_for_service(LONG)
        self.future = self._made.call_async(Trigger.Request())

    def result(self, client):
        client.spin_until(self.future.done, 'an answer')
        client.node.destroy_client(self._made)
        return self.future.result().success, self.future.result().message


def settle(client, seconds=0.5):
    """Let what is under way arrive."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        rclpy.spin_once(client.node, timeout_sec=0.05)


def test_a_triggered_node_processes_one_frame_for_each_call(start, client):
    start(*FAKE, '-p', 'mode:=triggered', '-p', 'trigger_timeout:=20.0')
    client.heard()
    client.send(NOW)
    client.spin_until(lambda: client.count('dropped.not_asked_for'), 'a frame that nobody wants')
    assert not client.received['candidates']
    asked = Asked(client, 'trigger')
    settle(client)
    assert not asked.future.done()
    for index in (1, 2, 3):
        client.send(NOW + index * SECOND)
    success, text = asked.result(client)
    assert success, text
    settle(client)
    (cloud,) = client.received['candidates']
    assert text == f'{cloud.width} candidate{"s" if cloud.width > 1 else ""}'
    assert cloud.width > 0
    # A frame that cannot be used is not the answer; the next one is.
    asked = Asked(client, 'trigger')
    settle(client)
    client.send(NOW + 10 * SECOND, depth=picture(np.ones((4, 9), np.uint16), '16UC1', NOW))
    broken = picture(disc(), 'rgb8', NOW + 11 * SECOND)
    broken.encoding = 'nonesuch'
    client.send(NOW + 11 * SECOND, image=broken)
    client.spin_until(lambda: client.count('dropped.encoding'), 'the broken one')
    assert not asked.future.done()
    client.send(NOW + 12 * SECOND, rgb=np.zeros((120, 160, 3), np.uint8))
    assert asked.result(client) == (True, 'nothing to pick')
    # Without a frame the answer says so, in time.
    assert client.set(trigger_timeout=0.5) == (True, '')
    success, text = Asked(client, 'trigger').result(client)
    assert not success
    assert 'no frame within trigger_timeout, 0.5 s' in text
    assert client.set(trigger_timeout=20.0) == (True, '')
    # In stream mode every frame goes on, and who asks is told of the next.
    assert client.set(mode='stream') == (True, '')
    asked = Asked(client, 'trigger')
    settle(client)
    client.answer(NOW + 20 * SECOND)
    assert asked.result(client)[0]
    assert client.change('deactivate')
    assert Asked(client, 'trigger').result(client) == (False, 'not active')


def test_the_last_seconds_are_saved_as_a_bag_that_can_be_replayed(start, client, tmp_path):
    folder = tmp_path / 'saved'
    start(*FAKE, '-p', f'save_folder:={folder}', '-p', 'save_seconds:=600.0')
    assert Asked(client, 'save').result(client)[0] is False
    client.heard()
    client.meet()
    for index in range(3):
        client.answer(NOW + index * SECOND)
    success, text = Asked(client, 'save').result(client)
    assert success, text
    (path,) = folder.iterdir()
    assert str(path) in text
    assert {'/image', '/depth', '/camera_info', '/perception/candidates'} <= {*bag.topics_of(path)}
    topics = bag.find_topics(path, '/image', '/depth', '/camera_info')
    stamps = [frame.stamp for frame in bag.frames(path, topics)]
    assert stamps[-3:] == [NOW + index * SECOND for index in range(3)]
    saved = list(bag.messages(path, ['/perception/candidates']))
    assert read_cloud(bag.deserialize(saved[-1])) == read_cloud(client.received['candidates'][-1])
    # Another one gets another name; none is kept after save_seconds is 0.
    assert Asked(client, 'save').result(client)[0]
    assert len([*folder.iterdir()]) == 2
    assert client.set(save_seconds=0.0) == (True, '')
    client.answer(NOW + 9 * SECOND)
    assert 'nothing is kept' in Asked(client, 'save').result(client)[1]


def test_bags_saved_at_the_same_time_are_each_whole(tmp_path):
    kept = [saving.Kept('/image', picture(disc(), 'rgb8', NOW), NOW + i, 0) for i in range(20)]
    with ThreadPoolExecutor(4) as pool:
        paths = list(pool.map(lambda _: saving.write(kept, str(tmp_path)), range(8)))
    assert sorted(paths) == sorted(tmp_path.iterdir()) and len(set(paths)) == 8
    assert {len(list(bag.messages(path, ['/image']))) for path in paths} == {20}


def test_diagnostics_say_that_there_is_nothing_to_pick(start, client):
    start(*FAKE)
    client.meet()
    client.answer(NOW)
    client.spin_until(lambda: client.count('candidates'), 'diagnostics')
    assert client.text == 'active'
    client.answer(NOW + SECOND, rgb=np.zeros((120, 160, 3), np.uint8))
    client.spin_until(lambda: client.text == 'active: nothing to pick', 'nothing to pick')
    assert client.level == DiagnosticStatus.OK
    assert (client.count('candidates'), client.count('nothing_to_pick')) == (0, 1)


def two_discs():
    """Draw two places to pick, left and right, in RGB."""
    rgb = np.zeros((120, 160, 3), np.uint8)
    for column in (40, 120):
        cv2.circle(rgb, (column, 60), 26, (255, 255, 255), -1)
    return rgb


def sides(cloud):
    return {'left' if c.u < 80 else 'right' for c in read_cloud(cloud)}


def test_nothing_is_picked_outside_the_mask(start, client):
    # Sent once, before the node was there: it is asked for.
    qos = QoSProfile(
        depth=1,
        durability=DurabilityPolicy.TRANSIENT_LOCAL,
        reliability=ReliabilityPolicy.RELIABLE,
    )
    publisher = client.node.create_publisher(Image, 'workspace_mask', qos)
    start(*FAKE, '-p', 'workspace_mask:=true')
    client.heard()
    client.send(NOW, rgb=two_discs())
    client.spin_until(lambda: client.count('dropped.workspace_mask'), 'no mask')
    mask = np.zeros((60, 80), np.uint8)  # half the size
    mask[:, 40:] = 255
    publisher.publish(picture(mask, 'mono8', 0))
    settle(client)
    assert sides(client.answer(NOW + SECOND, rgb=two_discs())) == {'right'}
    other = picture(np.full((60, 60), 255, np.uint8), 'mono8', 0)
    publisher.publish(other)
    settle(client)
    before = client.count('dropped.workspace_mask')
    client.send(NOW + 2 * SECOND, rgb=two_discs())
    client.spin_until(lambda: client.count('dropped.workspace_mask') > before, 'another size')


def test_a_mask_is_heard_from_who_latches_nothing_and_forgotten_by_a_pause(start, client):
    publisher = client.node.create_publisher(Image, 'workspace_mask', 5)
    process = start(*FAKE, '-p', 'workspace_mask:=true')
    process.wait_for('a publisher of /workspace_mask is volatile')
    assert 'best effort' not in process.said()
    client.heard()
    client.spin_until(publisher.get_subscription_count, 'discovery')
    there = client.node.get_subscriptions_info_by_topic
    client.spin_until(
        lambda: [describe_qos(each.qos_profile) for each in there('/workspace_mask')]
        == ['reliable, volatile'],
        'one that fits',
    )  # fmt: skip
    mask = np.full((120, 160), 255, np.uint8)
    publisher.publish(picture(mask, 'mono8', 0))
    settle(client)
    assert client.answer(NOW).width > 0
    client.node.destroy_publisher(publisher)
    assert client.change('deactivate') and client.change('activate')
    stamps = iter(range(NOW + SECOND, NOW + 1000 * SECOND, SECOND))
    client.spin_until(
        lambda: client.count('dropped.workspace_mask'), 'no mask',
        again=lambda: client.send(next(stamps)),
    )  # fmt: skip


def test_what_did_not_change_is_not_picked(start, client, tmp_path):
    empty = np.full((120, 160), 500, np.uint16)
    cv2.imwrite(str(tmp_path / 'empty.png'), empty)
    start(*FAKE, '-p', f'background_depth:={tmp_path / "empty.png"}')
    client.heard()
    depth = empty.copy()
    depth[:, 80:] -= 30
    given = picture(depth, '16UC1', NOW)
    assert sides(client.answer(NOW, rgb=two_discs(), depth=given)) == {'right'}
    assert client.set(background_change=0.05) == (True, '')
    given = picture(depth, '16UC1', NOW + SECOND)
    assert client.answer(NOW + SECOND, rgb=two_discs(), depth=given).width == 0


@pytest.mark.parametrize(
    ('words', 'said'),
    [
        (('background_depth:=/nowhere.png',), "background_depth = '/nowhere.png' is no file"),
        (('background_depth:=/nowhere.png', 'depth:=false'), 'background_depth'),
        (('mode:=sometimes',), 'mode'),
    ],
)
def test_what_cannot_be_is_refused_at_start(start, words, said):
    process = start(*FAKE, *(word for each in words for word in ('-p', each)))
    assert process.ended() == 1
    assert said in process.said() and 'Traceback' not in process.said()


@pytest.mark.parametrize(
    ('name', 'value'),
    [('target_frame', 'world'), ('workspace_frame', 'world'), ('register_depth', 'true')],
)
def test_other_frames_need_tf2(start, name, value):
    try:
        import tf2_ros  # noqa: F401
    except ImportError:
        process = start(*FAKE, '-p', f'{name}:={value}')
        assert process.ended() == 1
        assert f'parameter {name} needs tf2_ros' in process.said()
    else:
        pytest.skip('tf2_ros is there')


def test_compressed_pictures_are_heard_below_the_pictures_own_topic(start, client):
    words = ('image_transport:=compressed', 'depth_transport:=compressedDepth')
    start(*FAKE, *(word for each in words for word in ('-p', each)), '-r', 'image:=/eye/image')
    colour = client.node.create_publisher(CompressedImage, '/eye/image/compressed', 5)
    depth = client.node.create_publisher(CompressedImage, '/depth/compressedDepth', 5)
    client.spin_until(
        lambda: (
            all(p.get_subscription_count() for p in (colour, depth))
            and client.publishers['camera_info'].get_subscription_count()
            and client.node.count_publishers('/perception/candidates')
        ),
        'discovery',
    )

    def send(stamp):
        header = picture(disc(), 'rgb8', stamp).header
        file = cv2.imencode('.jpg', disc())[1].tobytes()
        colour.publish(
            CompressedImage(header=header, format='rgb8; jpeg compressed bgr8', data=file)
        )
        file = bytes(12) + cv2.imencode('.png', np.full((120, 160), 500, np.uint16))[1].tobytes()
        kind = '16UC1; compressedDepth png'
        depth.publish(CompressedImage(header=header, format=kind, data=file))
        info = CameraInfo(header=header, height=120, width=160)
        info.k = [150.0, 0.0, 80.0, 0.0, 150.0, 60.0, 0.0, 0.0, 1.0]
        client.publishers['camera_info'].publish(info)

    stamps = iter(range(NOW, NOW + 1000 * SECOND, SECOND))
    client.spin_until(
        lambda: any(cloud.width for cloud in client.received['candidates']),
        'candidates',
        again=lambda: send(next(stamps)),
    )
    first = read_cloud(next(cloud for cloud in client.received['candidates'] if cloud.width))[0]
    assert first.z == pytest.approx(0.5, abs=1e-3)


def test_quality_of_service_is_overridden_by_parameters(start, client):
    profile = '-p', 'qos_overrides./image.subscription.reliability:=best_effort'
    process = start(*FAKE, *profile, '-p', 'qos_overrides./perception/overlay.publisher.depth:=7')
    client.heard()
    (mine,) = client.node.get_subscriptions_info_by_topic('/image')
    assert mine.qos_profile.reliability == ReliabilityPolicy.BEST_EFFORT
    client.meet()
    assert 'no such parameter' not in process.said()


def test_age_is_of_the_clock_that_is_played(start, client):
    start(*FAKE, '-p', 'use_sim_time:=true', '-p', 'max_age:=0.5')
    publisher = client.node.create_publisher(Clock, '/clock', 10)
    client.heard()
    client.spin_until(publisher.get_subscription_count, 'discovery')

    def tick(stamp):
        message = Clock()
        message.clock.sec, message.clock.nanosec = divmod(stamp, SECOND)
        publisher.publish(message)
        settle(client)

    tick(100 * SECOND)
    assert client.answer(100 * SECOND - SECOND // 5).width > 0
    tick(102 * SECOND)
    client.send(101 * SECOND)
    client.spin_until(lambda: client.count('dropped.old'), 'an old one')
    assert not client.of('candidates', 101 * SECOND)


def test_the_cloud_is_of_the_depth_in_the_colours(start, client):
    clouds = []
    from sensor_msgs.msg import PointCloud2

    client.node.create_subscription(PointCloud2, '/perception/cloud', clouds.append, 5)
    start(*FAKE)
    client.heard()
    client.spin_until(lambda: client.node.count_publishers('/perception/cloud'), 'discovery')
    settle(client)
    client.answer(NOW)
    client.spin_until(lambda: clouds, 'a cloud')
    rows = np.frombuffer(clouds[0].data, np.float32).reshape(-1, 4)
    assert len(rows) == clouds[0].width == 120 * 160
    np.testing.assert_allclose(rows[:, 2], 0.5)
    assert {*rows[:, 3].view(np.uint32).tolist()} == {0, 0xFFFFFF}
