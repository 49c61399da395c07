"""A running system is looked at from outside: by a process, while others play and perceive."""

import os
import subprocess
import sys
import time

from live import disc, FAKE, LONG
import numpy as np
import pytest
from rganet_ros import record
from rganet_ros.cameras import CAMERA_INFO, COLOUR_TOPIC, DEPTH_TOPIC, IMAGE, INFO_TOPIC
from rganet_ros.node import advice
from rganet_ros.node.advice import Node, Topic
from rganet_ros.types import Camera, Frame

CAMERA = Camera(150.0, 150.0, 79.5, 59.5, 160, 120)
FRAME = Frame(disc(), np.full((120, 160), 0.5, np.float32), CAMERA, 10**9, 'eye')
REMAPPED = ('-r', f'image:={COLOUR_TOPIC}', '-r', f'depth:={DEPTH_TOPIC}',
            '-r', f'camera_info:={INFO_TOPIC}')  # fmt: skip


def doctor(seconds=4.0, **environment):
    command = [sys.executable, '-m', 'rganet_ros.cli', 'doctor', '--topics']
    done = subprocess.run(
        [*command, '--seconds', str(seconds)], capture_output=True, text=True, timeout=3 * LONG,
        env=os.environ | environment,
    )  # fmt: skip
    assert 'Traceback' not in done.stderr, done.stderr
    return done


@pytest.fixture
def play(tmp_path):
    """Play ten seconds of a camera at 10 Hz, again and again."""
    frames = (Frame(FRAME.rgb, FRAME.depth, CAMERA, i * 100_000_000, 'eye') for i in range(1, 101))
    record.write_frames(tmp_path / 'bag', frames)
    started = []

    def start(*words):
        command = [sys.executable, '-m', 'rganet_ros.node.player', str(tmp_path / 'bag')]
        started.append(subprocess.Popen([*command, '--loop', '100', '--timeout', '100', *words]))

    yield start
    for process in started:
        process.terminate()
        process.wait(LONG)


def test_nobody_is_here():
    # No test is given this domain.
    done = doctor(0.5, ROS_DOMAIN_ID='101')
    assert done.returncode == 1
    assert 'Nobody else is here: is ROS_DOMAIN_ID (101) the same there' in done.stdout


@pytest.mark.parametrize('words', [(), ('-p', 'depth:=false')], ids=['depth', 'colour alone'])
def test_a_camera_and_a_node_that_are_well(play, start, words):
    node = start(*FAKE, *REMAPPED, *words)
    play('--restamp')
    node.wait_for('active:')
    time.sleep(3)  # the player sees who listens, and plays
    done = doctor()
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith('All is well.\n')
    said = {line.split(':')[0]: line for line in done.stdout.splitlines() if line}
    assert "rgb8 160 x 120, in frame 'eye'" in said[COLOUR_TOPIC]
    assert '16UC1 160 x 120' in said[DEPTH_TOPIC]
    assert 'reliable, volatile' in said[INFO_TOPIC]
    rate = float(said[COLOUR_TOPIC].partition(' Hz')[0].rpartition(' ')[2])
    assert 5 < rate < 15
    assert said['/perception'].startswith('/perception: active;')


def test_an_old_bag_and_a_node_that_listens_elsewhere(play, start):
    node = start(*FAKE)
    play()
    node.wait_for('active:')
    done = doctor()
    assert done.returncode == 1
    remapped = f'image:={COLOUR_TOPIC} depth:={DEPTH_TOPIC} camera_info:={INFO_TOPIC}'
    for words in (
        'clocks of two machines differ',
        f'/perception listens to /camera_info, /depth, /image, which nobody publishes: start it '
        f'with {remapped}',
    ):
        assert words in done.stdout, done.stdout


def test_a_node_that_is_not_configured_and_no_camera(start):
    node = start(*FAKE, '-p', 'autostart:=false')
    done = doctor(2.0)
    for _ in range(5):  # it says no word when it is there
        if '/perception:' not in done.stdout:
            done = doctor(2.0)
    assert done.returncode == 1
    assert '/perception: unconfigured' in done.stdout, node.said()
    assert 'ros2 lifecycle set /perception configure' in done.stdout
    assert 'Nobody publishes pictures' in done.stdout


# What is said of what was heard, without anybody who publishes.

ALL = {COLOUR_TOPIC: IMAGE, DEPTH_TOPIC: IMAGE, INFO_TOPIC: CAMERA_INFO}
ACTIVE = Node('/perception', 'active', frozenset(ALL))


def heard(frame=FRAME, apart=0, age=0.01, **changed):
    """Make what would be heard of a camera in a second, and the order of it."""
    messages = dict(record.of_frame(frame))
    topics, order = {}, []
    for name, message in messages.items():
        shift = apart if name == DEPTH_TOPIC else 0
        stamps = [10**9 + i * 100_000_000 + shift for i in range(10)]
        topics[name] = Topic(ALL[name], ['reliable, volatile'], [i / 10 for i in range(10)],
                             stamps, [age] * 10, message)  # fmt: skip
        order += [(name, stamp) for stamp in stamps]
    for field, value in changed.items():
        setattr(topics[INFO_TOPIC].first, field, np.array(value, float))
    return topics, sorted(order, key=lambda each: each[1])


def said(topics, order, nodes=(ACTIVE,), others=2, sim_time=False):
    return ' '.join(advice.changes(topics, order, nodes, others, sim_time))


def test_nothing_is_said_of_what_is_well():
    assert said(*heard()) == ''


@pytest.mark.parametrize('nodes', [(), (ACTIVE,)])
@pytest.mark.parametrize(
    ('changes', 'words'),
    [
        ({'apart': 50_000_000}, '0 of 10 pictures have their depth'),
        ({'age': 3.0}, '3.0 s old: clocks of two machines differ'),
        ({'age': -3.0}, '3.0 s in the future'),
        ({'d': [0.1, 0, 0, 0, 0]}, 'has distortion, up to'),
        ({'k': [0] * 9, 'p': [0] * 12}, 'no calibration'),
    ],
)
def test_what_is_wrong_with_a_camera(changes, words, nodes):
    assert words in said(*heard(**changes), nodes)


def test_of_a_lens_that_nobody_knows_it_is_said_which():
    topics, order = heard(d=[0.9])
    topics[INFO_TOPIC].first.distortion_model = 'fov'
    text = said(topics, order)
    assert "model 'fov' with 1 coefficients, which is not known here" in text
    assert 'inf pixels' not in text


def test_depth_of_another_optical_frame():
    topics, order = heard()
    small = Frame(FRAME.rgb[::2, ::2], FRAME.depth[::2, ::2], None, 10**9, 'depth_eye')
    topics[DEPTH_TOPIC].first = dict(record.of_frame(small))[DEPTH_TOPIC]
    assert "depth is in frame 'depth_eye', colour in 'eye'" in said(topics, order)


def test_nothing_is_said_of_what_parameters_settle():
    def node(*listens, **parameters):
        return (Node('/perception', 'active', frozenset(listens), parameters),)

    topics, order = heard(d=[0.1, 0, 0, 0, 0])
    assert said(topics, order, node(*ALL, rectify=True)) == ''
    assert said(topics, order, node(COLOUR_TOPIC, depth=False)) == ''
    assert said(topics, order, node(COLOUR_TOPIC, INFO_TOPIC, depth=False, rectify=True)) == ''
    topics, order = heard()
    small = Frame(FRAME.rgb[::2, ::2], FRAME.depth[::2, ::2], None, 10**9, 'depth_eye')
    topics[DEPTH_TOPIC].first = dict(record.of_frame(small))[DEPTH_TOPIC]
    assert said(topics, order, node(*ALL, register_depth=True)) == ''


@pytest.mark.parametrize('space', ['', '/camera'])
@pytest.mark.parametrize('first', ['there', 'sent before'])
def test_a_mask_is_no_picture_of_a_camera(space, first):
    topics, order = heard()
    mask = topics[COLOUR_TOPIC].first if first == 'there' else None
    topics[f'{space}/workspace_mask'] = Topic(IMAGE, ['reliable, transient local'], first=mask)
    assert said(topics, order, (Node('/a', 'active', frozenset(topics)),)) == ''
    assert 'not clear' not in said(topics, order, ())


def test_no_depth_and_no_camera_info():
    topics, order = heard()
    colour = {COLOUR_TOPIC: topics[COLOUR_TOPIC]}
    text = said(colour, order, ())
    assert "has no depth: depth:=''" in text and 'no camera_info beside it' in text
    assert f"perception.launch.py image:={COLOUR_TOPIC} depth:=''" in text


def test_a_publisher_that_is_silent():
    topics, order = heard()
    topics['/other/image'] = Topic(IMAGE, ['best effort, volatile'])
    assert '/other/image has a publisher and nothing came' in said(topics, order)


def test_a_clock_of_its_own_and_pictures_that_are_too_old():
    text = said(
        *heard(age=30.0), (Node('/a', 'active', frozenset(ALL), {'max_age': 2.0}),), 2, True
    )
    assert 'set use_sim_time to true' in text and 'max_age drops them' in text


def test_a_tolerance_that_is_the_nodes():
    wide = Node('/perception', 'active', frozenset(ALL), {'tolerance': 0.06})
    assert said(*heard(apart=50_000_000), (wide,)) == ''


def test_nodes_that_do_not_answer_or_complain():
    text = said(
        *heard(),
        (
            Node('/a', '', frozenset(ALL)),
            Node('/b', 'active', frozenset(ALL), {}, 'it burns', False),
        ),
    )
    assert '/a does not answer' in text and '/b says: it burns.' in text


def test_two_cameras_that_cannot_be_told_apart():
    topics, order = heard()
    topics['/camera/other/depth'] = topics[DEPTH_TOPIC]
    topics['/camera/third/depth'] = topics[DEPTH_TOPIC]
    del topics[DEPTH_TOPIC]
    assert 'several depth topics go with' in said(topics, order, ())
