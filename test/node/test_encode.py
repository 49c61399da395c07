import numpy as np
import pytest
from rganet_ros import messages
from rganet_ros.encodings import COLOURS, DEPTHS, view
from rganet_ros.geometry import matrix, quaternions
from rganet_ros.node import encode
from rganet_ros.types import Candidate
from sensor_msgs.msg import PointCloud2
from std_msgs.msg import Header

NAN = float('nan')
HEADER = Header(frame_id='camera')


def candidate(normal=(0.0, 0.0, -1.0), at=(0.1, 0.2, 0.5), score=0.5):
    return Candidate(*at, *normal, score, 0.9, 0.8, 1.0, 0.7, 320.0, 240.0)


PIXEL = Candidate(NAN, NAN, NAN, NAN, NAN, NAN, 0.6, 0.6, NAN, NAN, NAN, 3.0, 4.0)


def rotation(q):
    x, y, z, w = q
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


def test_candidates_come_back_as_they_went():
    given = [candidate(), PIXEL, candidate(score=0.25)]
    message = encode.cloud(HEADER, given)
    assert (message.width, message.height, message.is_dense) == (3, 1, False)
    assert len(message.data) == message.row_step == 3 * message.point_step
    np.testing.assert_allclose(encode.read_cloud(message), given, rtol=1e-6)


def test_no_candidates_are_a_cloud_of_width_0():
    message = encode.cloud(HEADER, ())
    assert (message.width, len(message.data), len(message.fields)) == (0, 0, 13)
    assert encode.read_cloud(message) == []


def test_candidates_are_read_from_a_bags_message_too():
    kinds = messages.TYPES.types
    sent = encode.cloud(HEADER, [candidate()])
    fields = [
        kinds['sensor_msgs/msg/PointField'](f.name, f.offset, f.datatype, f.count)
        for f in sent.fields
    ]
    header = kinds['std_msgs/msg/Header'](kinds['builtin_interfaces/msg/Time'](1, 2), 'camera')
    data = np.frombuffer(sent.data, np.uint8)
    message = kinds['sensor_msgs/msg/PointCloud2'](header, 1, 1, fields, False, 52, 52, data, True)
    np.testing.assert_allclose(encode.read_cloud(message), [candidate()], rtol=1e-6)


def test_another_cloud_is_refused():
    with pytest.raises(ValueError, match='not of candidates'):
        encode.read_cloud(PointCloud2(point_step=12))


@pytest.mark.parametrize(
    'normal',
    [
        (0, 0, -1),
        (0.6, 0, -0.8),
        (0, 0.6, -0.8),
        (-0.3, 0.5, -0.81),
        (0, -1, 0),
        (1, 0, 0),
        (-1, 0, 0),
        (0, 0, 1),
    ],
)
def test_a_pose_approaches_into_the_surface_with_x_to_the_right(normal):
    normal = np.array(normal, float) / np.linalg.norm(normal)
    (turn,) = quaternions(encode.orientations(normal[None]))
    x, y, z = rotation(turn).T
    np.testing.assert_allclose(z, -normal, atol=1e-9)
    np.testing.assert_allclose(np.cross(z, x), y, atol=1e-9)
    right = np.array([0.0, 1.0, 0.0]) if abs(normal[0]) > 0.999 else np.array([1.0, 0.0, 0.0])
    np.testing.assert_allclose(np.cross(x, right - (right @ z) * z), 0, atol=1e-9)
    assert x @ right > 0


def test_poses_are_of_candidates_that_have_a_place():
    poses = encode.poses(HEADER, [PIXEL, candidate()])
    assert len(poses.poses) == 1
    assert poses.poses[0].position.z == 0.5
    assert encode.best(poses).pose == poses.poses[0]
    assert encode.best(encode.poses(HEADER, [PIXEL])) is None
    assert encode.poses(HEADER, ()).poses == []


def test_poses_in_another_frame_are_moved_and_turned():
    # The camera looks down from 1 m: its x is the world's x, its y the world's -y.
    above = encode.Target('world', matrix((0.1, 0.2, 1.0), (1.0, 0.0, 0.0, 0.0)))
    here = encode.poses(HEADER, [candidate()]).poses[0]
    found = encode.poses(HEADER, [candidate()], above)
    assert (found.header.frame_id, found.header.stamp) == ('world', HEADER.stamp)
    place, old = found.poses[0].position, here.position
    expected = (0.1 + old.x, 0.2 - old.y, 1 - old.z)
    assert (place.x, place.y, place.z) == pytest.approx(expected)
    turns = [
        rotation([getattr(pose.orientation, name) for name in 'xyzw'])
        for pose in (here, found.poses[0])
    ]
    np.testing.assert_allclose(turns[1], above.pose[:3, :3] @ turns[0], atol=1e-9)
    assert HEADER.frame_id == 'camera'


def test_markers_begin_with_the_end_of_the_old_ones():
    found = encode.markers(HEADER, encode.poses(HEADER, [candidate(), candidate()]), 0.015)
    first, *others = found.markers
    assert first.action == first.DELETEALL
    assert [(m.ns, m.id) for m in others] == [
        ('disc', 0),
        ('approach', 0),
        ('disc', 1),
        ('approach', 1),
    ]
    assert others[0].scale.x == 0.03
    assert all(m.header.frame_id == 'camera' for m in found.markers)


@pytest.mark.parametrize(
    ('encoding', 'dtype', 'channels'), [('32FC1', 'f4', 1), ('mono8', 'u1', 1), ('rgb8', 'u1', 3)]
)
def test_pictures_come_back_as_they_went(encoding, dtype, channels):
    shape = (48, 64, 3)[: 2 + (channels == 3)]
    pixels = np.random.default_rng(0).integers(0, 255, shape).astype(dtype)
    message = encode.picture(HEADER, pixels, encoding)
    np.testing.assert_array_equal(view(message, COLOURS | DEPTHS), pixels)


def test_smaller_class_ids_are_still_class_ids():
    pixels = np.random.default_rng(0).choice(np.array([0, 2], np.uint8), (48, 64))
    message = encode.picture(HEADER, pixels, 'mono8', 0.5)
    assert (message.width, message.height) == (32, 24)
    assert set(message.data) == {0, 2}
    smooth = encode.picture(HEADER, pixels.astype(np.float32), '32FC1', 0.5)
    assert 1 in view(smooth, DEPTHS)
