"""
What is left of a bag that was cut off: its files, read record by record as far as they go.

rosbag2 writes an mcap's index, and metadata.yaml, when a recording ends; where the power went
first, neither is there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
import re
import sqlite3
from typing import BinaryIO

import lz4.frame
from mcap.exceptions import McapError
from mcap.opcode import Opcode
from mcap.records import Channel, Chunk, Footer, Message, Schema
from mcap.stream_reader import breakup_chunk, StreamReader
import zstandard

LARGEST = 1 << 30  # bytes that a chunk or a message may inflate to
ZSTD = b'\x28\xb5\x2f\xfd'  # no CDR begins so

Found = tuple[str, str, int, bytes]  # topic, type, nanoseconds, CDR


class Cut(ValueError):
    """A bag that ends before its end, or is damaged; what came before it was good."""


def files(path: Path) -> list[Path]:
    """List the storage files of a bag, a folder or one of them, in the order of recording."""
    if path.is_file():
        return [path]
    found = [each for each in path.iterdir() if each.suffix in ('.mcap', '.db3')]
    return sorted(found, key=lambda each: [int(n) for n in re.findall(r'\d+', each.stem)][-1:])


def messages(path: Path) -> Iterator[Found]:
    """Go through a bag in the order of its records; Cut, after the last good message, at a cut."""
    found = files(path)
    if not found:
        raise FileNotFoundError(f'{path} is no bag: it has no .mcap and no .db3')
    for file in found:
        read = _mcap if file.suffix == '.mcap' else _sqlite
        last = None
        try:
            for topic, kind, time, data in read(file):
                last = time
                yield topic, kind, time, _inflate(data)
        except (OSError, GeneratorExit):
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
                _check_size(record.uncompressed_size)
                yield from breakup_chunk(record, True)
            else:
                yield record


def _cut_chunk(stream: BinaryIO):
    """Go through what is left of a chunk that begins here; nothing where it is no chunk."""
    head = stream.read(41)  # opcode, length, two times, size, checksum, length of a word
    if len(head) < 41 or head[0] != Opcode.CHUNK or int.from_bytes(head[37:], 'little') > 8:
        return
    compression = stream.read(int.from_bytes(head[37:], 'little'))
    stream.read(8)
    opened = {b'': lambda: stream, b'lz4': lambda: lz4.frame.open(stream),
              b'zstd': lambda: zstandard.ZstdDecompressor().stream_reader(stream)}  # fmt: skip
    if compression in opened:
        inner = opened[compression]()
        with suppress(Exception):  # it ends in the middle of anything
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


def _inflate(data: bytes) -> bytes:
    """Undo compression of a message, which only metadata.yaml would tell of."""
    if data[:4] != ZSTD:
        return data
    _check_size(zstandard.frame_content_size(data))
    return zstandard.decompress(data, max_output_size=LARGEST)


def _check_size(size: int) -> None:
    if size > LARGEST:
        raise ValueError(f'it would inflate to {size} bytes, more than {LARGEST}')
