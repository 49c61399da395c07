"""A clip as frames and as a bag."""

import numpy as np
import pytest
from rganet_ros import bag, cameras, cli, decode
from rganet_ros.synthetic import clip
from rganet_ros.synthetic import recipe as recipes
from scipy.spatial.transform import Rotation

COUNT = 6


@pytest.fixture(scope='module')
def samples(small):
    return list(clip.samples(small, 'test', 3, 6, COUNT))


def test_the_camera_drifts_and_its_numbers_stay(samples):
    assert len({sample.camera for sample in samples}) == 1
    steps = np.diff([sample.pose[:3, 3] for sample in samples], axis=0)
    assert (np.linalg.norm(steps, axis=1) > 0.001).all()
    assert (np.linalg.norm(steps, axis=1) < 0.1).all()


def test_noise_differs_where_nothing_else_does():
    first, second = clip.SteadyCamera([1, 2], 0), clip.SteadyCamera([1, 2], 1)
    assert first.uniform() == second.uniform() and first.random() == second.random()
    assert (first.standard_normal(3) == second.standard_normal(3)).all()
    assert not (first.standard_normal((4, 4)) == second.standard_normal((4, 4))).any()
    assert not (first.random((4, 4)) == second.random((4, 4))).any()
    assert first.integers(9**9) == second.integers(9**9)


def test_the_second_half_is_emptied(samples):
    taken = [clip._best(samples[k]) for k in (COUNT // 2 - 1, COUNT // 2 + 1)]
    before = set(np.unique(samples[0].instance))
    for number in filter(lambda number: number is not None, taken):
        assert number + 1 in before
        assert number + 1 not in np.unique(samples[-1].instance)
    assert taken[0] is not None


def test_a_clip_is_a_function_of_its_arguments(small):
    one, two = (list(clip.samples(small, 'test', 3, 0, 4)) for _ in range(2))
    for a, b in zip(one, two, strict=True):
        assert np.array_equal(a.rgb, b.rgb) and np.array_equal(a.depth, b.depth)
        assert a.camera == b.camera


def test_the_bag_holds_the_frames(tmp_path):
    recipe = tmp_path / 'small.yaml'
    recipe.write_text('{width: 96, height: 72, bank: 12, most_objects: 6, empty_share: 0}')
    path = tmp_path / 'bag'
    words = ['synthesize', str(path), '--clip=3', '--split=test', f'--recipe={recipe}']
    assert cli.main([*words, '--period=0.5']) == 0
    frames = list(bag.frames(path))
    assert [frame.stamp - clip.START * 10**9 for frame in frames] == [0, 500_000_000, 10**9]
    for frame in frames:
        assert frame.rgb.shape == (72, 96, 3) and frame.depth.shape == (72, 96)
        assert frame.camera.width == 96
    poses = [bag.deserialize(m) for m in bag.messages(path, [cameras.POSE_TOPIC])]
    assert [decode.stamp(pose.header) for pose in poses] == [frame.stamp for frame in frames]
    expected = clip.samples(recipes.find(str(recipe)), 'test', 1, 0, 3, clip.QUIET)
    for message, sample in zip(poses, expected, strict=True):
        place, turn = message.pose.position, message.pose.orientation
        assert np.allclose([place.x, place.y, place.z], sample.pose[:3, 3])
        assert message.header.frame_id == 'world'
        found = Rotation.from_quat([turn.x, turn.y, turn.z, turn.w]).as_matrix()
        assert np.allclose(found, sample.pose[:3, :3])
    assert cli.main(words) == 2  # it exists
