"""Python modules of this package as processes, each with its log; none is left behind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import os
from pathlib import Path
import signal
import socket
import subprocess
import sys
import time

from rganet_ros import cameras, models

KIND = 5.0  # seconds that a process is given after SIGINT


def environment() -> dict[str, str]:
    """ROS 2 on this machine only, in a domain of its own, with room for pictures."""
    profile = str(models.share('config') / 'fastdds.xml')
    prefixes = [sys.prefix, *filter(None, [os.environ.get('AMENT_PREFIX_PATH')])]
    return os.environ | {
        'ROS_DOMAIN_ID': str(_free_domain()),
        'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST',
        'AMENT_PREFIX_PATH': ':'.join(prefixes),
        'FASTDDS_DEFAULT_PROFILES_FILE': profile,
        'FASTRTPS_DEFAULT_PROFILES_FILE': profile,
        'OMP_WAIT_POLICY': 'passive',
        'PYTHONUNBUFFERED': '1',
    }


def _free_domain() -> int:
    """Find a domain, 1..101, of which nobody here uses the first participant's port."""
    for number in range(101):
        domain = 1 + (os.getpid() + number) % 101
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind(('', 7410 + 250 * domain))
                return domain
            except OSError:
                continue
    raise ValueError('no free ROS domain on this machine: end some ROS processes')


def node_arguments(parameters: dict[str, object], topics: cameras.Topics) -> list[str]:
    """List the node's words: its parameters, whether there is depth, and the topics of a bag."""
    parameters = parameters | {'depth': 'true' if topics.depth else 'false'}
    remaps = {'image': topics.image, 'depth': topics.depth, 'camera_info': topics.info}
    words = ['--ros-args']
    for name, value in parameters.items():
        words += ['-p', f'{name}:={value}']
    for name, topic in remaps.items():
        words += ['-r', f'{name}:={topic}'] if topic else []
    return words


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Hold SIGINT and SIGTERM back: in between, a process would be there that nobody knows."""
    came: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda number, _: came.append(number)) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before):
            signal.signal(number, handler)
        for number in came:
            signal.raise_signal(number)


class Processes:
    """
    A context in which processes run; those that are left at its end are ended.

    troubles  what went wrong, a sentence each
    """

    def __init__(self, logs: Path, environment: dict[str, str]):
        """Write the logs into a folder: <name>.log."""
        self._logs, self._environment = logs, environment
        self._processes: dict[str, subprocess.Popen] = {}
        self.troubles: list[str] = []

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, *_) -> None:
        left = [process for process in self._processes.values() if process.poll() is None]
        for process in left:
            # Killed at once, it would leave its shared memory behind.
            process.send_signal(signal.SIGINT)
        for process in left:
            try:
                process.wait(KIND)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def start(self, name: str, module: str, *words: str) -> None:
        """Start a module of this folder."""
        with (self._logs / f'{name}.log').open('wb') as log, _undisturbed():
            self._processes[name] = subprocess.Popen(
                [sys.executable, '-m', f'rganet_ros.node.{module}', *words],
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env=self._environment,
                start_new_session=True,  # an interrupt from the keyboard is ours to pass on
            )

    def pid(self, name: str) -> int:
        """Give its number."""
        return self._processes[name].pid

    def alive(self, name: str) -> bool:
        """Whether it still runs."""
        return self._processes[name].poll() is None

    def log(self, name: str) -> str:
        """Read what it said so far."""
        return (self._logs / f'{name}.log').read_text(errors='replace')

    def wait_for(self, name: str, word: str, seconds: float) -> bool:
        """Wait until it says a word; otherwise that is a trouble."""
        end = time.monotonic() + seconds
        while word not in self.log(name):
            if not self.alive(name) or time.monotonic() > end:
                last = [line for line in self.log(name).splitlines() if line.strip()][-1:]
                self.troubles.append(f'the {name} did not start: {"".join(last) or "no word"}')
                return False
            time.sleep(0.1)
        return True

    def last_number(self, name: str) -> int:
        """Read the number at the end of its last line that has one, or 0."""
        words = (line.rpartition(' ')[2] for line in reversed(self.log(name).splitlines()))
        return next((int(word) for word in words if word.isdigit()), 0)

    def join(self, name: str, seconds: float, interrupt: bool = False) -> None:
        """Wait for its end, with status 0; otherwise that is a trouble."""
        process = self._processes[name]
        if interrupt and process.poll() is not None:
            self.troubles.append(f'the {name} ended by itself, with status {process.returncode}')
            return
        if interrupt:
            process.send_signal(signal.SIGINT)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.troubles.append(f'the {name} did not end within {seconds:g} s')
            return
        if process.returncode:
            self.troubles.append(f'the {name} ended with status {process.returncode}')
