import numpy as np
import pytest
from rganet_ros import geometry
from rganet_ros.types import Camera

CAMERA = Camera(500.0, 250.0, 40.2, 21.7, 80, 60)


def test_points_are_projected_back_to_their_pixels_and_unknown_ones_are_nan():
    depth = np.random.default_rng(0).uniform(0.3, 2, (60, 80)).astype(np.float32)
    depth[0, 0], depth[1, 1], depth[2, 2], depth[3, 3] = 0, np.nan, np.inf, -1
    points = geometry.points(depth, CAMERA)
    assert points.shape == (60, 80, 3)
    assert points.dtype == np.float32
    assert np.isnan(points).all(axis=2).sum() == np.isnan(points).any(axis=2).sum() == 4
    known = np.isfinite(points[..., 2])
    u, v = geometry.project(*points[known].T, CAMERA)
    rows, columns = np.nonzero(known)
    np.testing.assert_allclose(u, columns, atol=1e-3)
    np.testing.assert_allclose(v, rows, atol=1e-3)
    np.testing.assert_array_equal(points[known][:, 2], depth[known])


def test_a_point_by_hand():
    depth = np.zeros((60, 80), np.float32)
    depth[10, 30] = 2
    x, y, z = geometry.points(depth, CAMERA)[10, 30]
    assert (x, y, z) == pytest.approx(((30 - 40.2) / 500 * 2, (10 - 21.7) / 250 * 2, 2))


def test_tangents_are_a_right_handed_frame_and_the_first_is_the_pictures_right():
    normals = np.random.default_rng(1).normal(size=(50, 3))
    normals = np.concatenate([normals, [[0, 0, -1], [1, 0, 0], [-1, 0, 0], [0, 1, 0]]])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    right, across = geometry.tangents(normals)
    frames = np.stack([right, across, normals], axis=2)
    np.testing.assert_allclose(
        frames.transpose(0, 2, 1) @ frames, np.broadcast_to(np.eye(3), (54, 3, 3)), atol=1e-9
    )
    np.testing.assert_allclose(np.linalg.det(frames), 1, atol=1e-9)
    # Projected on the surface: no other direction in it leans more to the right.
    np.testing.assert_allclose(across[:51, 0], 0, atol=1e-9)
    assert (right[:51, 0] > 0).all()
    np.testing.assert_allclose(right[51:53], [[0, 1, 0], [0, 1, 0]], atol=1e-9)


def _samples(normal, distance, count=40, seed=2):
    """Rays x, y, and inverse depth there, of the plane normal . p = distance."""
    u, v = np.random.default_rng(seed).uniform((0, 0), (80, 60), (count, 2)).T
    ray = np.stack([(u - CAMERA.cx) / CAMERA.fx, (v - CAMERA.cy) / CAMERA.fy, np.ones(count)])
    return *ray[:2], normal @ ray / distance


def test_planes_are_fitted_exactly_and_ignore_samples_without_weight():
    normals = np.array([[0, 0, 1], [0.6, 0, 0.8], [-0.48, 0.64, 0.6]])
    distances = np.array([0.5, 0.3, 1.2])
    x, y, inverse = (
        np.stack(a, 1) for a in zip(*(_samples(n, d) for n, d in zip(normals, distances)))
    )
    weight = np.random.default_rng(3).uniform(0.1, 1, x.shape)
    weight[::7] = 0
    inverse[::7] = 99
    fitted, far = geometry.fit_planes(x, y, inverse, weight)
    np.testing.assert_allclose(fitted, normals, atol=1e-9)
    np.testing.assert_allclose(far, distances, atol=1e-9)


def test_a_fit_is_the_least_squares_solution():
    random = np.random.default_rng(4)
    x, y, inverse = _samples(np.array([0.6, 0, 0.8]), 0.5)
    inverse = inverse + random.normal(0, 0.02, inverse.shape)
    weight = random.uniform(0, 1, x.shape)
    normal, distance = geometry.fit_planes(*(a[:, None] for a in (x, y, inverse, weight)))
    rays = np.stack([x, y, np.ones(40)], 1)
    root = np.sqrt(weight)
    expected, *_ = np.linalg.lstsq(rays * root[:, None], inverse * root, rcond=None)
    np.testing.assert_allclose(normal[0] / distance[0], expected, rtol=1e-9)


@pytest.mark.parametrize('weight', [0, 1], ids=['no weight', 'on a line'])
def test_samples_that_span_no_plane_give_nan(weight):
    x = np.arange(20.0)[:, None]
    normal, distance = geometry.fit_planes(x, 2 * x, x * 0 + 2, x * 0 + weight)
    assert np.isnan(normal).all()
    assert np.isnan(distance).all()


def test_a_pose_undoes_its_quaternion():
    turns = np.random.default_rng(5).normal(size=(20, 4))
    matrices = np.array([geometry.matrix((1, 2, 3), turn)[:3, :3] for turn in turns])
    np.testing.assert_allclose(matrices @ matrices.transpose(0, 2, 1), [np.eye(3)] * 20, atol=1e-9)
    found, unit = geometry.quaternions(matrices), turns / np.linalg.norm(turns, axis=1)[:, None]
    assert np.abs((found * unit).sum(1)).min() > 1 - 1e-9  # q and -q are one rotation
    with pytest.raises(ValueError, match='no pose'):
        geometry.matrix((0, 0, 0), (0, 0, 0, 0))
