"""
Depth to points, points to pixels, and planes through patches of a depth picture.

Frames are optical (x right, y down, z forward, REP 103). A pixel (u, v) is the ray
((u - cx) / fx, (v - cy) / fy, 1); a pixel's centre has whole coordinates.
"""

from __future__ import annotations

import numpy as np

from .types import Camera, Frame


def points(depth: np.ndarray, camera: Camera) -> np.ndarray:
    """
    Back-project a depth picture.

    depth    (H, W) float32, metres along z; 0, NaN and Inf are unknown
    returns  (H, W, 3) float32, metres, optical frame; NaN where unknown
    """
    height, width = depth.shape
    known = (depth > 0) & (depth < np.inf)
    z = np.where(known, depth, np.float32(np.nan))
    x = (np.arange(width, dtype=np.float32) - camera.cx) / camera.fx
    y = (np.arange(height, dtype=np.float32)[:, None] - camera.cy) / camera.fy
    return np.stack([x * z, y * z, z], axis=-1).astype(np.float32, copy=False)


def coloured(frame: Frame, every: int = 1) -> np.ndarray:
    """
    Back-project a frame with depth and camera, every so many pixels, where depth is known.

    returns  (N, 4) little-endian float32: x y z in metres, and the colour in a float's bytes,
             as every viewer reads it: 0, red, green, blue from the highest on
    """
    places = points(frame.depth, frame.camera)[::every, ::every].reshape(-1, 3)
    known = np.isfinite(places[:, 2])
    rows = np.zeros((int(known.sum()), 4), '<f4')
    rows[:, :3] = places[known]
    colours = frame.rgb[::every, ::every].reshape(-1, 3)[known].astype('<u4')
    rows[:, 3] = (colours @ np.array([65536, 256, 1], '<u4')).astype('<u4').view('<f4')
    return rows


def project(x: np.ndarray, y: np.ndarray, z: np.ndarray, camera: Camera):
    """Pixels (u, v), not rounded, of points in the optical frame, z > 0, metres."""
    return camera.fx * x / z + camera.cx, camera.fy * y / z + camera.cy


def resample(picture: np.ndarray, source: Camera, target: Camera) -> np.ndarray:
    """
    Put a picture of one camera on the pixels of another that looks from the same place.

    Without parallax a pixel's ray alone says where it is in the source, whatever its depth. The
    nearest pixel is taken: depths of two surfaces are never mixed.

    picture  (h, w) of the source
    returns  (H, W) of the target; 0 where the source did not look
    """
    with np.errstate(all='ignore'):  # what is not a number was not seen
        columns = (np.arange(target.width) - target.cx) / target.fx * source.fx + source.cx
        rows = (np.arange(target.height) - target.cy) / target.fy * source.fy + source.cy
    columns, rows = (np.nan_to_num(np.rint(a), nan=-1.0) for a in (columns, rows))
    seen = ((rows >= 0) & (rows < source.height))[:, None]
    seen = seen & (columns >= 0) & (columns < source.width)
    rows = rows.clip(0, source.height - 1).astype(int)
    columns = columns.clip(0, source.width - 1).astype(int)
    return np.where(seen, picture[rows[:, None], columns], picture.dtype.type(0))


def tangents(normals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """
    Two unit vectors in each surface: the picture's right projected on it, and one across.

    normals  (N, 3) unit, either side
    returns  right (N, 3), across (N, 3) = normal x right; where the surface faces straight right
             or left, right is the picture's down
    """
    right = -normals[:, :1] * normals
    right[:, 0] += 1
    sideways = (right * right).sum(axis=1) < 1e-6
    if sideways.any():
        right[sideways] = -normals[sideways, 1:2] * normals[sideways] + (0, 1, 0)
    right /= np.linalg.norm(right, axis=1, keepdims=True)
    return right, np.cross(normals, right)


def quaternions(rotations: np.ndarray) -> np.ndarray:
    """Turn matrices (N, 3, 3) to x y z w (N, 4), after Bar-Itzhack (2000)."""
    m = rotations
    k = np.empty((len(m), 4, 4))  # its eigenvector of the largest value: no case is singular
    xx, yy, zz = m[:, 0, 0], m[:, 1, 1], m[:, 2, 2]
    k[:, 0] = np.stack([xx - yy - zz, m[:, 1, 0] + m[:, 0, 1], m[:, 2, 0] + m[:, 0, 2],
                        m[:, 2, 1] - m[:, 1, 2]], 1)  # fmt: skip
    k[:, 1, 1:] = np.stack([yy - xx - zz, m[:, 2, 1] + m[:, 1, 2], m[:, 0, 2] - m[:, 2, 0]], 1)
    k[:, 2, 2:] = np.stack([zz - xx - yy, m[:, 1, 0] - m[:, 0, 1]], 1)
    k[:, 3, 3] = xx + yy + zz
    return np.linalg.eigh(k, UPLO='U')[1][:, :, -1]


def matrix(translation, quaternion) -> np.ndarray:
    """Make the (4, 4) pose of a translation x y z and a quaternion x y z w of any length but 0."""
    x, y, z, w = quaternion
    length = x * x + y * y + z * z + w * w
    if not 0 < length < np.inf:
        raise ValueError(f'no pose: the quaternion {x, y, z, w} has no length')
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    pose = np.eye(4)
    pose[:3, :3] += 2 / length * (w * cross + cross @ cross)
    pose[:3, 3] = translation
    return pose


def orientations(normals: np.ndarray) -> np.ndarray:
    """
    Turn normals (N, 3), unit, towards the camera, into the axes of poses: (N, 3, 3), in columns.

    The z axis is the approach, into the surface; the x axis is the picture's right, projected on
    the surface (the picture's down where the surface faces right).
    """
    z, x = -normals, tangents(normals)[0]
    return np.stack([x, np.cross(z, x), z], axis=2)


def fit_planes(x, y, inverse_depth, weight) -> tuple[np.ndarray, np.ndarray]:
    """
    Least-squares planes, one per column, from samples of a depth picture.

    The inverse depth of a plane n . p = d is linear in the ray, 1 / z = n . ray / d, so a fit
    of 1 / z over rays is exact on a tilted plane, and needs no point cloud.

    x, y, inverse_depth, weight  (M, N): rays (x, y, 1), 1 / metres, weights >= 0 (0 = ignore)
    returns  (N, 3) unit normals that point away from the camera, (N,) distances d > 0, metres;
             NaN where the samples do not span a plane
    """
    with np.errstate(invalid='ignore', divide='ignore'):
        weight = weight / weight.sum(axis=0)
        mean_x, mean_y, mean = ((weight * a).sum(axis=0) for a in (x, y, inverse_depth))
        x, y, rest = x - mean_x, y - mean_y, inverse_depth - mean
        wx, wy = weight * x, weight * y
        pairs = (wx, x), (wx, y), (wy, y), (wx, rest), (wy, rest)
        xx, xy, yy, xr, yr = ((a * b).sum(axis=0) for a, b in pairs)
        spread = xx * yy - xy * xy
        spread[~(spread > 1e-6 * (xx + yy) ** 2)] = np.nan
        a, b = (yy * xr - xy * yr) / spread, (xx * yr - xy * xr) / spread
        plane = np.stack([a, b, mean - a * mean_x - b * mean_y], axis=1)
        distance = 1 / np.linalg.norm(plane, axis=1)
    return plane * distance[:, None], distance
