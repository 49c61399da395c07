"""What goes wrong in a robot cell: each fault strikes a live node in a process of its own."""

from itertools import count, cycle
import signal
import subprocess
import sys
import time

from diagnostic_msgs.msg import DiagnosticStatus
from faults import ghosts, MALFORMED, resting_model
from live import disc, FAKE, picture
import numpy as np
import pytest
from rclpy.qos import QoSProfile
from rganet_ros import record
from rganet_ros.cameras import COLOUR_TOPIC, DEPTH_TOPIC, INFO_TOPIC
from rganet_ros.node.encode import read_cloud
from rganet_ros.types import Camera, Frame
from sensor_msgs.msg import PointCloud2
import tiny

SECOND = 10**9
NOW = 1_700_000_000 * SECOND
COLOUR = ('-p', 'depth:=false')


def rss(process) -> float:
    """Memory of a process in MB, without files and the middleware's shared segments."""
    with open(f'/proc/{process.process.pid}/status') as file:
        lines = dict(line.split(':', 1) for line in file)
    return int(lines['RssAnon'].split()[0]) / 1024


def good(client, stamp, **what):
    assert client.answer(stamp, **what).width > 0


@pytest.fixture
def script(tmp_path):
    """Start other processes; none is left behind."""
    started = []

    def run(*words):
        log = (tmp_path / f'other{len(started)}.log').open('wb')
        started.append(subprocess.Popen([sys.executable, *words], stdout=log, stderr=log))
        return started[-1]

    yield run
    for each in started:
        each.kill()
        each.wait()


def test_a_publisher_that_is_killed_and_comes_back(start, client, script, tmp_path):
    camera = Camera(150, 150, 80, 60, 160, 120)
    depth = np.full((120, 160), 0.5, np.float32)
    frames = [Frame(disc(), depth, camera, NOW + k * SECOND // 10, 'eye') for k in range(20)]
    record.write_frames(tmp_path / 'bag', frames)
    names = {
        'image': COLOUR_TOPIC,
        'depth': DEPTH_TOPIC,
        'camera_info': INFO_TOPIC,
    }
    start(*FAKE, *(word for name, topic in names.items() for word in ('-r', f'{name}:={topic}')))
    play = ('-m', 'rganet_ros.node.player', str(tmp_path / 'bag'), '--restamp', '--loop', '1000')
    camera = script(*play)
    client.spin_until(lambda: len(client.received['candidates']) > 5, 'frames')
    camera.kill()
    client.spin_until(lambda: client.level == DiagnosticStatus.WARN, 'a word of silence')
    assert 'for 5 s on /camera' in client.text
    before = len(client.received['candidates'])
    script(*play)
    client.spin_until(lambda: len(client.received['candidates']) > before + 5, 'frames again')
    assert client.received['candidates'][-1].width > 0


def test_the_size_of_pictures_changes_in_mid_stream(start, client):
    start(*FAKE)
    client.meet()
    shapes = [(120, 160), (90, 200), (240, 320), (120, 160)]
    for index, shape in enumerate(shapes):
        for step in range(3):
            stamp = NOW + (3 * index + step) * SECOND // 10
            good(client, stamp, rgb=disc(*shape))
            client.spin_until(lambda s=stamp: client.of('affordance', s), 'the map')
            found = client.of('affordance', stamp)[0]
            assert (found.height, found.width) == shape
    client.spin_until(lambda: client.count('resets.size') == 3, 'the count of resets')
    assert not [key for key in client.diagnostics if key.startswith('dropped')]


def test_a_thousand_malformed_messages(start, client):
    """Every kind of them, each on top of a stamp of its own, with good frames in between."""
    process = start(*FAKE)
    client.meet()
    rng = np.random.default_rng(0)
    stamp = NOW
    for index in range(1000):
        stamp += SECOND // 10
        MALFORMED[index % len(MALFORMED)](client, stamp, rng)
        if index % 25 == 24:
            stamp += SECOND // 10
            client.send(stamp)
            # Of a burst the middleware keeps what it likes; a camera goes on sending.
            client.spin_until(
                lambda s=stamp: client.of('candidates', s), f'a frame after {index}',
                again=lambda s=stamp: client.send(s),
            )  # fmt: skip
            assert client.of('candidates', stamp)[0].width > 0
    for message in client.received['poses']:
        for pose in message.poses:
            assert np.isfinite(pose.position.z) and pose.position.z > 0
    assert process.process.poll() is None
    assert len(process.said()) < 100_000, 'the log is flooded'
    # What a burst has swallowed comes again, one by one.
    kinds, stamps = cycle(MALFORMED), count(stamp + SECOND, SECOND // 10)
    for reason in ('encoding', 'length', 'step', 'size', 'depth_size', 'camera_info'):
        client.spin_until(
            lambda r=reason: client.count(f'dropped.{r}'), reason,
            again=lambda: next(kinds)(client, next(stamps), rng),
        )  # fmt: skip


def test_depth_stops_and_comes_back(start, client):
    process = start(*FAKE)
    client.meet()
    good(client, NOW)
    before = len(client.received['candidates'])
    stamps = iter(range(NOW + SECOND, NOW + 10**6 * SECOND, SECOND // 10))
    client.spin_until(
        lambda: 'no depth for 5 s' in process.said() and client.count('dropped.unpaired'),
        'a word of it',
        again=lambda: [client.send(next(stamps), depth=None) for _ in range(5)],
    )
    client.spin_until(lambda: client.level == DiagnosticStatus.WARN, 'a warning')
    assert len(client.received['candidates']) == before
    good(client, next(stamps))


def test_camera_info_never_comes(start, client):
    start(*FAKE)
    client.heard()
    stamps = iter(range(NOW, NOW + 1000 * SECOND, SECOND))

    def without():
        image = picture(disc(), 'rgb8', next(stamps))
        depth = picture(np.full((120, 160), 500, np.uint16), '16UC1', 0)
        depth.header = image.header
        client.publishers['image'].publish(image)
        client.publishers['depth'].publish(depth)

    client.spin_until(lambda: len(client.received['poses']) > 3, 'frames', again=without)
    found = client.received['candidates'][-1]
    assert found.width > 0 and all(np.isnan(c.z) for c in read_cloud(found))
    assert all(not message.poses for message in client.received['poses'])
    assert not client.received['best']
    client.spin_until(
        lambda: client.received['best'], 'a pose, now that intrinsics come',
        again=lambda: client.send(next(stamps)),
    )  # fmt: skip


@pytest.mark.parametrize('max_age', [0.0, 5.0])
def test_the_clock_jumps(start, client, max_age):
    start(*FAKE, '-p', f'max_age:={max_age}')
    # Stamps of meeting are of 1970: with max_age they are old and only zero stamps pass.
    if max_age:
        client.heard()
        client.spin_until(
            lambda: client.received['candidates'], 'a frame', again=lambda: client.send(0)
        )
    else:
        client.meet()
    now = time.time_ns()
    good(client, now)
    ahead, back = now + 3600 * SECOND, now - 3600 * SECOND
    good(client, ahead)
    if not max_age:
        good(client, back)
        client.spin_until(lambda: client.count('resets.jump_back'), 'a reset')
    else:
        client.send(back)
        client.spin_until(lambda: client.count('dropped.old'), 'an old one dropped')
        assert not client.of('candidates', back)
    good(client, time.time_ns())


def test_promise_13_latency_does_not_grow_with_a_queue(start, client):
    """More comes than can be done; the age of what is published is that of one frame's work."""
    start(*FAKE, *COLOUR, '-p', 'max_age:=10.0')
    client.heard(('image',))
    client.spin_until(
        lambda: client.received['candidates'], 'a frame',
        again=lambda: client.send(time.time_ns(), depth=None),
    )  # fmt: skip
    rgb, waits = disc(480, 640), []
    for _ in range(4):
        before = len(client.received['candidates'])
        for _ in range(15):
            last = time.time_ns()
            client.send(last, rgb=rgb, depth=None)
        client.spin_until(lambda s=last: client.of('candidates', s), 'the newest')
        waits.append(len(client.received['candidates']) - before)
    # Were there a queue, each burst would be worked off whole, and the next one later.
    assert sum(waits) < 4 * 15 and client.of('candidates', last)
    client.spin_until(
        lambda: client.count('frames') + client.count('dropped.replaced')
        == client.count('received.image'),
        'the sum',
    )  # fmt: skip


def test_the_engine_raises_and_then_works(start, client, tmp_path):
    """The model fails at every second frame, and works once its memory is forgotten."""
    process = start('-p', f'model:={resting_model(tmp_path)}', '-p', 'backend:=onnxruntime')
    client.meet()
    for index in range(6):
        client.answer(NOW + index * SECOND // 10)
    client.spin_until(lambda: client.count('resets.failure') > 2, 'failures that were survived')
    assert client.state() == 'active'
    assert 'trying once more' in process.said()
    assert client.count('dropped.failure') == 0


@pytest.mark.parametrize('card_agrees', [False, True])
def test_the_model_is_replaced_by_garbage_before_configure(start, client, tmp_path, card_agrees):
    path = tiny.write(tmp_path)
    whole, card = path.read_bytes(), path.with_suffix('.json').read_text()
    words = ('-p', f'model:={path}', '-p', 'autostart:=false', *COLOUR)
    process = start(*words, '-p', 'backend:=onnxruntime')
    assert client.state() == 'unconfigured'
    garbage = bytes(range(256)) * 4
    path.write_bytes(garbage)
    if card_agrees:
        tiny.write_card(path, garbage)
    assert not client.change('configure')
    assert client.state() == 'unconfigured'
    assert str(path) in process.said() and 'Traceback' not in process.said()
    path.write_bytes(whole)
    path.with_suffix('.json').write_text(card)
    assert client.change('configure')
    assert client.state() == 'inactive'


def test_promise_19_two_nodes_on_one_cpu(start, client):
    start(*FAKE)
    start(*FAKE, '-r', '__node:=other', '-r', '__ns:=/cell')
    theirs = []
    qos = QoSProfile(depth=10)
    client.node.create_subscription(PointCloud2, '/cell/other/candidates', theirs.append, qos)
    for name in ('image', 'depth', 'camera_info'):
        kind = client.publishers[name].msg_type
        publisher = client.node.create_publisher(kind, f'/cell/{name}', qos)
        original = client.publishers[name].publish
        client.publishers[name].publish = ghosts(original, publisher.publish)
    client.meet()
    client.spin_until(lambda: theirs, 'the other', again=lambda: client.send(NOW))
    for index in range(1, 6):
        good(client, NOW + index * SECOND)
    client.spin_until(
        lambda: theirs[-1].header.stamp.sec == (NOW + 5 * SECOND) // SECOND, 'both at the end'
    )
    assert theirs[-1].width > 0


def test_a_node_that_is_killed_and_started_again(start, client):
    for turn in range(2):
        process = start(*FAKE)
        client.meet()
        good(client, NOW + turn * 1000 * SECOND)
        assert process.stop(signal.SIGKILL) == -signal.SIGKILL
    start(*FAKE)
    client.meet()
    good(client, NOW + 5000 * SECOND)


SLOW = """
import rclpy
from sensor_msgs.msg import Image
rclpy.init()
node = rclpy.create_node('slow')
node.create_subscription(Image, '/perception/overlay', lambda _: None, 10)
while not node.count_publishers('/perception/overlay'):
    rclpy.spin_once(node, timeout_sec=0.1)
print('there', flush=True)
rclpy.spin(node)
"""


def test_a_slow_subscriber_holds_up_nobody(start, client, script, tmp_path):
    process = start(*FAKE, '-p', 'save_seconds:=0.0')  # nothing is kept
    client.meet()
    slow = script('-c', SLOW)
    client.spin_until(
        lambda: client.node.count_subscribers('/perception/overlay') == 2, 'a slow subscriber'
    )
    good(client, NOW, rgb=disc(240, 320))
    slow.send_signal(signal.SIGSTOP)
    before = rss(process)
    for index in range(1, 51):
        good(client, NOW + index * SECOND // 10, rgb=disc(240, 320))
    assert rss(process) < before + 40
    slow.send_signal(signal.SIGCONT)
    good(client, NOW + 20 * SECOND)


def test_a_storm_of_parameters(start, client):
    start(*FAKE)
    client.meet()
    rng = np.random.default_rng(0)
    taken, refused = {}, 0
    for index in range(200):
        values = {'min_score': float(rng.uniform(-0.5, 0.5)), 'limit': int(rng.integers(-3, 10))}
        fits = values['min_score'] >= 0 and values['limit'] >= 1
        successful, reason = client.set(**values)
        assert successful == fits and bool(reason) != fits
        taken, refused = (values, refused) if fits else (taken, refused + 1)
        if index % 20 == 0:
            client.send(NOW + index * SECOND // 10)
    assert refused > 20 and taken
    found = read_cloud(client.answer(NOW + 1000 * SECOND))
    assert 0 < len(found) <= taken['limit']
    assert all(c.score >= taken['min_score'] for c in found)


@pytest.mark.slow
def test_configured_and_cleaned_up_fifty_times_memory_is_flat(start, client, tmp_path):
    words = ('-p', f'model:={tiny.write(tmp_path)}', '-p', 'backend:=openvino', *COLOUR)
    process = start(*words, '-p', 'autostart:=false')
    levels = []
    for _ in range(50):
        assert client.change('configure')
        assert client.change('cleanup')
        levels.append(rss(process))
    # The allocator settles first.
    assert max(levels[25:]) < 1.02 * max(levels[10:25]), levels
