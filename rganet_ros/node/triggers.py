"""Stop, look, pick: frames are processed when somebody asks for one."""

from __future__ import annotations

import threading

from rclpy.clock import Clock, ClockType
from rclpy.task import Future
from rganet_ros.node.answers import Answers


class Triggers:
    """
    Who waits for a frame, and which set is for them.

    In mode `stream` every set goes on, and who asks is told of the next; in `triggered` one set
    for each question, and another where that could not be used.
    """

    def __init__(self, node, answers: Answers):
        """Use the node's timers."""
        self._node, self._answers = node, answers
        self._lock = threading.Lock()
        self._waiting: list[Future] = []
        self._wanted = False  # whether a set is to come that nobody has seen yet
        self._trouble = ''

    def ask(self, seconds: float) -> Future:
        """Ask for the next frame, for so long."""
        future = Future()
        with self._lock:
            self._waiting.append(future)
            self._wanted, self._trouble = True, ''
        timer = self._node.create_timer(
            seconds,
            lambda: self._expire(future, seconds),
            clock=Clock(clock_type=ClockType.STEADY_TIME),
        )
        future.add_done_callback(lambda _: self._node.destroy_timer(timer))
        return future

    def admit(self, mode: str) -> tuple[Future, ...] | None:
        """Tell who waits for the set that came, perhaps nobody; None where it is not to go on."""
        with self._lock:
            wanted, self._wanted = self._wanted, False
            return tuple(self._waiting) if wanted or mode == 'stream' else None

    def done(self, askers: tuple[Future, ...], count: int) -> None:
        """Answer those who waited for a frame: it was published, with so many candidates."""
        text = f'{count} candidate{"s"[count == 1 :]}' if count else 'nothing to pick'
        self._answer(askers, True, text)

    def failed(self, sentence: str) -> None:
        """Take note that a frame could not be used; the next one is for who still waits."""
        with self._lock:
            self._wanted, self._trouble = bool(self._waiting), sentence

    def refuse(self, sentence: str) -> None:
        """Answer all who wait that there will be no frame."""
        self._answer(tuple(self._waiting), False, sentence)

    def _answer(self, askers: tuple[Future, ...], success: bool, text: str) -> None:
        with self._lock:
            self._waiting = [each for each in self._waiting if each not in askers]
        for future in askers:
            self._answers.resolve(future, success, text)

    def _expire(self, future: Future, seconds: float) -> None:
        trouble = self._trouble or 'no complete set of messages came, see /diagnostics'
        sentence = f'no frame within trigger_timeout, {seconds:g} s: {trouble}'
        self._answer((future,), False, sentence)
        with self._lock:
            self._wanted = self._wanted and bool(self._waiting)
