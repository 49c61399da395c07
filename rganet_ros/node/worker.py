"""The one thread that owns the engine: it takes the newest set of messages, and jobs."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
import threading
from typing import Any


class Worker:
    """
    A thread with a one-place slot, where the newest item replaces the one that waits.

    Jobs go before items and run while the slot is closed as well. Both run one at a time.
    """

    def __init__(self, handle: Callable[[Any], None]):
        """Start the thread; `handle` is called with each item and must not raise."""
        self._handle = handle
        self._changed = threading.Condition()
        self._jobs: deque[tuple[Callable, Future]] = deque()
        self._item: Any = None
        self._open = self._stopped = False
        self._thread = threading.Thread(target=self._run, name='worker')
        self._thread.start()

    def offer(self, item: Any) -> bool:
        """Put an item into the slot; returns whether one was lost: that there, or this."""
        with self._changed:
            lost = self._item is not None or not self._open
            if self._open:
                self._item = item
                self._changed.notify()
            return lost

    def open(self) -> None:
        """Take items from now on."""
        with self._changed:
            self._open = True

    def close(self) -> None:
        """Take no more items and forget the one that waits."""
        with self._changed:
            self._open, self._item = False, None

    def call(self, function: Callable, *arguments) -> Any:
        """Run a job in the thread, after the item in work; wait for its result or exception."""
        future: Future = Future()
        with self._changed:
            self._jobs.append((lambda: function(*arguments), future))
            self._changed.notify()
        return future.result()

    def stop(self) -> None:
        """End the thread, after the item in work."""
        with self._changed:
            self._stopped, self._item = True, None
            self._changed.notify()
        self._thread.join()

    def _has_work(self) -> bool:
        return bool(self._jobs) or self._item is not None or self._stopped

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(
                    lambda: self._jobs or self._stopped or self._item is not None
                )
                job = self._jobs.popleft() if self._jobs else None
                if job is None:
                    if self._stopped:
                        return
                    item, self._item = self._item, None
            if job is None:
                self._handle(item)
                item = None  # the pictures are free while the thread waits
                continue
            function, future = job
            try:
                future.set_result(function())
            except BaseException as error:  # it belongs to who asked
                future.set_exception(error)
