"""Nodes that start, change, fail and end, each in its own process."""

import os
from pathlib import Path
import re
import signal

from diagnostic_msgs.msg import DiagnosticStatus
from live import Client, disc, FAKE, picture
import numpy as np
from onnx import helper, TensorProto
import pytest
from rclpy.qos import ReliabilityPolicy
from rganet_ros.node.encode import read_cloud
import tiny

SECOND = 10**9
NOW = 1_700_000_000 * SECOND


def test_every_transition_and_those_that_do_not_fit(start, client):
    process = start(*FAKE, '-p', 'autostart:=false')
    assert client.state() == 'unconfigured'
    for wrong in ('activate', 'deactivate', 'cleanup'):
        assert not client.change(wrong)
    assert client.change('configure')
    assert client.state() == 'inactive'
    assert not client.change('deactivate')
    assert client.change('cleanup')
    assert client.state() == 'unconfigured'
    assert client.change('configure')
    for stamp in (NOW, NOW + SECOND):
        assert client.change('activate')
        client.meet()
        assert client.state() == 'active'
        assert not client.change('configure')
        assert client.answer(stamp).width > 0
        assert client.change('deactivate')
        assert client.state() == 'inactive'
        # The last word is that there is nothing, with the header of the last picture.
        for topic in ('candidates', 'poses'):
            client.spin_until(
                lambda t=topic, s=stamp: len(client.of(t, s)) == 2, f'an empty {topic}'
            )
        empty = client.of('candidates', stamp)[1]
        assert (empty.width, len(empty.data), empty.header.frame_id) == (0, 0, 'camera')
        assert client.of('poses', stamp)[1].poses == []
    assert client.change('shutdown')
    assert client.state() == 'finalized'
    assert not client.change('configure')
    assert process.stop() == 0


def test_all_counts_go_on_after_a_pause(start, client):
    start(*FAKE)
    for _ in range(2):
        client.meet()
        assert client.change('deactivate') and client.change('activate')
    client.diagnostics = {}
    client.spin_until(lambda: client.diagnostics, 'diagnostics')
    assert client.count('received.image') >= client.count('frames') >= 2


def test_a_best_effort_camera_is_heard(start, ros):
    process = start(*FAKE)
    client = Client(ReliabilityPolicy.BEST_EFFORT)
    try:
        client.heard()
        stamps = iter(range(NOW, NOW + 1000 * SECOND, SECOND))
        client.spin_until(
            lambda: any(message.width for message in client.received['candidates']),
            'a frame',
            again=lambda: client.send(next(stamps)),
        )
        assert process.said().count('is best effort') == 3
    finally:
        client.close()


def test_the_newest_frame_wins_and_the_others_are_counted(start, client):
    start(*FAKE, '-p', 'depth:=false')
    client.heard(('image',))
    stamps = iter(range(NOW, NOW + 10**6 * SECOND, SECOND))
    rgb, last = disc(480, 640), 0

    def burst():
        nonlocal last
        for _ in range(20):
            last = next(stamps)
            client.send(last, rgb=rgb, depth=None)

    client.spin_until(lambda: client.count('dropped.replaced'), 'an overload', again=burst)
    client.spin_until(lambda: client.of('candidates', last), 'the newest')
    # Without depth there are pixels, and no poses.
    candidates = read_cloud(client.of('candidates', last)[0])
    assert candidates and np.isnan(candidates[0].z)
    client.spin_until(lambda: client.of('poses', last), 'poses')
    assert client.of('poses', last)[0].poses == []
    # Nothing is lost without a word.
    client.spin_until(
        lambda: (
            client.count('frames') + client.count('dropped.replaced')
            == client.count('received.image')
        ),
        'the sum',
    )


def failing_model(folder: Path, depth=False) -> Path:
    """Write a model that runs on black and fails on all else: it looks up what is not there."""

    def constant(name, values, kind):
        return helper.make_tensor(name, kind, np.shape(values), np.ravel(values))

    zeros = {'affordance': ('float32', TensorProto.FLOAT), 'labels': ('uint8', TensorProto.UINT8)}
    nodes = [
        helper.make_node('Cast', ['image'], ['wide'], to=TensorProto.INT32),
        helper.make_node('ReduceMax', ['wide'], ['index'], keepdims=0),
    ]
    outputs, tables = [], []
    for name, (dtype, kind) in zeros.items():
        tables.append(constant(f'{name}_table', np.zeros((1, 1, 48, 64), dtype), kind))
        nodes.append(helper.make_node('Gather', [f'{name}_table', 'index'], [name], axis=0))
        outputs.append(helper.make_tensor_value_info(name, kind, (1, 48, 64)))
    image = helper.make_tensor_value_info('image', TensorProto.UINT8, (1, 48, 64, 3))
    inputs = [image]
    if depth:
        inputs.append(helper.make_tensor_value_info('depth', TensorProto.FLOAT, (1, 48, 64)))
    graph = helper.make_graph(nodes, 'failing', inputs, outputs, tables)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 17)], ir_version=9)
    return tiny.write(folder, model, 'failing', depth=depth, size=[48, 64])


def test_a_failing_engine_deactivates_the_node_and_diagnostics_say_so(start, client, tmp_path):
    model = failing_model(tmp_path)
    process = start('-p', f'model:={model}', '-p', 'backend:=onnxruntime')
    black = np.zeros((48, 64, 3), np.uint8)
    client.meet(rgb=black)
    assert client.answer(NOW, rgb=black).width == 0
    client.send(NOW + SECOND, rgb=disc(48, 64))
    client.spin_until(lambda: client.level == DiagnosticStatus.ERROR, 'an error')
    assert 'failed' in client.text
    assert client.state() == 'unconfigured'
    assert process.said().count('trying once more') == 1
    assert client.of('candidates', NOW)[-1].width == 0
    assert client.change('configure')  # it can be tried again


def test_an_interrupted_node_says_that_there_is_nothing_to_pick(start, client):
    process = start(*FAKE)
    client.meet()
    assert client.answer(NOW).width > 0
    process.process.send_signal(signal.SIGINT)
    client.spin_until(lambda: len(client.of('candidates', NOW)) == 2, 'an end')
    assert client.of('candidates', NOW)[1].width == 0
    assert process.ended() == 0


def test_of_a_node_that_does_not_end_it_is_said_where_it_is(start):
    """What these tests need: a hang that nobody can explain has been seen once."""
    process = start(*FAKE)
    process.wait_for('active:')
    with pytest.raises(AssertionError, match=r'(?s)does not end.*node/process.py.*in _spin'):
        process.ended(seconds=0.5)


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_clean_exit_leaves_nothing_behind(start, number):
    # What is there before it, killed nodes have left; they leave even what all domains share.
    before = set(os.listdir('/dev/shm'))
    process = start(*FAKE, environment={'ROS_DOMAIN_ID': str(1 + (os.getpid() + 50) % 100)})
    process.wait_for('active:')
    maps = Path(f'/proc/{process.process.pid}/maps').read_text()
    segments = set(re.findall(r'/dev/shm/(fast(?:rtps|dds)_\w+)', maps))
    assert segments
    assert 'libtorch' not in maps
    process.process.send_signal(number)  # ros2 launch sends it twice
    assert process.stop(number) == 0, process.said()
    there = set(os.listdir('/dev/shm')) - before
    assert [name for name in there if any(segment in name for segment in segments)] == []


@pytest.mark.parametrize(
    ('words', 'said'),
    [
        (('-p', 'model:=nowhere'), "no model 'nowhere'"),
        (('-p', 'model:=fake', '-p', 'backend:=openvino'), 'fake goes with fake only'),
        ((*FAKE, '-p', 'min_score:=2.0'), 'min_score'),
        ((*FAKE, '-p', 'workspace:=[1.0, 2.0]'), 'workspace'),
    ],
)
def test_a_node_that_cannot_start_says_why_and_fails(start, words, said):
    process = start(*words)
    assert process.ended() not in (0, None)
    assert said in process.said()
    assert 'Traceback' not in process.said()


def test_a_model_that_takes_depth_is_refused_without(start, tmp_path):
    model = failing_model(tmp_path, depth=True)
    words = ('-p', f'model:={model}', '-p', 'backend:=onnxruntime', '-p', 'depth:=off')
    process = start(*words)
    assert process.ended() == 1
    assert 'model failing takes depth and parameter depth is false' in process.said()


def test_promise_18_stamps_that_never_meet_are_explained(start, client):
    process = start(*FAKE)
    client.heard()
    stamps = iter(range(NOW, NOW + 1000 * SECOND, SECOND))

    def apart():
        for _ in range(10):
            stamp = next(stamps)
            late = picture(np.ones((120, 160), np.uint16), '16UC1', stamp + SECOND // 2)
            client.send(stamp, depth=late)

    client.spin_until(lambda: 'their stamps are' in client.text, 'a warning', again=apart)
    assert 'tolerance is 0.02 s' in client.text
    # It can be mended while the node runs.
    assert client.set(tolerance=0.6) == (True, '')
    client.spin_until(lambda: client.received['candidates'], 'a frame', again=apart)
    assert process.process.poll() is None


def test_promise_12_silence_is_explained(start, client):
    process = start(*FAKE, '-r', 'image:=/other')
    process.wait_for('no image for 5 s on /other (publishers: 0)')
    process.wait_for('no depth for 5 s on /depth (publishers: 1, their QoS: reliable, volatile)')
