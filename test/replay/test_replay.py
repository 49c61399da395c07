"""The same pipeline over bags and folders, without ROS."""

import contextlib
import json
import os
import pty
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import cv2
import numpy as np
import pytest
from rganet_ros import bag, cameras, cli, decode, messages, record, transforms
from rganet_ros.messages import TYPES
from rganet_ros.types import Camera, Frame
from rosbags.rosbag2 import StoragePlugin, Writer
import tiny

FAKE = ['--model', 'fake', '--backend', 'fake']


def scene():
    rgb = np.zeros((480, 640, 3), np.uint8)
    rgb[200:280, 280:360] = 255
    return rgb


def run(*arguments):
    return cli.main(['replay', *map(str, arguments), *FAKE])


def frames(count, shift=0):
    """Make frames of a 10 Hz camera that stands still."""
    camera = Camera(600.0, 600.0, 319.5, 239.5, 640, 480)
    depth = np.full((480, 640), 0.6, np.float32)
    rgb = np.roll(scene(), shift, 1)
    return [Frame(rgb, depth, camera, k * 100_000_000, 'eye') for k in range(1, 1 + count)]


def recorded(path, every, storage, prefix='', topics=None):
    """Write frames with rosbags itself, uncompressed."""
    types, connections = TYPES, {}
    with Writer(path, version=8, storage_plugin=StoragePlugin[storage.upper()]) as writer:
        for frame in every:
            for topic, message in record.of_frame(frame):
                topic, kind = prefix + topic, message.__msgtype__
                if topic not in connections:
                    connections[topic] = writer.add_connection(topic, kind, typestore=types)
                writer.write(connections[topic], frame.stamp, types.serialize_cdr(message, kind))
    return path


@pytest.fixture
def recording(tmp_path):
    record.write_frames(tmp_path / 'recording', frames(3))
    return tmp_path / 'recording'


def test_a_bag_gives_every_frame_with_poses(recording, tmp_path):
    assert run(recording, '--out', tmp_path / 'out') == 0
    found = json.loads((tmp_path / 'out' / 'report.json').read_text())
    assert (found['frames'], found['not_used']) == (3, [])
    for row, stamp in zip(found['per_frame'], (1, 2, 3)):
        assert row['stamp'] == stamp * 100_000_000
        assert row['candidates'][0]['z'] == pytest.approx(0.6, abs=1e-3)
    assert len(list((tmp_path / 'out' / 'pictures').glob('*.png'))) == 3
    assert cv2.imread(str(tmp_path / 'out' / 'sheet.png')) is not None


def test_promise_25_it_says_the_same_each_time(recording, tmp_path):
    found = []
    for name in ('one', 'two'):
        assert run(recording, '--out', tmp_path / name) == 0
        times = {'report.html', 'timings.json'}
        files = [path for path in (tmp_path / name).rglob('*') if path.is_file()]
        found.append({str(path.relative_to(tmp_path / name)): path.read_bytes()
                      for path in files if path.name not in times})  # fmt: skip
    assert {'report.json', 'outputs/outputs.mcap', 'sheet.png'} <= set(found[0])
    assert found[0] == found[1]


def test_a_terminal_sees_how_far_it_is(recording, tmp_path):
    here, there = pty.openpty()
    words = map(str, ('replay', recording, '--out', tmp_path / 'out', *FAKE))
    process = subprocess.Popen(
        [sys.executable, '-m', 'rganet_ros.cli', *words],
        stdout=there,
        stderr=there,
        env=os.environ | {'TERM': 'xterm'},
    )
    os.close(there)
    shown = b''
    with contextlib.suppress(OSError):  # Linux says so where the other end is closed
        while part := os.read(here, 4096):
            shown += part
    os.close(here)
    assert process.wait() == 0
    assert re.search(rb'recording.*100%', shown)


def test_a_bad_picture_is_named_and_the_rest_goes_on(tmp_path, capsys):
    folder = tmp_path / 'in'
    folder.mkdir()
    for name in ('a.png', 'c.png'):
        cv2.imwrite(str(folder / name), scene())
    (folder / 'b.png').write_bytes(b'no picture')
    assert run(folder, '--out', tmp_path / 'out') == 1
    found = json.loads((tmp_path / 'out' / 'report.json').read_text())
    assert found['frames'] == 2
    assert 'b.png is not a readable picture' in found['not_used'][0]
    first = found['per_frame'][0]['candidates'][0]
    assert first['x'] is None and first['score'] == 1


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
def test_a_truncated_bag_is_read_to_its_last_good_message(tmp_path, storage, capsys):
    path = recorded(tmp_path / 'cut', frames(9), storage)
    (file,) = (each for each in path.iterdir() if each.suffix != '.yaml')
    file.write_bytes(file.read_bytes()[: file.stat().st_size * 2 // 3])
    assert run(path, '--out', tmp_path / 'out') == 3
    found = json.loads((tmp_path / 'out' / 'report.json').read_text())
    assert 5 <= found['frames'] <= 6
    assert 'cut is cut off or damaged' in found['cut_off'][0]
    assert 'last good message' in ' '.join(capsys.readouterr().out.split())


def test_what_has_one_name_is_told_apart(tmp_path):
    """Bags of one name, and pictures that differ by suffix alone: each has its own picture."""
    for day, shift in (('mon', 0), ('tue', 100)):
        record.write_frames(tmp_path / day / 'run', frames(1, shift))
    (tmp_path / 'in').mkdir()
    for name, shift in (('a.png', 0), ('a.bmp', 100)):
        cv2.imwrite(str(tmp_path / 'in' / name), np.roll(scene(), shift, 1))
    inputs = [tmp_path / name for name in ('mon/run', 'tue/run', 'in')]
    assert run(*inputs, '--out', tmp_path / 'out') == 0
    found = json.loads((tmp_path / 'out' / 'report.json').read_text())
    names = [row['name'] for row in found['per_frame']]
    assert names == ['run/000000', 'run-2/000000', 'in/a.bmp', 'in/a.png']
    drawn = {path.name: path.read_bytes() for path in (tmp_path / 'out' / 'pictures').iterdir()}
    assert {*drawn} == {'run_000000.png', 'run-2_000000.png', 'in_a.png', 'in_a-2.png'}
    assert len({*drawn.values()}) == 4  # as the scenes: with depth and without, moved and not


def test_what_is_not_there_is_refused_before_anything_is_written(tmp_path, capsys):
    assert run(tmp_path / 'nonesuch', '--out', tmp_path / 'out') == 2
    assert 'nonesuch' in capsys.readouterr().err
    assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize('limit', [0, -1])
def test_a_limit_that_leaves_nothing_is_refused(limit, recording, tmp_path, capsys):
    assert run(recording, '--out', tmp_path / 'out', f'--limit={limit}') == 2
    assert f'--limit {limit} must be 1 or more' in capsys.readouterr().err
    assert not (tmp_path / 'out').exists()


def test_options_from_yaml(recording, tmp_path):
    (tmp_path / 'plain.yaml').write_text('workspace: [-1, -1, 0.7, 1, 1, 2]\n')
    assert run(recording, '--out', tmp_path / 'out', '--params', tmp_path / 'plain.yaml') == 0
    found = json.loads((tmp_path / 'out' / 'report.json').read_text())
    assert found['frames_with_nothing_to_pick'] == 3


def test_depth_is_left_alone_where_the_nodes_file_says_so(recording, tmp_path):
    (tmp_path / 'node.yaml').write_text('/**:\n  ros__parameters:\n    depth: false\n')
    assert run(recording, '--out', tmp_path / 'out', '--params', tmp_path / 'node.yaml') == 0
    found = json.loads((tmp_path / 'out' / 'report.json').read_text())
    assert all(each['z'] is None for frame in found['per_frame'] for each in frame['candidates'])
    assert found['candidates_per_frame'] > 0


def test_depth_is_late_by_as_much_as_the_file_allows(tmp_path):
    """It is taken 30 ms after colour."""
    with record.Writer(tmp_path / 'late') as writer:
        for topic, message in record.of_frame(frames(1)[0]):
            message.header.stamp.nanosec += 30_000_000 * (topic == cameras.DEPTH_TOPIC)
            kind = message.__msgtype__
            writer.write(topic, kind, 1, TYPES.serialize_cdr(message, kind))
    (tmp_path / 'node.yaml').write_text('/**:\n  ros__parameters:\n    tolerance: 0.05\n')
    for words, has_depth in (([], False), (['--params', tmp_path / 'node.yaml'], True)):
        assert run(tmp_path / 'late', '--out', tmp_path / 'out', *words) == 0
        found = json.loads((tmp_path / 'out' / 'report.json').read_text())
        assert (found['per_frame'][0]['candidates'][0]['z'] is not None) is has_depth


@pytest.mark.parametrize(
    ('text', 'words'),
    [('limits: 3', 'unknown option limits'), ('limit: 0', 'limit = 0'), ('- 3', 'name: value')],
)
def test_options_that_cannot_be(recording, tmp_path, text, words, capsys):
    (tmp_path / 'wrong.yaml').write_text(text)
    assert run(recording, '--out', tmp_path / 'out', '--params', tmp_path / 'wrong.yaml') == 2
    assert words in capsys.readouterr().err


def test_a_refused_model_leaves_an_earlier_report_alone(recording, tmp_path, capsys):
    assert run(recording, '--out', tmp_path / 'out') == 0
    before = (tmp_path / 'out' / 'report.json').read_bytes()
    arguments = ['replay', str(recording), '--out', str(tmp_path / 'out'), '--model', 'nonesuch']
    assert cli.main(arguments) == 2
    assert 'nonesuch' in capsys.readouterr().err
    assert (tmp_path / 'out' / 'report.json').read_bytes() == before


def test_the_command_line_overrules_the_file(recording, tmp_path):
    (tmp_path / 'plain.yaml').write_text('backend: openvino\nmodel: nonesuch\n')
    assert run(recording, '--out', tmp_path / 'out', '--params', tmp_path / 'plain.yaml') == 0


def test_labels_give_scores(recording, tmp_path):
    """The first frame's label is what fake says, the second's the opposite, the third has none."""
    bright = np.full((480, 640), 0, np.uint8)
    bright[200:280, 280:360] = 128
    labels = tmp_path / 'labels'
    (labels / 'recording').mkdir(parents=True)
    cv2.imwrite(str(labels / 'recording' / '000000.png'), bright)
    cv2.imwrite(str(labels / '200000000.png'), 128 - bright)
    assert run(recording, '--out', tmp_path / 'out', '--labels', labels) == 0
    found = json.loads((tmp_path / 'out' / 'report.json').read_text())
    first, second, third = found['per_frame']
    assert first['iou'] > 0.85 and first['best_holds'] is True
    assert second['iou'] < 0.02 and second['best_holds'] is False
    assert 'iou' not in third
    assert found['labels'] == {'folder': str(labels), 'unlabelled': 'ignore', 'used': 2}
    scores = found['scores']['fake']
    assert (scores['labelled_frames'], scores['best_holds']) == (2, 0.5)
    assert first['mgrid'] > 0.8 and second['mgrid'] < 0.1 and scores['top_1'] == 0.5


@pytest.mark.parametrize(
    ('label', 'said'),
    [
        (np.zeros((24, 32), np.uint8), '000001.png is not of the size'),
        (np.full((480, 640), 7, np.uint8), '000001.png holds 7: labels'),
    ],
)
def test_a_label_that_is_none_is_named(label, said, recording, tmp_path):
    cv2.imwrite(str(tmp_path / '000001.png'), label)
    assert run(recording, '--out', tmp_path / 'out', '--labels', tmp_path) == 1
    found = json.loads((tmp_path / 'out' / 'report.json').read_text())
    assert found['frames'] == 2 and said in found['not_used'][0]


def test_models_are_compared_on_the_same_frames(recording, tmp_path):
    mine = tiny.write(tmp_path, name='mine')
    (tmp_path / 'other').mkdir()
    other = tiny.write(tmp_path / 'other', tiny.graph(size=(12, 16)), 'mine', size=[12, 16])
    assert run(recording, '--out', tmp_path / 'out', '--compare', mine, other) == 0
    found = json.loads((tmp_path / 'out' / 'report.json').read_text())
    labels = list(found['models'])
    assert labels[:2] == ['fake', 'mine'] and re.fullmatch('mine-[0-9a-f]{8}', labels[2])
    assert found['frames'] == 3
    assert {name: each['frames'] for name, each in found['scores'].items()} == dict.fromkeys(
        labels, 3
    )
    assert len(list((tmp_path / 'out' / 'pictures').glob('*--mine.png'))) == 3
    timings = json.loads((tmp_path / 'out' / 'timings.json').read_text())
    assert timings['ms']['mine']['infer']['p50'] > 0 and len(timings['per_frame']) == 9


def test_several_cameras_each_have_a_memory_of_their_own(tmp_path):
    """Tiny's affordance grows with each frame that it remembers; alone or not, it is the same."""
    model = ['--model', str(tiny.write(tmp_path)), '--backend', 'onnxruntime']
    left, right = frames(4), frames(3, shift=100)
    path, connections = tmp_path / 'both', {}
    with Writer(path, version=8, storage_plugin=StoragePlugin.MCAP) as writer:
        for side, every in (('/left', left), ('/right', right)):
            for frame in every:
                for topic, message in record.of_frame(frame):
                    topic, kind = side + topic, message.__msgtype__
                    if topic not in connections:
                        connections[topic] = writer.add_connection(topic, kind, typestore=TYPES)
                    data = TYPES.serialize_cdr(message, kind)
                    writer.write(connections[topic], frame.stamp, data)
    assert cli.main(['replay', str(path), '--out', str(tmp_path / 'out'), *model]) == 0
    rows = json.loads((tmp_path / 'out' / 'report.json').read_text())['per_frame']
    stamps = [row['stamp'] for row in rows]
    assert len(rows) == 7 and stamps == sorted(stamps)
    alone = recorded(tmp_path / 'alone', right, 'mcap', '/right')
    assert cli.main(['replay', str(alone), '--out', str(tmp_path / 'one'), *model]) == 0
    expected = json.loads((tmp_path / 'one' / 'report.json').read_text())['per_frame']
    mine = [row for row in rows if '/right_' in row['name']]
    assert [row['candidates'] for row in mine] == [row['candidates'] for row in expected]
    topics = bag.topics_of(tmp_path / 'out' / 'outputs')
    assert '/right_camera_color_image_raw/perception/candidates' in topics
    assert '/left_camera_color_image_raw/perception/candidates' in topics


def test_promise_28_the_outputs_have_the_inputs_stamps_and_are_no_cameras(recording, tmp_path):
    assert run(recording, '--out', tmp_path / 'out') == 0
    made = tmp_path / 'out' / 'outputs'
    stamps = {}
    for message in bag.messages(made):
        found = bag.deserialize(message)
        header = found.header if hasattr(found, 'header') else found.markers[0].header
        assert header.frame_id == 'eye' and decode.stamp(header) == message.time
        stamps.setdefault(message.topic, []).append(message.time)
    names = ('affordance', 'labels', 'overlay', 'candidates', 'poses', 'best', 'markers')
    assert stamps == {f'/perception/{name}': [k * 10**8 for k in (1, 2, 3)] for name in names}
    with pytest.raises(ValueError, match='no colour pictures'):
        bag.find_cameras(made)


def test_the_cloud_is_written_where_it_is_asked_for(recording, tmp_path):
    assert run(recording, '--out', tmp_path / 'out', '--cloud', '--limit', 1) == 0
    (cloud,) = bag.messages(tmp_path / 'out' / 'outputs', ['/perception/cloud'])
    assert bag.deserialize(cloud).width == 480 * 640


def test_views_are_drawn_where_they_are_asked_for(recording, tmp_path):
    assert run(recording, '--out', tmp_path / 'out', '--views', '--limit', '1') == 0
    (path,) = (tmp_path / 'out' / 'views').iterdir()
    assert path.name == 'recording_000000.png' and cv2.imread(str(path)).shape == (960, 1280, 3)


def test_no_candidates_where_the_tote_is_empty_or_masked(recording, tmp_path):
    depth = np.full((480, 640), 600, np.uint16)
    cv2.imwrite(str(tmp_path / 'same.png'), depth)
    cv2.imwrite(str(tmp_path / 'lower.png'), depth + 100)
    left = np.zeros((240, 320), np.uint8)
    left[:, :100] = 255
    cv2.imwrite(str(tmp_path / 'left.png'), left)
    (tmp_path / 'node.yaml').write_text(
        f'/**:\n  ros__parameters:\n    background_depth: {tmp_path}/lower.png\n'
        '    background_change: 0.2\n'
    )
    for words, nothing in (
        (['--background', tmp_path / 'same.png'], 3),
        (['--background', tmp_path / 'lower.png'], 0),
        (['--params', tmp_path / 'node.yaml'], 3),
        (['--params', tmp_path / 'node.yaml', '--background', ''], 0),
        (['--mask', tmp_path / 'left.png'], 3),
    ):
        assert run(recording, '--out', tmp_path / 'out', *words) == 0, words
        found = json.loads((tmp_path / 'out' / 'report.json').read_text())
        assert found['frames_with_nothing_to_pick'] == nothing, words
    assert found['region_options']['mask'] == str(tmp_path / 'left.png')


def test_raw_pictures_are_rectified(tmp_path):
    path, connections = tmp_path / 'raw', {}
    with Writer(path, version=8, storage_plugin=StoragePlugin.MCAP) as writer:
        for topic, message in record.of_frame(frames(1, shift=200)[0]):
            kind = message.__msgtype__
            if kind == cameras.CAMERA_INFO:
                message.d = np.array([-0.3, 0, 0, 0, 0])
            connections[topic] = writer.add_connection(topic, kind, typestore=TYPES)
            writer.write(connections[topic], 1, TYPES.serialize_cdr(message, kind))
    (tmp_path / 'node.yaml').write_text('/**:\n  ros__parameters:\n    rectify: true\n')
    columns = []
    for words in ([], ['--rectify'], ['--params', tmp_path / 'node.yaml']):
        assert run(path, '--out', tmp_path / 'out', *words) == 0
        found = json.loads((tmp_path / 'out' / 'report.json').read_text())
        columns.append(found['per_frame'][0]['candidates'][0]['u'])
        assert found['lens_options']['rectify'] is bool(words)
    # 200 of 600 pixels from the middle: x - 0.3 x^3 = 1 / 3 has x = 0.346.
    assert columns[1] - columns[0] == pytest.approx(7.5, abs=4) and columns[1] == columns[2]


def test_depth_in_a_frame_of_its_own_is_seen_from_colours(tmp_path, capsys):
    """The depth camera stands a tenth of a metre before colour's, both on one plate."""
    path, connections, (frame,) = tmp_path / 'raw', {}, frames(1)
    info = dict(record.of_frame(frame))[cameras.INFO_TOPIC]
    depth = np.full((240, 320), 500, np.uint16)
    its = Camera(300.0, 300.0, 159.5, 119.5, 320, 240)
    head = messages.header(frame.stamp, 'depth_eye')
    transform, kind = TYPES.types['geometry_msgs/msg/Transform'], transforms.FIXED_KIND
    links = [
        TYPES.types['geometry_msgs/msg/TransformStamped'](
            messages.header(0, 'plate'), name,
            transform(messages.SCALE(0.0, 0.0, z), messages.TURN(0.0, 0.0, 0.0, 1.0)),
        )
        for name, z in (('eye', 0.2), ('depth_eye', 0.3))
    ]  # fmt: skip
    sent = {
        '/camera/color/image_raw': messages.picture(info.header, frame.rgb, 'rgb8'),
        '/camera/color/camera_info': info,
        '/camera/depth/image_raw': messages.picture(head, depth, '16UC1'),
        '/camera/depth/camera_info': messages.camera_info(head, its),
        transforms.FIXED_TOPIC: TYPES.types[kind](links),  # in a bag it may come last
    }

    def write(path, names):
        with Writer(path, version=8, storage_plugin=StoragePlugin.MCAP) as writer:
            for topic in names:
                kind = sent[topic].__msgtype__
                connections[topic] = writer.add_connection(topic, kind, typestore=TYPES)
                writer.write(connections[topic], 1, TYPES.serialize_cdr(sent[topic], kind))

    write(path, sent)
    assert run(path, '--out', tmp_path / 'out') == 1
    assert 'set register_depth to true' in capsys.readouterr().out.replace('\n', ' ')
    assert run(path, '--out', tmp_path / 'out', '--register-depth') == 0
    found = json.loads((tmp_path / 'out' / 'report.json').read_text())
    assert found['lens_options'] == {'rectify': False, 'register_depth': True}
    places = [each['z'] for each in found['per_frame'][0]['candidates']]
    assert places and places == pytest.approx([0.6] * len(places), abs=2e-3)
    write(tmp_path / 'alone', list(sent)[:-1])
    assert run(tmp_path / 'alone', '--out', tmp_path / 'out', '--register-depth') == 1
    said = ' '.join(capsys.readouterr().out.split())
    assert "no transform from 'depth_eye' to 'eye' in /tf_static" in said


def test_a_region_that_cannot_be_is_refused_and_frames_that_do_not_fit_it_are_named(
    recording, tmp_path, capsys
):
    (tmp_path / 'no.png').write_bytes(b'no picture')
    assert run(recording, '--out', tmp_path / 'out', '--mask', tmp_path / 'no.png') == 2
    assert 'must be a PNG of one channel and 8 bits' in capsys.readouterr().err
    cv2.imwrite(str(tmp_path / 'small.png'), np.full((24, 32), 600, np.uint16))
    words = ['--background', tmp_path / 'small.png']
    assert run(recording, '--out', tmp_path / 'out', *words) == 1
    found = json.loads((tmp_path / 'out' / 'report.json').read_text())
    assert found['frames'] == 0 and 'background_depth has 32 x 24' in found['not_used'][0]


def test_the_page_is_one_file_with_pictures_and_a_timeline(recording, tmp_path):
    strange = tmp_path / 'a <b> & "c"'
    recording.rename(strange)
    assert run(strange, '--out', tmp_path / 'out') == 0
    root = ElementTree.fromstring(
        re.sub('<!doctype html>|<meta[^>]*>|<img [^>]*>', '', page := (
            tmp_path / 'out' / 'report.html').read_text().replace('&nbsp;', ' '))
    )  # fmt: skip
    links = {each.get('href') for each in root.iter('a')}
    figures = {f'#{each.get("id")}' for each in root.iter('figure')}
    assert links == figures == {'#f0', '#f1', '#f2'}
    assert page.count('data:image/jpeg;base64,') == 3
    assert 'http' not in page and '<script' not in page and 'src="/' not in page


def test_promise_20_compressed_pictures(tmp_path):
    kinds, connections = TYPES.types, {}
    path = tmp_path / 'packed'
    with Writer(path, version=8, storage_plugin=StoragePlugin.MCAP) as writer:
        for frame in frames(2):
            for topic, message in record.of_frame(frame):
                if message.__msgtype__ == cameras.IMAGE and message.encoding == 'rgb8':
                    data = cv2.imencode('.png', frame.rgb[..., ::-1])[1].ravel()
                    name, topic = cameras.COMPRESSED, f'{topic}/compressed'
                    message = kinds[name](message.header, 'rgb8; png compressed bgr8', data)
                kind = message.__msgtype__
                if topic not in connections:
                    connections[topic] = writer.add_connection(topic, kind, typestore=TYPES)
                data = TYPES.serialize_cdr(message, kind)
                writer.write(connections[topic], frame.stamp, data)
    found = list(bag.frames(path))
    assert np.array_equal(found[0].rgb, scene()) and found[0].depth is not None
    assert run(path, '--out', tmp_path / 'out') == 0
    assert json.loads((tmp_path / 'out' / 'report.json').read_text())['frames'] == 2
