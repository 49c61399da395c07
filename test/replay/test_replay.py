"""The same pipeline over bags and folders, without ROS."""

import json

import cv2
import numpy as np
import pytest
from rganet_ros import bag, cli
from rganet_ros.replay import replay
from rganet_ros.types import Camera, Frame

FAKE = ['--model', 'fake', '--backend', 'fake']


def scene():
    rgb = np.zeros((480, 640, 3), np.uint8)
    rgb[200:280, 280:360] = 255
    return rgb


def run(*arguments):
    return cli.main(['replay', *map(str, arguments), *FAKE])


@pytest.fixture
def recording(tmp_path):
    camera = Camera(600.0, 600.0, 319.5, 239.5, 640, 480)
    depth = np.full((480, 640), 0.6, np.float32)
    frames = [Frame(scene(), depth, camera, k * 100_000_000, 'eye') for k in range(1, 4)]
    bag.write_frames(tmp_path / 'recording', frames)
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


def test_it_says_the_same_each_time(recording, tmp_path):
    found = []
    for name in ('one', 'two'):
        assert run(recording, '--out', tmp_path / name) == 0
        report = json.loads((tmp_path / name / 'report.json').read_text())
        for part in (report, *report['per_frame']):
            del part['ms']
        found.append(report)
    assert found[0] == found[1]


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


def test_a_truncated_bag_is_named(recording, tmp_path):
    (file,) = recording.glob('*.mcap')
    file.write_bytes(file.read_bytes()[:-100])
    assert run(recording, '--out', tmp_path / 'out') == 1
    found = json.loads((tmp_path / 'out' / 'report.json').read_text())
    assert 'recording cannot be read' in found['not_used'][0]


def test_what_is_not_there_is_refused_before_anything_is_written(tmp_path, capsys):
    assert run(tmp_path / 'nonesuch', '--out', tmp_path / 'out') == 2
    assert 'nonesuch' in capsys.readouterr().err
    assert not (tmp_path / 'out').exists()


def test_options_from_yaml(recording, tmp_path):
    (tmp_path / 'plain.yaml').write_text('workspace: [-1, -1, 0.7, 1, 1, 2]\n')
    assert run(recording, '--out', tmp_path / 'out', '--params', tmp_path / 'plain.yaml') == 0
    found = json.loads((tmp_path / 'out' / 'report.json').read_text())
    assert found['frames_with_nothing_to_pick'] == 3


def test_a_nodes_parameter_file_will_do(tmp_path):
    path = tmp_path / 'node.yaml'
    path.write_text('/**:\n  ros__parameters:\n    limit: 3\n    model: mine\n    max_age: 1.0\n')
    assert replay.read_params(path) == ({'model': 'mine'}, {'limit': 3})


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
