"""
Compressed data, inflated within bounds: no small file fills the memory or the disk.

rosbag2 compresses single messages or whole files (zstd), mcap its chunks (zstd, lz4). What goes
beyond a bound raises Oversized, before it is kept anywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
import functools
from io import BytesIO
from pathlib import Path
import tempfile
from typing import BinaryIO

import lz4.frame
from mcap.exceptions import McapError
from mcap.reader import make_reader
from mcap.records import Chunk
from mcap.stream_reader import StreamReader
import zstandard

LARGEST = 1 << 30  # bytes of a message or of a chunk of messages
LEAST, RATIO = 1 << 28, 100  # a file may have so many bytes, or so many times its size
BLOCK = 1 << 20
MAGIC = {b'\x28\xb5\x2f\xfd': 'zstd', b'\x04\x22\x4d\x18': 'lz4'}  # no CDR begins so


class Oversized(ValueError):
    """What would inflate to more than its bound."""


def opened(stream: BinaryIO, compression: str) -> BinaryIO:
    """Open what is compressed in a stream; ValueError where that is not known."""
    if compression == 'zstd':
        return zstandard.ZstdDecompressor().stream_reader(stream, read_across_frames=True)
    if compression == 'lz4':
        return lz4.frame.open(stream)
    if compression:
        raise ValueError(f'compression {compression!r} is not read here: expected zstd, lz4')
    return stream


def _blocks(stream: BinaryIO, compression: str, name: str, bound: int) -> Iterator[bytes]:
    inner, size = opened(stream, compression), 0
    while block := inner.read(BLOCK):
        size += len(block)
        if size > bound:
            raise Oversized(
                f'{name} would inflate to more than {bound} bytes and is refused: if you trust '
                'it, decompress it yourself'
            )
        yield block


def data(packed: bytes, compression: str, name: str) -> bytes:
    """Inflate what is in memory; `name` is for the refusal."""
    if not compression:
        return packed
    made = b''.join(_blocks(BytesIO(packed), compression, name, LARGEST))
    # A stream that ends too early ends without a word; -1 where the size was not written down.
    if compression == 'zstd' and len(made) < zstandard.frame_content_size(packed):
        raise ValueError(f'{name} is cut off')
    return made


def message(packed: bytes) -> bytes:
    """Undo the compression of a message, which only metadata.yaml would tell of."""
    return data(packed, MAGIC.get(packed[:4], ''), 'a message')


@contextmanager
def plain(files: Sequence[Path]):
    """Give files of a bag as they were before they were compressed, in a folder that goes."""
    with tempfile.TemporaryDirectory(prefix='rganet_bag_') as folder:
        yield [_plain(file, Path(folder)) for file in files]


def _plain(file: Path, folder: Path) -> Path:
    with file.open('rb') as stream:
        compression = MAGIC.get(stream.read(4), '')
        stream.seek(0)
        if compression:
            bound = max(LEAST, RATIO * file.stat().st_size)
            made = folder / file.stem
            # Of what is cut off or damaged the beginning is kept: salvage reads it.
            with made.open('wb') as out, suppress(zstandard.ZstdError, RuntimeError, EOFError):
                for block in _blocks(stream, compression, str(file), bound):
                    out.write(block)
            file = made
    if file.suffix == '.mcap':
        about = file.stat()
        _check_chunks(file, about.st_size, about.st_mtime_ns)
    return file


@functools.lru_cache(maxsize=64)  # a bag is opened several times: for its topics, for its frames
def _check_chunks(file: Path, size: int, changed: int) -> None:
    """Inflate each chunk of an mcap for nothing: who reads them later does it without a bound."""
    with file.open('rb') as stream:
        try:
            for compression, packed in _chunks(stream, size):
                for _ in _blocks(BytesIO(packed), compression, f'a chunk of {file}', LARGEST):
                    pass
        except Oversized:
            raise
        except Exception:  # of a damaged file no reader reads more than is whole
            return


def _chunks(stream: BinaryIO, size: int) -> Iterator[tuple[str, bytes]]:
    """Go through compressed chunks, by the index where there is one."""
    try:
        summary = make_reader(stream).get_summary()
    except McapError:
        summary = None
    if summary is not None and summary.chunk_indexes:
        for index in summary.chunk_indexes:
            if index.compression:
                stream.seek(index.chunk_start_offset + 9 + 40 + len(index.compression))
                yield index.compression, stream.read(index.compressed_size)
        return
    stream.seek(0)
    for record in StreamReader(stream, emit_chunks=True, record_size_limit=size).records:
        if isinstance(record, Chunk) and record.compression:
            yield record.compression, record.data
