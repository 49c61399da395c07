from collections import Counter
import threading

from diagnostic_msgs.msg import DiagnosticStatus
import pytest
from rganet_ros.node import diagnostics
from rganet_ros.node.diagnostics import Notices, Tally, WINDOW
from rganet_ros.node.pairing import Pairing


def test_times_are_percentiles_of_a_bounded_window():
    tally = Tally()
    for number in range(10 * WINDOW):
        tally.frame({'infer': float(number)}, 1)
    p50, p95, p99 = tally.times()['infer']
    last = range(9 * WINDOW, 10 * WINDOW)
    assert p50 == pytest.approx(sum(last) / WINDOW)
    assert last[0] < p50 < p95 < p99 <= last[-1]
    assert tally.frames == 10 * WINDOW


def test_rates_are_since_the_last_time(monkeypatch):
    clock = [100.0]
    monkeypatch.setattr(diagnostics.time, 'monotonic', lambda: clock[0])
    tally = Tally()
    tally.frame({}, 0)
    clock[0] += 2
    assert tally.rates(Counter(image=60, depth=0)) == {'image': 30, 'depth': 0, 'output': 0.5}
    clock[0] += 1
    assert tally.rates(Counter(image=61)) == {'image': 1, 'output': 0}


def test_counts_from_many_threads_add_up():
    tally = Tally()

    def work():
        for _ in range(1000):
            tally.drop('late')
            tally.frame({'infer': 1.0}, 1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tally.dropped['late'], tally.frames) == (4000, 4000)


def test_what_is_published_names_what_was_dropped_and_why():
    tally, pairing = Tally(), Pairing(True, 0.02)
    tally.drop('late')
    tally.drop('encoding', 2)
    pairing.unpaired = 3
    tally.frame({'infer': 2.0}, 3)
    values = diagnostics.values(tally, pairing)
    dropped = {key: values[key] for key in values if key.startswith('dropped.')}
    assert dropped == {'dropped.encoding': 2, 'dropped.late': 1, 'dropped.unpaired': 3}
    assert values['infer_ms.p99'] == 2.0
    stamp = diagnostics.DiagnosticArray().header.stamp
    array = diagnostics.message(stamp, '/perception', DiagnosticStatus.OK, 'active', values)
    said = {each.key: each.value for each in array.status[0].values}
    assert (said['frames'], said['infer_ms.p50']) == ('1', '2.00')


def test_notices_are_said_once_then_seldom_with_how_often(monkeypatch):
    clock, said = [100.0], []
    monkeypatch.setattr(diagnostics.time, 'monotonic', lambda: clock[0])
    notice = Notices(said.append)
    for _ in range(3):
        notice('late', 'a late frame')
    notice('size', 'no pixels')
    assert said == ['a late frame', 'no pixels']
    clock[0] += diagnostics.QUIET
    notice('late', 'a late frame')
    assert said[2] == 'a late frame (3 times since last said)'
