"""The last seconds of what came in and went out, kept in memory, written as a bag when asked."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
import threading
import time
from typing import Annotated, NamedTuple

from rclpy.serialization import serialize_message
from rganet_ros import record
from rganet_ros.options import Range

SMALL = 1000  # bytes that a message counts for beside its data
WRITING = threading.Lock()  # one bag at a time: a name is taken once its bag is there


@dataclass(frozen=True)
class SaveOptions:
    """How much is remembered for ~/save, and where it goes."""

    save_seconds: Annotated[
        float, Range(0, 600), 'inputs and outputs that ~/save writes, seconds; 0: none are kept'
    ] = 5.0
    save_megabytes: Annotated[
        float, Range(1, 100_000), 'memory for them at most, megabytes: older ones are forgotten'
    ] = 200.0
    save_folder: Annotated[str, 'folder of the bags that ~/save writes; ~ is the home folder'] = (
        '~/rganet_ros'
    )


class Kept(NamedTuple):
    """A message that passed: time in nanoseconds of the wall clock, size in bytes."""

    topic: str
    message: object
    time: int
    size: int


class Memory:
    """Messages of the last seconds, from any thread; references only, nothing is copied."""

    def __init__(self):
        self._lock = threading.Lock()
        self._kept: deque[Kept] = deque()
        self.bytes = 0

    def add(self, topic: str, message, options: SaveOptions) -> None:
        """Keep a message, and forget what is too old or too much."""
        size = SMALL + len(getattr(message, 'data', ()))
        now = time.time_ns()
        with self._lock:
            self._kept.append(Kept(topic, message, now, size))
            self.bytes += size
            oldest = now - options.save_seconds * 1e9
            most = options.save_megabytes * 1e6 if options.save_seconds else 0
            while self._kept and (self.bytes > most or self._kept[0].time < oldest):
                self.bytes -= self._kept.popleft().size

    def all(self) -> list[Kept]:
        """List what is kept, oldest first."""
        with self._lock:
            return list(self._kept)


def write(kept: list[Kept], folder: str) -> Path:
    """Write messages as a bag with a name of its own into a folder; returns its path."""
    with WRITING:
        path = _free(folder)
        with record.Writer(path) as writer:
            for each in sorted(kept, key=lambda one: one.time):
                kind = type(each.message)
                name = f'{kind.__module__.partition(".")[0]}/msg/{kind.__name__}'
                writer.write(each.topic, name, each.time, serialize_message(each.message))
    return path


def _free(folder: str) -> Path:
    """Name a bag by the second, and the next ones of the same by a number as well."""
    named = datetime.now().strftime('perception-%Y%m%d-%H%M%S')
    path = Path(folder).expanduser() / named
    number = 1
    while path.exists():
        path, number = path.with_name(f'{named}-{number}'), number + 1
    return path
