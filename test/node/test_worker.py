import threading

import pytest
from rganet_ros.node.worker import Worker


@pytest.fixture
def slow():
    """Start a worker that holds each item until it is told to go on."""
    go, begun, done = threading.Semaphore(0), threading.Semaphore(0), []

    def handle(item):
        begun.release()
        go.acquire()
        done.append(item)

    worker = Worker(handle)
    worker.go, worker.begun, worker.done = go, begun, done
    yield worker
    for _ in range(100):
        go.release()
    worker.stop()


def test_the_newest_item_wins(slow):
    slow.open()
    assert not slow.offer(1)
    slow.begun.acquire()
    assert not slow.offer(2)
    assert slow.offer(3)
    assert slow.offer(4)
    slow.go.release()
    slow.go.release()
    slow.begun.acquire()
    slow.call(lambda: None)
    assert slow.done == [1, 4]


def test_a_closed_slot_takes_nothing_and_forgets_what_waits(slow):
    assert slow.offer('before open')
    slow.open()
    slow.offer(1)
    slow.begun.acquire()
    slow.offer(2)
    slow.close()
    assert slow.offer(3)
    slow.go.release()
    # A job comes after the item in work: after it, nothing of before is still to come.
    slow.call(lambda: None)
    assert slow.done == [1]


def test_jobs_run_in_the_one_thread_and_give_back_results_and_errors(slow):
    assert slow.call(threading.current_thread).name == 'worker'
    assert slow.call(divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        slow.call(divmod, 1, 0)
    assert slow.call(lambda: 'still here') == 'still here'
