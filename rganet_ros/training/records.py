"""What a run leaves behind, to read and to look at, beside its weights."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import hashlib
from importlib.metadata import PackageNotFoundError, version
import json
from pathlib import Path
import platform
import time

from rganet_ros import report
from rganet_ros.dataset import write_file
from tensorboardX import SummaryWriter
import torch

PACKAGES = ('rganet_ros', 'torch', 'lightning-fabric', 'numpy', 'opencv-python-headless')


def versions() -> dict[str, str]:
    """Name what may change a result."""
    found = {'python': platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = 'not installed'
    return found | {'torch': torch.__version__}  # with its +cpu or +cu130


def digest(value) -> str:
    """Give the sha256 of a plain value, as JSON with sorted keys."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def note_start(out: Path, about: dict, session: dict) -> None:
    """
    Write run.json: what the run is made from, and each time it was started.

    about    the recipe, frames, sha256 of the data's card and of the frames' names: the same each
             time
    session  command, machine, epoch that it began after
    """
    path = out / 'run.json'
    before = json.loads(path.read_text())['sessions'] if path.exists() else []
    started = time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())
    sessions = [*before, {'started': started, 'versions': versions()} | session]
    write_file(path, (json.dumps(about | {'sessions': sessions}, indent=2) + '\n').encode())


class Log:
    """Lines of JSON, one an epoch, and their numbers as TensorBoard's curves."""

    def __init__(self, out: Path, epoch: int):
        """Go on after an epoch: lines of later ones, which a killed run left, are dropped."""
        self._path = out / 'log.jsonl'
        if self._path.exists():
            kept = self._path.read_text().splitlines(keepends=True)
            kept = [line for line in kept if line.endswith('\n')]
            kept = [line for line in kept if json.loads(line)['epoch'] <= epoch]
            write_file(self._path, ''.join(kept).encode())
        self._board = SummaryWriter(str(out / 'curves'), purge_step=epoch + 1)

    def write(self, entry: dict) -> None:
        """Add an epoch: numbers, and lists or mappings of them; NaN becomes null."""
        with open(self._path, 'a', encoding='utf-8') as file:
            file.write(json.dumps(report.plain(entry), allow_nan=False) + '\n')
        for name, value in numbers(entry):
            self._board.add_scalar(name, value, entry['epoch'])
        self._board.flush()

    def picture(self, name: str, rgb, epoch: int) -> None:
        """Add a picture of an epoch: rgb is (H, W, 3) uint8."""
        self._board.add_image(name, rgb, epoch, dataformats='HWC')

    def close(self) -> None:
        """Close the curves."""
        self._board.close()


@contextmanager
def opened(out: Path, epoch: int) -> Iterator[Log]:
    """Open the log of a run; it is closed whatever happens."""
    log = Log(out, epoch)
    try:
        yield log
    finally:
        log.close()


def numbers(entry: dict, prefix='') -> Iterator[tuple[str, float]]:
    """List what an entry holds as (name, number): of a list, the position joins the name."""
    for name, value in entry.items():
        parts = dict(enumerate(value)) if isinstance(value, (list, tuple)) else value
        if isinstance(parts, dict):
            yield from numbers(parts, f'{prefix}{name}/')
        elif isinstance(value, (int, float)) and name != 'epoch':
            yield f'{prefix}{name}', value
