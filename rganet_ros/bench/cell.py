"""A camera, the node and a listener as processes: one trial at a rate, and what it cost."""

from __future__ import annotations

import json
import os
from pathlib import Path
import time
from typing import NamedTuple

from rganet_ros.node.processes import Processes

START = 120.0  # seconds for a process to be ready: the node loads its model
SETTLED = 10.0  # seconds for the last frames to come out
FEWEST = 20  # frames of a trial, however low its rate: one of them lost is 5 %
TICKS = os.sysconf('SC_CLK_TCK')


class Trial(NamedTuple):
    """
    One camera at one rate.

    hz          that was asked for
    sent_hz     that the camera reached
    sent        sets; received: pictures that came to the node
    latencies   milliseconds from stamp to arrival of the candidates, in order
    candidates  of all frames together
    dropped     frames, by the node's reasons; on_the_way: sets that never came to it
    busy        seconds of the processor that the node took, of the `span` that the camera played
    rss_mb      of the node, at the end; shared_mb of it are the middleware's segments
    """

    hz: float
    sent_hz: float
    sent: int
    latencies: list[float]
    candidates: int
    dropped: dict[str, int]
    busy: float
    span: float
    rss_mb: float
    shared_mb: float

    @property
    def loss(self) -> float:
        """Share of what was sent that nothing came out for."""
        return (self.sent - len(self.latencies)) / self.sent

    @property
    def cpu(self) -> float:
        """Per cent of one core that the node took."""
        return 100 * self.busy / self.span


class Cell:
    """The node and the listener, which live through all trials."""

    def __init__(self, run: Processes, bag: Path, words: list[str]):
        """Start them; `words` are the node's. ValueError where they do not start."""
        self._run, self._bag = run, bag
        run.start('node', 'perception_node', *words)
        run.start('listener', 'listener')
        self._wait('node', 'active:', START)
        self._wait('listener', 'ready', START)

    def trial(self, hz: float, seconds: float) -> Trial:
        """Play at a rate for so long; ValueError where a process does not do its part."""
        count = max(FEWEST, round(hz * seconds))
        before = self._said(after=0, frames=False)
        self._run.start('camera', 'camera', str(self._bag), '--hz', str(hz), '--count', str(count))
        self._wait('camera', 'playing', START)
        began, before_it = time.monotonic(), self._busy()
        self._wait('camera', '\nsent\n', 4 * count / hz + START)
        busy, span = self._busy() - before_it, time.monotonic() - began
        ended = time.time_ns()
        self._run.join('camera', START)
        self._check()
        sent = json.loads(self._run.log('camera').splitlines()[-1])
        after = self._said(ended)
        mine = set(sent)
        answers = [each for each in self._heard() if each.get('stamp') in mine]
        return Trial(
            hz=hz,
            sent_hz=(len(sent) - 1) / (sent[-1] - sent[0]) * 1e9,
            sent=len(sent),
            latencies=[(each['came'] - each['stamp']) / 1e6 for each in answers],
            candidates=sum(each['candidates'] for each in answers),
            dropped=_dropped(before, after, len(sent)),
            busy=busy,
            span=span,
            **memory(self._run.pid('node')),
        )

    def describe(self) -> dict[str, str]:
        """Say what the node says of its model and engine."""
        said = self._said(after=0, frames=False)
        known = ('model', 'model_sha256', 'backend', 'version', 'device', 'precision', 'threads')
        return {key: said[key] for key in known if key in said}

    def close(self) -> None:
        """End both in order."""
        self._run.join('node', SETTLED, interrupt=True)
        self._run.join('listener', SETTLED, interrupt=True)
        self._refuse()

    def _wait(self, name: str, word: str, seconds: float) -> None:
        self._run.wait_for(name, word, seconds)
        self._check()

    def _check(self) -> None:
        if not self._run.alive('node') and not self._run.troubles:
            last = [line for line in self._run.log('node').splitlines() if line.strip()][-1:]
            raise ValueError(f'the node ended: {"".join(last) or "no word"}')
        self._refuse()

    def _refuse(self) -> None:
        if self._run.troubles:
            raise ValueError('; '.join(self._run.troubles))

    def _heard(self) -> list[dict]:
        """List what the listener wrote; a line that is not whole yet is left out."""
        lines = self._run.log('listener').splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.startswith('{') and line.endswith('\n')]

    def _said(self, after: int, frames: bool = True) -> dict[str, str]:
        """Wait for diagnostics that came after a time and, with `frames`, account for all."""
        end = time.monotonic() + SETTLED
        while True:
            found = [e['said'] for e in self._heard() if 'said' in e and e['came'] > after]
            late = time.monotonic() > end
            if found and (late or not frames or waiting(found[-1]) == 0):
                return found[-1]
            if late:
                raise ValueError(f'the node said nothing on /diagnostics for {SETTLED:g} s')
            self._check()
            time.sleep(0.1)

    def _busy(self) -> float:
        """Seconds that the node has had of the processor."""
        text = Path(f'/proc/{self._run.pid("node")}/stat').read_text()
        fields = text.rpartition(')')[2].split()  # its name may hold blanks
        return (int(fields[11]) + int(fields[12])) / TICKS


def drops(said: dict[str, str]) -> dict[str, int]:
    """Give how many frames were dropped so far, by reason."""
    return {
        k.removeprefix('dropped.'): int(n) for k, n in said.items() if k.startswith('dropped.')
    }


def received(said: dict[str, str]) -> int:
    """Give how many pictures came to the node so far."""
    return int(said.get('received.image', 0))


def waiting(said: dict[str, str]) -> int:
    """Pictures that came in, and neither came out nor were dropped."""
    return received(said) - int(said.get('frames', 0)) - sum(drops(said).values())


def _dropped(before: dict[str, str], after: dict[str, str], sent: int) -> dict[str, int]:
    """Count what was lost between two diagnostics, by reason."""
    old, new = drops(before), drops(after)
    found = {reason: count - old.get(reason, 0) for reason, count in new.items()}
    found['waiting'] = waiting(after) - waiting(before)
    found['on_the_way'] = sent - (received(after) - received(before))
    return {reason: count for reason, count in found.items() if count}


def memory(pid: int) -> dict[str, float]:
    """Give the megabytes of a process: rss_mb, and what of it is shared_mb with others."""
    lines = Path(f'/proc/{pid}/status').read_text().splitlines()
    fields = dict(line.split(':', 1) for line in lines)
    names = {'rss_mb': 'VmRSS', 'shared_mb': 'RssShmem'}
    return {name: int(fields[field].split()[0]) / 1024 for name, field in names.items()}
