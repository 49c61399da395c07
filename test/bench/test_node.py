"""`rganet bench node`: the search on rates made up, and the whole with three real processes."""

import json
from pathlib import Path
import signal
import subprocess
import sys
import time

from hypothesis import example, given, settings
from hypothesis import strategies as some
from live import disc
import numpy as np
import pytest
from rganet_ros import record
from rganet_ros.bench import cell, node
from rganet_ros.cli import main
from rganet_ros.node.camera import sets_of
from rganet_ros.types import Camera, Frame

FAKE = ('bench', 'node', 'fake', '--backend', 'fake', '--repeats', '1', '--seconds', '1')


@given(limit=some.floats(0.1, 300), most=some.floats(0.5, 200))
@example(limit=0.52, most=0.525)
@settings(max_examples=200, deadline=None)
def test_the_peak_is_found_from_below(limit, most):
    tried = []

    def holds(hz):
        tried.append(hz)
        return hz <= limit

    peak = node.find_peak(holds, most)
    assert max(tried) <= most
    if limit < node.LEAST:
        assert peak == 0
    else:
        assert peak <= limit and min(limit, most) / peak <= node.STEP
        assert peak in tried
    assert len(tried) < 20


def trial(hz, sent=100, answered=100, sent_hz=None, **changes):
    return cell.Trial(
        hz=hz, sent_hz=sent_hz or hz, sent=sent, latencies=[50.0] * answered, candidates=answered,
        dropped={}, busy=0.5, span=1.0, rss_mb=100.0, shared_mb=10.0,
    )._replace(**changes)  # fmt: skip


@pytest.mark.parametrize(
    ('found', 'held'),
    [
        (trial(10, 20, 19), True),
        (trial(10, 20, 18), False),
        (trial(100, 100, 100, sent_hz=96), True),
        (trial(100, 100, 100, sent_hz=90), False),  # the camera's peak, not the node's
    ],
)
def test_a_rate_holds_where_what_was_asked_for_was_sent_and_at_most_5_percent_lost(found, held):
    assert node._held(found) is held


def test_what_was_left_out_is_said_with_its_reason():
    args = type('Args', (), {'hz': [10.0, 30.0, 60.0], 'most': 120.0})
    said = ' '.join(node.sentences(27.4, args, [trial(5), trial(80, sent_hz=50)]))
    assert 'is 27.4 Hz' in said and 'above the peak: 30, 60 Hz' in said
    assert 'From 80.0 Hz on the camera could not keep its rate' in said
    assert 'see --most' in node.sentences(120.0, args, [trial(120)])[0]
    assert 'nothing was measured' in node.sentences(0, args, [])[0]


def test_trials_at_a_rate_are_summed_up():
    first = trial(10, 4, 4, latencies=[10.0, 20.0, 10.0, 20.0], dropped={'replaced': 1}, busy=0.4)
    second = trial(10, 4, 2, latencies=[30.0, 30.0], dropped={'replaced': 1, 'on_the_way': 1})
    row = node._row(10, [first, second])
    assert (row['sent'], row['answered'], row['loss']) == (8, 6, 0.25)
    assert row['latency_ms']['p50'] == 20 and row['jitter_ms'] == 5 and row['cpu_percent'] == 45
    assert row['cpu_ms_per_frame'] == 150
    assert row['dropped'] == {'replaced': 2, 'on_the_way': 1}


def test_every_set_that_was_sent_is_accounted_for():
    before = {'received.image': '10', 'frames': '8', 'dropped.replaced': '2'}
    after = {
        'received.image': '28', 'frames': '20', 'dropped.replaced': '5', 'dropped.late': '1',
    }  # fmt: skip
    found = cell._dropped(before, after, sent=20)
    assert found == {'replaced': 3, 'late': 1, 'waiting': 2, 'on_the_way': 2}
    assert 20 - 8 + sum(found.values()) == 20
    assert cell._dropped({}, {'received.image': '5', 'frames': '5'}, sent=5) == {}


def frames(count):
    for index in range(count):
        camera = Camera(150.0, 150.0, 80.0, 60.0, 160, 120)
        depth = np.full((120, 160), 0.5, np.float32)
        yield Frame(disc(), depth, camera, index * 10**8, 'camera')


def test_the_camera_has_whole_sets_of_a_bag_in_memory(tmp_path):
    record.write_frames(tmp_path / 'bag', frames(4))
    sets = sets_of(tmp_path / 'bag', most=3)
    assert [len(each) for each in sets] == [3, 3, 3]
    for each in sets:
        image, depth, _ = each  # a camera_info may be said once for all
        assert image.data[4:12] == depth.data[4:12]
        assert len({message.topic for message in each}) == 3
    assert len({each[0].data[4:12] for each in sets}) == 3


def test_three_processes_from_the_command_to_the_figures(tmp_path, capsys):
    out = tmp_path / 'found.json'
    words = ['--most', '5', '--hz', '5', '1000', '--out', str(out)]
    assert main([*FAKE, *words]) == 0
    said = json.loads(out.read_text())
    assert said['host']['cores'] >= 1 and said['node']['backend'] == 'fake' and said['depth']
    assert said['search'][0]['hz'] == 5 and 0.5 <= said['peak_hz'] <= 5
    assert any('above the peak' in each and '1000 Hz' in each for each in said['said'])
    assert said['rows'][-1]['hz'] == round(said['peak_hz'], 2)
    for row in said['rows']:
        assert row['sent'] == 20 and row['answered'] > 0
        # All is known of every set: an answer came, or there is a reason.
        assert row['answered'] + sum(row['dropped'].values()) == row['sent']
        latency = row['latency_ms']
        assert latency['p99'] >= latency['p95'] >= latency['p50'] > 0 and row['jitter_ms'] > 0
        assert row['cpu_percent'] > 0 and row['cpu_ms_per_frame'] > 0
        assert row['rss_mb'] > row['shared_mb'] > 0
        assert row['candidates_per_frame'] > 0
    shown = capsys.readouterr().out
    assert 'p99' in shown and said['said'][0] in shown and 'Dropped at' in shown


def test_what_cannot_be_measured_is_refused_in_a_sentence(tmp_path, capsys):
    for words, word in (
        (['--bag', str(tmp_path / 'nowhere')], 'nowhere'),
        (['--hz', '0'], '--hz 0'),
        (['--seconds', '0'], '--seconds 0'),
        (['--most', '-1'], '--most -1'),
    ):
        assert main([*FAKE, *words]) == 2
        assert word in capsys.readouterr().err
    assert main(['bench', 'node', 'nothing']) == 2
    assert "no model 'nothing'" in capsys.readouterr().err


def children(parent):
    """List the processes that another one started."""
    found = []
    for path in Path('/proc').glob('[0-9]*'):
        try:
            if int((path / 'stat').read_text().rpartition(')')[2].split()[1]) == parent:
                found.append(path)
        except OSError:  # it ended meanwhile
            pass
    return found


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_nothing_stays_behind_when_it_is_interrupted(number):
    command = [sys.executable, '-m', 'rganet_ros.cli', *FAKE]
    bench = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
        # Shells start what is in the background with SIGINT ignored, and so would this be then.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    with bench:
        try:
            end = time.monotonic() + 120
            while len(left := children(bench.pid)) < 3:  # the node, the listener, a camera
                assert bench.poll() is None and time.monotonic() < end
                time.sleep(0.1)
            bench.send_signal(number)
            said = bench.stdout.read()
            assert bench.wait() == 130 and 'interrupted' in said and 'Traceback' not in said
        finally:
            bench.kill()
    end = time.monotonic() + 30
    while any(path.exists() for path in left) and time.monotonic() < end:
        time.sleep(0.1)
    assert not any(path.exists() for path in left)
