"""
Built engines on disk, each with a note of what it was built from; anything else is rebuilt.

    data = get('fanet18-rgb-ae48ea64f391-8.6', key, build)

Beside <name>.engine stands <name>.json: the key in clear (the ONNX file's SHA-256, the library and
its version, the GPU, precision, shapes, flags) and the SHA-256 of the engine. An engine is loaded
only where both are what they must be. <name>.lock is held while one process builds; the kernel
lets go of it when that process ends, however it ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
import fcntl
import hashlib
import json
import logging
import os
from pathlib import Path
import time

LOG = logging.getLogger(__name__)
SAY = 10.0  # seconds between two lines of who waits
POLL = 0.1  # seconds


def folder_of(given: str | Path = '') -> Path:
    """Give the folder that was asked for, or that of this user's caches."""
    home = os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache'
    return Path(given) if given else Path(home) / 'rganet_ros' / 'engines'


def get(
    name: str, key: dict[str, str], build: Callable[[], bytes] | None, folder: str | Path = ''
) -> bytes:
    """
    Read an engine, or build and keep it.

    key    all that the engine depends on; any difference rebuilds it
    build  None: ValueError, in one sentence, where it is not there as it must be

    Of several processes that want it at once, one builds and the others wait and read.
    """
    path = folder_of(folder) / f'{name}.engine'
    data, why = _read(path, key)
    if data is None and build is None:
        time.sleep(POLL)  # another process may be between engine and note
        data, why = _read(path, key)
    if data is not None:
        return data
    if build is None:
        raise ValueError(
            f'no engine to load: {why}; build it ahead with rganet export MODEL.onnx '
            '--to tensorrt --engine, or set build_engine: if_missing (it takes minutes)'
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.with_suffix('.lock').open('a')
    except OSError as error:
        LOG.warning('engines cannot be kept (%s): this one is built at every start', error)
        return build()
    with lock, _held(lock, path):
        data, why = _read(path, key)  # another process may have built it meanwhile
        if data is None:
            LOG.info('building an engine: %s', why)
            data = build()
            _keep(path, key, data)
    return data


def forget(name: str, folder: str | Path = '') -> None:
    """Have an engine rebuilt that looked right and cannot be loaded."""
    try:
        (folder_of(folder) / f'{name}.json').unlink(missing_ok=True)
    except OSError as error:
        LOG.warning('an engine that cannot be loaded stays where it is (%s)', error)


def _read(path: Path, key: dict[str, str]) -> tuple[bytes | None, str]:
    """Read an engine that is what its note and the key say; else None, and why."""
    try:
        data = path.read_bytes()
    except OSError as error:
        return None, f'there is none at {path} ({error.strerror})'
    try:
        note = json.loads(path.with_suffix('.json').read_text(encoding='utf-8'))
        known, sha256 = dict(note['key']), note['engine_sha256']
    except (OSError, ValueError, TypeError, KeyError):
        return None, f'{path} has no readable note of what it was built from'
    for part in sorted({*key, *known}):
        if known.get(part) != key.get(part):
            return None, f'{path} was built for {part} {known.get(part)!r}, not {key.get(part)!r}'
    if hashlib.sha256(data).hexdigest() != sha256:
        return None, f'{path} is truncated or damaged'
    return data, ''


def _keep(path: Path, key: dict[str, str], data: bytes) -> None:
    """Write engine and note, each whole or not at all; an engine without its note is not used."""
    note = {'key': key, 'engine_sha256': hashlib.sha256(data).hexdigest()}
    try:
        for left in path.parent.glob(f'{path.stem}.*.part'):  # of a builder that was killed
            left.unlink()
        _write(path, data)
        _write(path.with_suffix('.json'), (json.dumps(note, indent=2) + '\n').encode())
    except OSError as error:
        LOG.warning('the engine could not be kept (%s): it is built again next time', error)


def _write(path: Path, data: bytes) -> None:
    part = path.with_suffix(f'{path.suffix}.part')
    with part.open('wb') as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)


@contextmanager
def _held(lock, path: Path) -> Iterator[None]:
    """Hold the lock, waiting for the process that has it and saying so."""
    said = -SAY
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() - said >= SAY:
                LOG.info('another process builds %s: waiting for it', path.name)
                said = time.monotonic()
            time.sleep(POLL)
    try:
        yield
    finally:
        fcntl.flock(lock, fcntl.LOCK_UN)
