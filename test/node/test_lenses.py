"""Lenses that distort, and depth cameras that are not colour's, before a live node."""

import itertools
import os

from live import disc, FAKE, picture
import numpy as np
import pytest
from rganet_ros import decode
from rganet_ros.node.encode import read_cloud
from sensor_msgs.msg import CameraInfo

SECOND = 10**9
NOW = 1_700_000_000 * SECOND


def test_depth_of_another_camera_and_a_lens_that_distorts(start, client):
    process = start(*FAKE)
    publisher = client.node.create_publisher(CameraInfo, 'depth_camera_info', 5)
    client.heard()
    client.spin_until(publisher.get_subscription_count, 'discovery')
    lens = CameraInfo(height=120, width=160)
    lens.k = [75.0, 0.0, 80.0, 0.0, 75.0, 60.0, 0.0, 0.0, 1.0]  # twice as wide as colour's
    publisher.publish(lens)
    client.spin_until(lambda: client.count('received.depth_camera_info'), 'its arrival')
    depth = np.full((120, 160), 900, np.uint16)
    depth[30:90, 40:120] = 500  # what colour sees of it
    cloud = client.answer(NOW, depth=picture(depth, '16UC1', NOW))
    assert cloud.width and all(abs(c.z - 0.5) < 2e-3 for c in read_cloud(cloud))
    bent = CameraInfo(
        height=120, width=160, distortion_model='plumb_bob', d=[0.3, 0.0, 0.0, 0.0, 0.0]
    )
    bent.k = [150.0, 0.0, 80.0, 0.0, 150.0, 60.0, 0.0, 0.0, 1.0]
    for index in (1, 2, 3):
        stamp = NOW + index * SECOND
        image = picture(disc(), 'rgb8', stamp)
        bent.header = image.header
        client.publishers['image'].publish(image)
        client.publishers['depth'].publish(picture(depth, '16UC1', stamp))
        client.publishers['camera_info'].publish(bent)
        client.spin_until(lambda s=stamp: client.of('candidates', s), 'an answer')
    assert process.said().count('a rectified picture is expected') == 1


@pytest.mark.parametrize('has_depth', [True, False], ids=['depth', 'colour alone'])
def test_raw_pictures_are_rectified_where_that_is_asked_for(start, client, has_depth):
    process = start(*FAKE, '-p', 'rectify:=true', '-p', f'depth:={str(has_depth).lower()}')
    client.heard(('image', 'camera_info'))
    lens = CameraInfo(height=120, width=160, distortion_model='plumb_bob')
    lens.k = [150.0, 0.0, 80.0, 0.0, 150.0, 60.0, 0.0, 0.0, 1.0]
    lens.d = [-0.6, 0.0, 0.0, 0.0, 0.0]

    rgb = np.zeros((120, 160, 3), np.uint8)
    rgb[45:76, 105:136] = 255

    def send():
        image = picture(rgb, 'rgb8', next(stamps))
        lens.header = image.header
        client.publishers['image'].publish(image)
        depth = np.full((120, 160), 500, np.uint16)
        depth = picture(depth, '16UC1', decode.stamp(image.header))
        client.publishers['depth'].publish(depth)
        client.publishers['camera_info'].publish(lens)

    stamps = itertools.count(NOW, SECOND)
    client.spin_until(lambda: client.received['labels'], 'labels', again=send)
    labels = decode.rgb(client.received['labels'][0])[..., 0] == 2
    # x - 0.6 x^3 = 40 / 150 has x = 0.301: what was at column 120 lies at 80 + 45.
    assert 123 < np.nonzero(labels)[1].mean() < 128
    assert 'a rectified picture is expected' not in process.said()


TF2 = """
class TransformException(Exception):
    pass


class _Numbers:
    def __init__(self, **numbers):
        self.__dict__.update(numbers)


class Buffer:
    def lookup_transform(self, target, source, time, timeout):
        if (target, source) != ('camera', 'depth_eye'):
            raise TransformException('no such frames')
        move, turn = _Numbers(x=0.0, y=0.0, z=0.1), _Numbers(x=0.0, y=0.0, z=0.0, w=1.0)
        return _Numbers(transform=_Numbers(translation=move, rotation=turn))


class TransformListener:
    def __init__(self, buffer, node):
        pass

    def unregister(self):
        pass
"""


def test_depth_in_a_frame_of_its_own_is_seen_from_colours(start, client, tmp_path):
    """With a stand-in for tf2_ros: the depth camera stands a tenth of a metre before colour's."""
    (tmp_path / 'tf2_ros.py').write_text(TF2)
    path = f'{tmp_path}:{os.environ.get("PYTHONPATH", "")}'
    start(*FAKE, '-p', 'register_depth:=true', environment={'PYTHONPATH': path})
    publisher = client.node.create_publisher(CameraInfo, 'depth_camera_info', 5)
    client.heard()
    client.spin_until(publisher.get_subscription_count, 'discovery')
    depth = np.full((120, 160), 500, np.uint16)
    client.send(NOW, depth=picture(depth, '16UC1', NOW, frame_id='depth_eye'))
    client.spin_until(lambda: client.count('dropped.depth_camera_info'), 'a refusal')
    lens = CameraInfo(height=120, width=160)
    lens.k = [100.0, 0.0, 80.0, 0.0, 100.0, 60.0, 0.0, 0.0, 1.0]
    publisher.publish(lens)
    client.spin_until(lambda: client.count('received.depth_camera_info'), 'its arrival')
    own = picture(depth, '16UC1', NOW + SECOND, frame_id='depth_eye')
    cloud = client.answer(NOW + SECOND, depth=own)
    assert cloud.width and all(abs(c.z - 0.6) < 2e-3 for c in read_cloud(cloud))
    other = picture(depth, '16UC1', NOW + 2 * SECOND, frame_id='moon')
    client.send(NOW + 2 * SECOND, depth=other)
    client.spin_until(lambda: client.count('dropped.transform'), 'a refusal')
