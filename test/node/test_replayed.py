"""What a replay writes is what the live node publishes, to the last bit."""

from live import disc, FAKE
import numpy as np
from rclpy.serialization import serialize_message
from rganet_ros import bag, cli, messages, record
from rganet_ros.node import encode
from rganet_ros.types import Camera, Candidate, Frame
from std_msgs.msg import Header

SECOND = 10**9
NOW = 1_700_000_000 * SECOND


def plain(message, kind):
    """Give the CDR of rclpy's message with zeros between fields, where Fast CDR has anything."""
    data = serialize_message(message)
    return bytes(messages.TYPES.serialize_cdr(messages.TYPES.deserialize_cdr(data, kind), kind))


def test_the_messages_are_the_same():
    rng = np.random.default_rng(0)
    normal = np.array([0.3, -0.2, -(0.87**0.5)])
    found = tuple(
        Candidate(*rng.random(3), *normal, *rng.random(5), 3.0, 4.0) for _ in range(3)
    ) + (Candidate(*[float('nan')] * 6, 0.5, 0.5, *[float('nan')] * 3, 1.0, 2.0),)
    depth = rng.integers(0, 2, (120, 160)).astype(np.float32)
    frame = Frame(disc(), depth, Camera(150, 150, 80, 60, 160, 120), NOW + 5, 'eye')
    header = Header(frame_id='eye')
    header.stamp.sec, header.stamp.nanosec = divmod(frame.stamp, SECOND)
    mine = messages.header(frame.stamp, frame.frame_id)
    theirs_poses, our_poses = encode.poses(header, found), messages.poses(mine, found)
    labels = disc()[..., 0] // 128
    for theirs, ours in (
        (encode.cloud(header, found), messages.cloud(mine, found)),
        (encode.cloud(header, ()), messages.cloud(mine, ())),
        (theirs_poses, our_poses),
        (encode.markers(header, theirs_poses, 0.02), messages.markers(mine, our_poses, 0.02)),
        (encode.coloured(header, frame), messages.coloured(mine, frame)),
        (encode.poses(header, ()), messages.poses(mine, ())),
        (encode.picture(header, labels, 'mono8'), messages.picture(mine, labels, 'mono8')),
    ):
        kind = ours.__msgtype__
        assert bytes(messages.TYPES.serialize_cdr(ours, kind)) == plain(theirs, kind)


def test_online_and_offline_say_the_same(start, client, tmp_path):
    start(*FAKE)
    client.meet()
    frames = [
        Frame(np.roll(disc(), 9 * k, 1), np.full((120, 160), 0.5, np.float32),
              Camera(150, 150, 80, 60, 160, 120), NOW + k * SECOND, 'camera')
        for k in range(4)
    ]  # fmt: skip
    for frame in frames:
        client.answer(frame.stamp, rgb=frame.rgb)
        client.spin_until(lambda s=frame.stamp: client.of('poses', s), 'poses')
    record.write_frames(tmp_path / 'frames', frames)
    words = ['--model', 'fake', '--backend', 'fake', '--out', str(tmp_path / 'out')]
    assert cli.main(['replay', str(tmp_path / 'frames'), *words]) == 0
    count = 0
    for message in bag.messages(tmp_path / 'out' / 'outputs'):
        name = message.topic.rpartition('/')[2]
        if name in ('candidates', 'poses'):
            (online,) = client.of(name, message.time)
            assert message.data == plain(online, message.type)
            count += 1
    assert count == 8
