"""What the node says of itself: counts, rates, times; and sentences, not too often."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable
import threading
import time

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
import numpy as np
from rganet_ros.node.pairing import Pairing
from rganet_ros.predictor import Predictor

WINDOW = 300  # frames that percentiles are taken over
QUIET = 30.0  # seconds between two sentences of one kind


class Tally:
    """
    Counts and times, from any thread; bounded, however long the node runs.

    frames, dropped  what came out, and what did not, by reason
    candidates       of the last frame; None before the first
    empty            frames with nothing to pick
    """

    def __init__(self):
        self._lock = threading.Lock()
        self.frames = 0
        self.dropped: Counter[str] = Counter()
        self.candidates: int | None = None
        self.empty = 0
        self._times = defaultdict(lambda: deque(maxlen=WINDOW))
        self._before: tuple[float, Counter] = (time.monotonic(), Counter())

    def frame(self, times: dict[str, float], candidates: int) -> None:
        """Count a frame that was published, its candidates, and its times by name, in ms."""
        with self._lock:
            self.frames += 1
            self.candidates = candidates
            self.empty += not candidates
            for name, value in times.items():
                self._times[name].append(value)

    def drop(self, reason: str, count: int = 1) -> None:
        """Count what was not published."""
        with self._lock:
            self.dropped[reason] += count

    def rates(self, received: Counter[str]) -> dict[str, float]:
        """Hertz since the last call: of each input (messages so far), and of the output."""
        with self._lock:
            counts = Counter(received)
            counts['output'] = self.frames
        now, (then, before) = time.monotonic(), self._before
        self._before = (now, counts)
        return {
            name: (count - before[name]) / max(now - then, 1e-6) for name, count in counts.items()
        }

    def times(self) -> dict[str, tuple[float, float, float]]:
        """50th, 95th and 99th percentile of the last times by name, milliseconds."""
        with self._lock:
            last = {name: np.array(values) for name, values in self._times.items()}
        return {name: tuple(np.percentile(values, (50, 95, 99))) for name, values in last.items()}


def message(stamp, name: str, level: bytes, text: str, values: dict) -> DiagnosticArray:
    """Make a DiagnosticArray of one status."""
    status = DiagnosticStatus(level=level, name=name, message=text, hardware_id='')
    status.values = [KeyValue(key=key, value=_plain(value)) for key, value in values.items()]
    array = DiagnosticArray(status=[status])
    array.header.stamp = stamp
    return array


def values(tally: Tally, pairing: Pairing) -> dict[str, object]:
    """List what was counted: frames, Hz, received.*, dropped.*, <stage>_ms.p50 and so on."""
    found: dict[str, object] = {'frames': tally.frames, 'nothing_to_pick': tally.empty}
    if tally.candidates is not None:
        found['candidates'] = tally.candidates
    found |= {f'{name}_hz': rate for name, rate in tally.rates(pairing.received).items()}
    found |= {f'received.{name}': count for name, count in pairing.received.items()}
    dropped = dict(tally.dropped) | ({'unpaired': pairing.unpaired} if pairing.unpaired else {})
    found |= {f'dropped.{name}': count for name, count in sorted(dropped.items())}
    for name, percentiles in tally.times().items():
        found |= {f'{name}_ms.p{p}': ms for p, ms in zip((50, 95, 99), percentiles)}
    return found


def describe(predictor: Predictor) -> dict[str, object]:
    """List the model, the engine, and how often past frames were forgotten."""
    found = {'model': predictor.model.name, 'model_sha256': predictor.model.sha256}
    found |= predictor.backend.describe()
    if predictor.window:
        found['memory'] = f'{predictor.remembered} of {predictor.window} frames'
    return found | {f'resets.{reason}': count for reason, count in dict(predictor.resets).items()}


def _plain(value) -> str:
    return f'{value:.2f}' if isinstance(value, float) else str(value)


class Notices:
    """Says a sentence at once, then at most every QUIET seconds of its kind, with how often."""

    def __init__(self, say: Callable[[str], None]):
        """`say` is a logger's method."""
        self._say = say
        self._said: dict[str, float] = {}
        self._since: Counter[str] = Counter()

    def __call__(self, kind: str, sentence: str) -> None:
        """Say it, unless it was said lately."""
        now = time.monotonic()
        self._since[kind] += 1
        if now - self._said.get(kind, -QUIET) >= QUIET:
            times = self._since.pop(kind)
            self._say(sentence if times == 1 else f'{sentence} ({times} times since last said)')
            self._said[kind] = now
