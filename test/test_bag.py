"""Bags, written and read."""

from contextlib import closing, suppress
import shutil
import sqlite3

import cv2
import numpy as np
import pytest
from rganet_ros import bag, cameras, decode, geometry, record, salvage
from rganet_ros.messages import TYPES
from rganet_ros.rectify import LensOptions
from rganet_ros.types import Camera, Frame
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer
from rosbags.typesys import get_typestore, Stores
import yaml

CAMERA = Camera(60.0, 61.0, 16.0, 12.0, 32, 24)
START, PERIOD = 1_700_000_000_000_000_000, 100_000_000


def frame(index, **changes):
    rng = np.random.default_rng(index)
    rgb = rng.integers(0, 256, (24, 32, 3), np.uint8)
    depth = rng.integers(0, 2000, (24, 32)).astype(np.float32) / 1000
    given = {'depth': depth, 'camera': CAMERA, 'stamp': START + index * PERIOD, 'frame_id': 'eye'}
    return Frame(rgb, **(given | changes))


FRAMES = [frame(index) for index in range(6)]


def same(one, other):
    assert np.array_equal(one.rgb, other.rgb)
    assert (one.stamp, one.frame_id, one.camera) == (other.stamp, other.frame_id, other.camera)
    if other.depth is None:
        assert one.depth is None
    else:
        np.testing.assert_allclose(one.depth, other.depth, atol=1e-6)


def write(path, messages, storage=StoragePlugin.SQLITE3, store=Stores.ROS2_HUMBLE):
    """Write (topic, message) in this order with rosbags itself."""
    types = get_typestore(store)
    with Writer(path, version=8, storage_plugin=storage) as writer:
        topics = {}
        for index, (topic, message) in enumerate(messages):
            kind = message.__msgtype__
            if topic not in topics:
                topics[topic] = writer.add_connection(topic, kind, typestore=types)
            data = types.serialize_cdr(message, kind)
            writer.write(topics[topic], START + index, data)
    return path


def messages_of(frames):
    return [pair for each in frames for pair in record.of_frame(each)]


def test_frames_come_back_as_they_were(tmp_path):
    assert record.write_frames(tmp_path / 'made', FRAMES) == len(FRAMES)
    found = list(bag.frames(tmp_path / 'made'))
    assert len(found) == len(FRAMES)
    for one, other in zip(found, FRAMES):
        same(one, other)


@pytest.mark.parametrize('store', [Stores.ROS2_HUMBLE, Stores.ROS2_JAZZY, Stores.ROS2_KILTED])
@pytest.mark.parametrize('storage', [StoragePlugin.SQLITE3, StoragePlugin.MCAP])
def test_bags_of_other_writers_are_read(tmp_path, storage, store):
    path = write(tmp_path / 'made', messages_of(FRAMES), storage, store)
    for one, other in zip(bag.frames(path), FRAMES):
        same(one, other)


@pytest.mark.parametrize('order', ['depth first', 'depth late'])
def test_colour_and_depth_meet_by_stamp_in_any_order(tmp_path, order):
    groups = [messages_of([each]) for each in FRAMES]
    if order == 'depth first':
        every = [pair for colour, depth, info in groups for pair in (info, depth, colour)]
    else:  # each depth comes after the next two pictures
        colours = [pair for group in groups for pair in (group[2], group[0])]
        every = [*colours[:4]]
        for index, group in enumerate(groups):
            every += [group[1], *colours[4 + 2 * index : 6 + 2 * index]]
    found = list(bag.frames(write(tmp_path / 'made', every)))
    assert [each.depth is not None for each in found] == [True] * len(FRAMES)
    for one, other in zip(found, FRAMES):
        np.testing.assert_allclose(one.depth, other.depth, atol=1e-6)


def test_a_raw_picture_waits_for_the_first_camera_info(tmp_path):
    groups = [messages_of([frame(index, depth=None)]) for index in range(3)]
    colour_first = [pair for group in groups for pair in sorted(group, reverse=True)]
    assert colour_first[0][0] == cameras.COLOUR_TOPIC
    path = write(tmp_path / 'made', colour_first)
    found = list(bag.frames(path, lens=LensOptions(rectify=True)))
    assert [each.stamp for each in found] == [each.stamp for each in FRAMES[:3]]


def test_a_depth_that_is_missing_is_missing(tmp_path):
    some = [frame(0), frame(1, depth=None), frame(2)]
    record.write_frames(tmp_path / 'made', some)
    assert [f.depth is None for f in bag.frames(tmp_path / 'made')] == [False, True, False]


def test_topics_are_found_by_type_and_encoding(tmp_path):
    record.write_frames(tmp_path / 'all', FRAMES)
    found = bag.find_topics(tmp_path / 'all')
    assert found == (cameras.COLOUR_TOPIC, cameras.DEPTH_TOPIC, cameras.INFO_TOPIC, '')
    record.write_frames(tmp_path / 'colour', [frame(0, depth=None, camera=None)])
    assert bag.find_topics(tmp_path / 'colour') == (cameras.COLOUR_TOPIC, '', '', '')


def shrunk(topic, message):
    """Make of an Image what image_transport publishes beside it."""
    depth = message.encoding == '16UC1'
    pixels = message.data.view(np.uint16 if depth else np.uint8).reshape(message.height, -1)
    if not depth:
        pixels = pixels.reshape(message.height, message.width, 3)[..., ::-1]
    data = np.frombuffer(bytes(12 * depth) + cv2.imencode('.png', pixels)[1].tobytes(), np.uint8)
    name, form = (
        ('compressedDepth', '16UC1; compressedDepth png')
        if depth
        else ('compressed', 'rgb8; png compressed bgr8')
    )
    kinds = get_typestore(Stores.ROS2_HUMBLE).types
    return f'{topic}/{name}', kinds[cameras.COMPRESSED](message.header, form, data)


def test_compressed_topics_are_found_and_read(tmp_path):
    raw = messages_of(FRAMES)
    small = [(t, m) if t == cameras.INFO_TOPIC else shrunk(t, m) for t, m in raw]
    path = write(tmp_path / 'small', small)
    image, depth = f'{cameras.COLOUR_TOPIC}/compressed', f'{cameras.DEPTH_TOPIC}/compressedDepth'
    assert bag.find_topics(path) == (image, depth, cameras.INFO_TOPIC, '')
    for one, other in zip(bag.frames(path), FRAMES, strict=True):
        same(one, other)
    # Where both are, there is nothing to choose.
    both = write(tmp_path / 'both', [*raw, *small])
    assert bag.find_topics(both)[:2] == (cameras.COLOUR_TOPIC, cameras.DEPTH_TOPIC)


def test_depth_of_another_camera_is_brought_onto_colour(tmp_path):
    every = []
    for each in FRAMES:
        coarse = CAMERA._replace(fx=30.0, fy=30.5, cx=8.0, cy=6.0, width=16, height=12)
        small = Frame(each.rgb[::2, ::2], each.depth[::2, ::2], coarse, each.stamp, 'eye')
        colour, _, lens = messages_of([each])
        _, (_, depth), (_, depth_lens) = messages_of([small])
        every += [lens, ('/depth/camera_info', depth_lens), colour, ('/depth/image_raw', depth)]
    path = write(tmp_path / 'made', every)
    topics = bag.find_topics(path)
    assert topics[1:] == ('/depth/image_raw', cameras.INFO_TOPIC, '/depth/camera_info')
    for one, other in zip(bag.frames(path, topics), FRAMES, strict=True):
        assert one.depth.shape == (24, 32)
        np.testing.assert_allclose(one.depth[::2, ::2], other.depth[::2, ::2], atol=1e-6)


def test_topics_that_cannot_be_told_apart_must_be_named(tmp_path):
    (topic, colour), *_ = messages_of(FRAMES[:1])
    path = write(tmp_path / 'two', [(topic, colour), ('/other', colour)])
    with pytest.raises(ValueError, match=r'one colour topic, it has .*/other'):
        bag.find_topics(path)
    assert bag.find_topics(path, image='/other').image == '/other'
    with pytest.raises(ValueError, match='has no topic /nonesuch'):
        bag.find_topics(path, image='/nonesuch')


def test_a_bad_frame_is_reported_and_the_next_is_read(tmp_path):
    every = messages_of(FRAMES)
    every[3][1].encoding = 'nonesuch'
    path, reasons = write(tmp_path / 'made', every), []
    topics = cameras.Topics(cameras.COLOUR_TOPIC, cameras.DEPTH_TOPIC, cameras.INFO_TOPIC)
    found = list(bag.frames(path, topics, undecodable=lambda e: reasons.append(e.reason)))
    assert reasons == ['encoding']
    assert len(found) == len(FRAMES) - 1
    with pytest.raises(decode.Undecodable):
        list(bag.frames(path, topics))


@pytest.mark.parametrize('share', [0.5, 0.8, 0.97])
@pytest.mark.parametrize('storage', StoragePlugin)
def test_a_bag_that_was_cut_off_is_read_to_its_last_good_message(tmp_path, storage, share):
    every = [frame(index) for index in range(20)]
    path = write(tmp_path / 'made', messages_of(every), storage)
    (file,) = (each for each in path.iterdir() if each.suffix != '.yaml')
    file.write_bytes(file.read_bytes()[: int(file.stat().st_size * share)])
    found = []
    with pytest.raises(bag.Cut, match=r'bag .*made is .*(good|messages)'):
        found += bag.frames(path)  # it keeps what came before
    found = []
    with suppress(bag.Cut):
        for each in bag.frames(path):
            found.append(each)
    assert 20 * share - 3 <= len(found) <= 20 * share + 1
    for one, other in zip(found, every):
        if one.depth is not None:  # the last may have lost its own
            same(one, other)


def test_a_cut_bag_of_compressed_messages(tmp_path):
    record.write_frames(tmp_path / 'made', FRAMES)
    (file,) = (tmp_path / 'made').glob('*.mcap')
    file.write_bytes(file.read_bytes()[: file.stat().st_size * 2 // 3])
    (tmp_path / 'made' / 'metadata.yaml').unlink()
    found = []
    with pytest.raises(bag.Cut, match='last good message'):
        for each in bag.frames(tmp_path / 'made'):
            found.append(each)
    assert 2 <= len(found) < len(FRAMES)
    same(found[0], FRAMES[0])


def test_a_message_that_is_damaged_ends_the_bag(tmp_path):
    path = tmp_path / 'made'
    writer = Writer(path, version=8, storage_plugin=StoragePlugin.SQLITE3)
    writer.set_compression(CompressionMode.MESSAGE, CompressionFormat.ZSTD)
    with writer:
        (topic, message), *_ = messages_of(FRAMES[:1])
        kind = message.__msgtype__
        connection = writer.add_connection(topic, kind, typestore=TYPES)
        for time in range(5):
            writer.write(connection, time, TYPES.serialize_cdr(message, kind))
    with sqlite3.connect(path / 'made.db3') as database:
        database.execute('UPDATE messages SET data = substr(data, 1, 100) WHERE timestamp = 3')
    found = []
    with pytest.raises(bag.Cut, match='damaged after 3 messages'):
        for each in bag.messages(path):
            found.append(each.time)
    assert found == [0, 1, 2]


@pytest.mark.parametrize('storage', StoragePlugin)
def test_a_bag_whose_metadata_were_never_written_is_whole(tmp_path, storage):
    path = write(tmp_path / 'made', messages_of(FRAMES), storage)
    (path / 'metadata.yaml').unlink()
    assert bag.is_bag(path)
    for one, other in zip(bag.frames(path), FRAMES, strict=True):
        same(one, other)


def split(path, frames):
    """Write a bag of a file for each frame, as rosbag2 splits one."""
    path.mkdir()
    names = []
    for index, each in enumerate(frames):
        made = write(path.parent / f'part_{index}', messages_of([each]), StoragePlugin.MCAP)
        names.append(f'{path.name}_{index}.mcap')
        next(made.glob('*.mcap')).rename(path / names[-1])
    listed = {'rosbag2_bagfile_information': {'relative_file_paths': names}}
    (path / 'metadata.yaml').write_text(yaml.dump(listed))
    return path


@pytest.mark.parametrize('gone', [0, 1, 2])
def test_a_file_that_a_split_bag_lacks_is_named_and_the_others_are_read(tmp_path, gone):
    path, found = split(tmp_path / 'made', FRAMES[:3]), []
    assert len([*bag.frames(path)]) == 3
    (path / f'made_{gone}.mcap').unlink()
    with pytest.raises(bag.Cut, match=f'lists made_{gone}.mcap, which is not there'):
        for each in bag.frames(path):
            found.append(each)
    for one, other in zip(found, FRAMES[:gone] + FRAMES[gone + 1 : 3], strict=True):
        same(one, other)


@pytest.mark.parametrize('suffix', ['.mcap', '.mcap.zstd', '.db3', '.db3.zstd'])
def test_files_of_a_split_bag_are_in_the_order_of_their_numbers(tmp_path, suffix):
    names = [f'v1.2_{index}{suffix}' for index in range(12)]
    for name in reversed(names):
        (tmp_path / name).touch()
    assert [each.name for each in salvage.files(tmp_path)] == names


def test_files_that_were_renamed_are_all_there(tmp_path):
    path = split(tmp_path / 'made', FRAMES[:3])
    for index in range(3):
        (path / f'made_{index}.mcap').rename(path / f'tuesday_{index}.mcap')
    for one, other in zip(bag.frames(path), FRAMES[:3], strict=True):
        same(one, other)


@pytest.mark.parametrize('cut', [False, True])
def test_what_a_crash_left_in_sqlites_log_is_read(tmp_path, cut):
    """The files as they are while half of the messages is committed to the log alone."""
    file = write(tmp_path / 'made', messages_of(FRAMES)) / 'made.db3'
    copy = 'INSERT INTO messages (topic_id, timestamp, data) SELECT topic_id, timestamp, data '
    (tmp_path / 'killed').mkdir()
    with closing(sqlite3.connect(file)) as database, database:
        database.execute('PRAGMA journal_mode = WAL')
        database.execute(f'{copy} FROM messages')
        database.commit()
        for name in ('made.db3', 'made.db3-wal'):
            shutil.copyfile(file.with_name(name), tmp_path / 'killed' / name)
    killed = tmp_path / 'killed' / 'made.db3-wal'
    if cut:  # its last pages never got to the disk: that commit does not count, the rest does
        killed.write_bytes(killed.read_bytes()[:-5000])
    before = killed.read_bytes()
    assert len(list(bag.messages(tmp_path / 'killed'))) == 18 * (1 if cut else 2)
    assert killed.read_bytes() == before and len(list(killed.parent.iterdir())) == 2


@pytest.mark.parametrize('name', ['a.mcap', 'a.db3'])
def test_a_file_of_garbage_is_no_bag(tmp_path, name):
    (tmp_path / name).write_bytes(bytes(range(256)) * 20)
    with pytest.raises(ValueError, match='nothing of it can be read'):
        list(bag.messages(tmp_path / name))


def test_no_bag_and_no_pictures(tmp_path):
    with pytest.raises(FileNotFoundError, match='no bag'):
        bag.topics_of(tmp_path / 'nonesuch')
    (tmp_path / 'empty').mkdir()
    with pytest.raises(FileNotFoundError, match='empty'):
        bag.topics_of(tmp_path / 'empty')


def test_a_bag_is_written_whole_or_not_at_all(tmp_path):
    def broken():
        yield FRAMES[0]
        raise RuntimeError('the camera fell down')

    with pytest.raises(RuntimeError, match='fell down'):
        record.write_frames(tmp_path / 'made', broken())
    assert list(tmp_path.iterdir()) == []
    record.write_frames(tmp_path / 'made', FRAMES)
    with pytest.raises(FileExistsError, match='exists'):
        record.write_frames(tmp_path / 'made', FRAMES)
    assert [path.name for path in tmp_path.iterdir()] == ['made']


def test_a_frame_has_the_pose_of_its_stamp(tmp_path):
    pose = geometry.matrix((0.1, 0.2, 0.3), (0.1, -0.2, 0.3, 0.9))
    with record.Writer(tmp_path / 'bag') as writer:
        for index, given in enumerate([pose, None, np.linalg.inv(pose)]):
            record.write_frame(writer, FRAMES[index], given)
    first, second, third = bag.frames(tmp_path / 'bag')
    np.testing.assert_allclose(first.pose, pose, atol=1e-9)
    assert second.pose is None
    np.testing.assert_allclose(third.pose @ pose, np.eye(4), atol=1e-9)
