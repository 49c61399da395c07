"""`rganet demo`: player, node and recorder as processes, from the command to the pictures."""

import json
import shutil
import subprocess
import sys

import cv2
from live import disc
import numpy as np
import pytest
from rganet_ros import bag, models, record
from rganet_ros.types import Camera, Frame


def demo(*words):
    command = [sys.executable, '-m', 'rganet_ros.cli', 'demo', *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def frames(count):
    for index in range(count):
        rgb = np.roll(disc(), 10 * index, axis=1)
        depth = np.full(rgb.shape[:2], 0.5, np.float32)
        camera = Camera(150.0, 150.0, 80.0, 60.0, 160, 120)
        yield Frame(rgb, depth, camera, index * 200_000_000, 'camera')


def check(out, played):
    summary = json.loads((out / 'summary.json').read_text())
    said = {key: int(n) for key, n in summary['diagnostics'].items() if key.startswith('dropped.')}
    assert summary['frames'] + sum(said.values()) <= played
    assert summary['frames'] > played / 2  # how many more, depends on what else this machine does
    assert summary['candidates_per_frame'] > 0
    assert 0 < summary['latency_ms']['p50'] < 10_000
    assert cv2.imread(str(out / 'sheet.png')) is not None
    assert (out / 'overlay.gif').read_bytes().startswith(b'GIF')
    topics = bag.topics_of(out / 'bag')
    assert topics['/perception/candidates'] == 'sensor_msgs/msg/PointCloud2'
    assert topics['/diagnostics'] == 'diagnostic_msgs/msg/DiagnosticArray'
    assert len(list(bag.messages(out / 'bag', ['/perception/candidates']))) == summary['frames']
    return summary


def test_a_bag_then_pictures_of_many_sizes_into_the_same_folder(tmp_path):
    record.write_frames(tmp_path / 'bag', frames(5))
    out = tmp_path / 'out'
    out.mkdir()
    (out / 'mine.txt').write_text('not to be touched')
    fake = ('--out', out, '--model', 'fake', '--backend', 'fake')
    done = demo('--bag', tmp_path / 'bag', *fake)
    assert done.returncode == 0, done.stderr
    for word in ('frames out', 'dropped', 'latency', 'candidates', 'precision', 'fake'):
        assert word in done.stdout
    messages = check(out, 15)['messages']
    assert messages['poses'] == messages['best'] == messages['candidates']

    folder = tmp_path / 'pictures'
    folder.mkdir()
    for index, shape in enumerate([(120, 160), (300, 200), (480, 640)]):
        cv2.imwrite(str(folder / f'{index}.png'), disc(*shape))
    done = demo('--images', folder, *fake)
    assert done.returncode == 0, done.stderr
    assert 'best' not in check(out, 9)['messages']  # no depth, no poses
    assert (out / 'mine.txt').exists()


def test_what_cannot_work_is_said_in_a_sentence_with_a_status(tmp_path):
    record.write_frames(tmp_path / 'bag', frames(2))
    out = tmp_path / 'out'
    done = demo('--bag', tmp_path / 'nowhere', '--out', out)
    assert (done.returncode, 'nowhere' in done.stderr) == (2, True)
    done = demo('--bag', tmp_path / 'bag', '--out', out, '--model', 'nothing')
    assert done.returncode == 1
    assert "no model 'nothing'" in done.stderr
    shutil.rmtree(out)
    (out / 'bag').mkdir(parents=True)
    done = demo('--bag', tmp_path / 'bag', '--out', out, '--model', 'fake', '--backend', 'fake')
    assert (done.returncode, 'is no bag' in done.stderr) == (2, True)
    assert all('Traceback' not in text for text in (done.stderr, done.stdout))


@pytest.mark.slow
@pytest.mark.parametrize(
    'name', sorted(path.stem for path in models.share('models').glob('*-rgbd.onnx'))
)
def test_promise_22_the_shipped_model_finds_something_on_the_shipped_bag(name, tmp_path):
    words = () if name == models.RGBD else ('--model', name)  # that is the default
    done = demo('--out', tmp_path / 'out', *words)
    assert done.returncode == 0, done.stderr
    summary = json.loads((tmp_path / 'out' / 'summary.json').read_text())
    assert summary['diagnostics']['model'] == name
    assert summary['candidates_per_frame'] >= 1
    assert summary['frames'] >= 5  # a slow machine drops the others, and says so
