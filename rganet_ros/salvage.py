"""
What is left of a bag that was cut off: its files, read record by record as far as they go.

rosbag2 writes an mcap's index, and metadata.yaml, when a recording ends; where the power went
first, neither is there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path, PurePath
import re
import shutil
import sqlite3
import tempfile
from typing import BinaryIO

from mcap.exceptions import McapError
from mcap.opcode import Opcode
from mcap.records import Channel, Chunk, Footer, Message, Schema
from mcap.stream_reader import breakup_chunk, StreamReader
from rganet_ros import inflate
from rganet_ros.inflate import LARGEST, Oversized
import yaml

SUFFIXES = {'.mcap', '.db3'}

Found = tuple[str, str, int, bytes]  # topic, type, nanoseconds, CDR


class Cut(ValueError):
    """A bag that ends before its end, or is damaged; what came before it was good."""


def files(path: Path) -> list[Path]:
    """List the storage files of a bag, a folder or one of them, in the order of recording."""
    if path.is_file():
        return [path]
    listed = [path / PurePath(name).name for name in _listed(path / 'metadata.yaml')]
    if listed and all(each.is_file() for each in listed):
        return listed
    return sorted(_found(path), key=_number)


def _found(path: Path) -> list[Path]:
    return [each for each in path.iterdir() if SUFFIXES & set(each.suffixes)]


def _number(file: Path) -> list[int]:
    """Read the number that a split gave it: the last before .mcap or .db3."""
    name = re.split(r'\.(?:mcap|db3)', file.name)[0]
    return [int(number) for number in re.findall(r'\d+', name)][-1:]


def check_complete(path: Path) -> None:
    """Raise Cut where metadata.yaml lists files that are gone; what was renamed is there."""
    listed = [] if path.is_file() else _listed(path / 'metadata.yaml')
    gone = [name for name in listed if not (path / PurePath(name).name).is_file()]
    if gone and len(_found(path)) < len(listed):
        raise Cut(f'bag {path} is not whole: its metadata.yaml lists {", ".join(gone)}, which is '
                  'not there; the rest was read')  # fmt: skip


@contextmanager
def settled(files: Sequence[Path]) -> Iterator[list[Path]]:
    """Give files of a bag with all that SQLite committed, in a folder that goes where it must."""
    with tempfile.TemporaryDirectory(prefix='rganet_bag_') as folder:
        yield [_settled(file, Path(folder)) for file in files]


def _settled(file: Path, folder: Path) -> Path:
    """Bring in what a crash left in SQLite's log, into a copy: no reader here looks at the log."""
    log = file.with_name(f'{file.name}-wal')
    if not log.is_file() or not log.stat().st_size:
        return file
    for each in (file, log):
        shutil.copyfile(each, folder / each.name)
    made = folder / file.name
    with suppress(sqlite3.Error), closing(sqlite3.connect(made)) as database:
        database.execute('PRAGMA wal_checkpoint(TRUNCATE)')
    return made


def _listed(metadata: Path) -> list[str]:
    try:
        content = yaml.safe_load(metadata.read_text(encoding='utf-8'))
        return list(map(str, content['rosbag2_bagfile_information']['relative_file_paths']))
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError):
        return []


def messages(path: Path, found: Sequence[Path]) -> Iterator[Found]:
    """Go through a bag's files by their records; Cut, after the last good message, at a cut."""
    if not found:
        raise FileNotFoundError(f'{path} is no bag: it has no .mcap and no .db3')
    for file in found:
        read = _mcap if file.suffix == '.mcap' else _sqlite
        last = None
        try:
            for topic, kind, time, data in read(file):
                last = time
                yield topic, kind, time, inflate.message(data)
        except (OSError, GeneratorExit, Oversized):
            raise
        except Exception as error:  # each storage raises kinds of its own
            why = str(error) or type(error).__name__
            good = 'nothing of it can be read' if last is None else 'read to its last good message'
            raise Cut(
                f'bag {path} is cut off or damaged in {file.name}: {good} ({why})'
            ) from error


def _mcap(file: Path) -> Iterator[Found]:
    kinds: dict[int, str] = {}
    channels: dict[int, Channel] = {}
    for record in _records(file):
        if isinstance(record, Schema):
            kinds[record.id] = record.name
        elif isinstance(record, Channel):
            channels[record.id] = record
        elif isinstance(record, Message):
            channel = channels[record.channel_id]
            yield channel.topic, kinds[channel.schema_id], record.log_time, record.data


def _records(file: Path):
    """Go through an mcap's records, those in chunks too; raises at a cut, after what is whole."""
    size = file.stat().st_size
    with file.open('rb') as stream:
        # No record is larger than the file: a damaged length is refused before it is allocated.
        reader = StreamReader(stream, emit_chunks=True, record_size_limit=size)
        records, whole = reader.records, 0
        while True:
            try:
                record = next(records)
            except McapError as error:
                stream.seek(whole)
                yield from _cut_chunk(stream)
                raise error
            whole = stream.tell()
            if isinstance(record, Footer):
                return
            if isinstance(record, Chunk):
                data = inflate.data(record.data, record.compression, f'a chunk of {file.name}')
                yield from breakup_chunk(replace(record, compression='', data=data), True)
            else:
                yield record


def _cut_chunk(stream: BinaryIO):
    """Go through what is left of a chunk that begins here; nothing where it is no chunk."""
    head = stream.read(41)  # opcode, length, two times, size, checksum, length of a word
    if len(head) < 41 or head[0] != Opcode.CHUNK or int.from_bytes(head[37:], 'little') > 8:
        return
    compression = stream.read(int.from_bytes(head[37:], 'little'))
    stream.read(8)
    with suppress(Exception):  # it ends in the middle of anything
        inner = inflate.opened(stream, compression.decode())
        yield from StreamReader(inner, skip_magic=True, record_size_limit=LARGEST).records


def _sqlite(file: Path) -> Iterator[Found]:
    database = sqlite3.connect(f'{file.resolve().as_uri()}?mode=ro&immutable=1', uri=True)
    try:
        database.execute('PRAGMA writable_schema = ON')  # else a file that is too short is refused
        topics = {number: rest for number, *rest in database.execute(
            'SELECT id, name, type FROM topics')}  # fmt: skip
        # By row, not by time: the index of times lies in what is cut off.
        rows = database.execute('SELECT topic_id, timestamp, data FROM messages NOT INDEXED')
        for number, time, data in rows:
            yield *topics[number], time, data
    finally:
        database.close()
