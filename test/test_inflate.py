"""Small files that inflate to enormous ones are refused, before anything of that size is made."""

from io import BytesIO
import struct

import lz4.frame
from mcap.writer import CompressionType
from mcap.writer import Writer as McapWriter
import numpy as np
import pytest
from rganet_ros import bag, inflate, record
from rganet_ros.types import Frame
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer
import zstandard

PACK = {'zstd': zstandard.compress, 'lz4': lz4.frame.compress}


@pytest.fixture
def small(monkeypatch):
    """Make the bounds small, so that what goes beyond them need not be enormous."""
    for name in ('LARGEST', 'LEAST'):
        monkeypatch.setattr(inflate, name, 1 << 20)
    monkeypatch.setattr(inflate, 'RATIO', 2)


@pytest.fixture
def frame():
    """Make a frame of noise, which does not compress below half its size."""
    rng = np.random.default_rng(0)
    return Frame(rng.integers(0, 256, (24, 32, 3), np.uint8), stamp=10**9, frame_id='eye')


def packed(path, frame, mode, storage=StoragePlugin.MCAP, times=1):
    """Write a bag with rosbags, compressed as it is asked for."""
    writer = Writer(path, version=8, storage_plugin=storage)
    if mode is not None:
        writer.set_compression(mode, CompressionFormat.ZSTD)
    with writer:
        for topic, message in record.of_frame(frame):
            kind = message.__msgtype__
            connection = writer.add_connection(topic, kind, typestore=record.TYPES)
            for index in range(times):
                if index:
                    message.data = np.random.default_rng(index).integers(0, 256, 2304, np.uint8)
                data = record.TYPES.serialize_cdr(message, kind)
                writer.write(connection, 10**9 + index, data)
    return path


def chunked(path, data, compression):
    """Write an mcap whose one message lies in a compressed chunk."""
    with path.open('wb') as stream:
        writer = McapWriter(stream, compression=CompressionType[compression.upper()])
        writer.start(profile='ros2')
        schema = writer.register_schema('std_msgs/msg/String', 'ros2msg', b'string data')
        channel = writer.register_channel('/words', 'cdr', schema)
        writer.add_message(channel, log_time=1, data=data, publish_time=1)
        writer.finish()
    return path


@pytest.mark.parametrize('compression', PACK)
def test_what_is_within_its_bound_comes_back(compression, small):
    given = bytes(range(256)) * 4000
    assert inflate.data(PACK[compression](given), compression, 'it') == given
    assert inflate.message(PACK[compression](given)) == given
    assert inflate.message(given) is given


@pytest.mark.parametrize('compression', PACK)
@pytest.mark.parametrize('frames', [1, 3])
def test_what_inflates_beyond_it_is_refused(compression, frames, small):
    """Whether it is in one frame of the compression or in several, each within the bound."""
    bomb = PACK[compression](bytes((1 << 21) // frames)) * frames
    with pytest.raises(inflate.Oversized, match='a message would inflate to more than 1048576'):
        inflate.message(bomb)


def test_a_size_that_is_claimed_is_not_believed(small):
    claimed = b'\x28\xb5\x2f\xfd\xe0' + struct.pack('<Q', 1 << 60) + bytes(8)
    with pytest.raises(Exception, match='zstd'):  # too little data, and no allocation
        inflate.message(claimed)
    stream = zstandard.ZstdCompressor(write_content_size=False).stream_reader(
        BytesIO(bytes(1 << 21))
    )
    with pytest.raises(inflate.Oversized):  # it claims nothing
        inflate.message(stream.read())


@pytest.mark.parametrize('storage', StoragePlugin)
@pytest.mark.parametrize('mode', [None, CompressionMode.MESSAGE, CompressionMode.FILE])
def test_a_compressed_bag_is_read(tmp_path, frame, mode, storage):
    path = packed(tmp_path / 'bag', frame, mode, storage)
    assert list(bag.topics_of(path)) and bag.count(path, bag.topics_of(path)) == 1
    (found,) = bag.frames(path)
    assert np.array_equal(found.rgb, frame.rgb)
    (path / 'metadata.yaml').unlink()  # which alone tells of the compression
    (found,) = bag.frames(path)
    assert np.array_equal(found.rgb, frame.rgb)


def test_a_compressed_file_that_was_cut_off_is_read_as_far_as_it_goes(tmp_path, frame):
    path = packed(tmp_path / 'bag', frame, CompressionMode.FILE, times=200)
    (file,) = path.glob('*.zstd')
    file.write_bytes(file.read_bytes()[: file.stat().st_size * 2 // 3])
    found = []
    with pytest.raises(bag.Cut, match='good message'):
        for each in bag.frames(path):
            found.append(each)
    assert 50 < len(found) < 200


@pytest.mark.parametrize('mode', [CompressionMode.MESSAGE, CompressionMode.FILE])
def test_a_bag_with_a_bomb_is_refused_in_a_sentence(tmp_path, frame, mode, small):
    black = Frame(np.zeros((1000, 1000, 3), np.uint8), stamp=10**9)
    path = packed(tmp_path / 'bag', black, mode)
    assert sum(each.stat().st_size for each in path.iterdir()) < 100_000
    with pytest.raises(inflate.Oversized, match=r'would inflate to more than 1048576 bytes'):
        list(bag.messages(path))


@pytest.mark.parametrize('index', ['index', 'no index', 'cut'])
@pytest.mark.parametrize('compression', PACK)
def test_a_chunk_that_is_a_bomb(tmp_path, compression, index, small):
    data = b'\0\1\0\0\5\0\0\0four\0'
    good = chunked(tmp_path / 'good.mcap', data, compression)
    assert next(bag.messages(good)).data == data
    bad = chunked(tmp_path / 'bad.mcap', bytes(1 << 21), compression)
    assert bad.stat().st_size < 20_000
    whole = bad.read_bytes()
    if index == 'no index':  # a footer that tells of no summary
        bad.write_bytes(whole[:-28] + bytes(20) + whole[-8:])
    if index == 'cut':
        bad.write_bytes(whole[:-100])
    with pytest.raises(inflate.Oversized, match=r'a chunk of .*bad.mcap would inflate'):
        list(bag.messages(bad))


def test_a_file_of_two_gigabytes_in_a_hundred_kilobytes(tmp_path):
    """With the bounds as they are; nothing of it stays on the disk."""
    path = tmp_path / 'a.db3.zstd'
    compressor, zeros = zstandard.ZstdCompressor(), bytes(1 << 20)
    with path.open('wb') as out, compressor.stream_writer(out) as writer:
        for _ in range(2048):
            writer.write(zeros)
    assert path.stat().st_size < 200_000
    for read in (bag.topics_of, lambda each: list(bag.messages(each))):
        with pytest.raises(ValueError, match=r'a.db3.zstd would inflate to more than 268435456'):
            read(path)


def test_a_compression_that_is_not_known():
    with pytest.raises(ValueError, match="'brotli' is not read here: expected zstd, lz4"):
        inflate.opened(BytesIO(), 'brotli')
