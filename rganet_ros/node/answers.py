"""Services that answer later, when another thread has done the work."""

from __future__ import annotations

from collections import deque

from rclpy.task import Future


class Answers:
    """Futures that a service awaits and any thread resolves; the executor is woken for it."""

    def __init__(self, node):
        """Use a guard condition of the node."""
        self._ready: deque[tuple[Future, tuple[bool, str]]] = deque()
        self._guard = node.create_guard_condition(self._on_ready)

    def resolve(self, future: Future, success: bool, message: str) -> None:
        """Give an answer, from any thread; the first one counts."""
        self._ready.append((future, (success, message)))
        self._guard.trigger()

    def _on_ready(self) -> None:
        while self._ready:
            future, answer = self._ready.popleft()
            if not future.done():
                future.set_result(answer)


async def answered(future: Future, response):
    """Await a future of Answers and fill a std_srvs/Trigger response."""
    response.success, response.message = await future
    return response
