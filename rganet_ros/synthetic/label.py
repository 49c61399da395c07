"""
Where a cup holds, from noise-free depth, instance ids and masses.

A lip ring is laid on the surface around each pixel (as in Dex-Net 3.0, Mahler et al. 2018, and
SuctionNet-1Billion, Cao et al. 2021): it must lie on one object, seal against it, be in reach, be
clear of what stands around, and the object's weight must neither peel nor slide it off. The score
is the product of these terms; every term is 0..1. Points, axes and vectors are metres in the
optical frame.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from rganet_ros.synthetic.cup import Cup
from rganet_ros.types import BACKGROUND, Camera, NOT_SUCTIONABLE, SUCTIONABLE


class Bodies(NamedTuple):
    """
    What is known of instances 1..n.

    mass    (n,) kg
    centre  (n, 3) metres, of mass, optical frame
    porous  (n,) bool, only some cups hold it; open (n,) bool, none does
    """

    mass: np.ndarray
    centre: np.ndarray
    porous: np.ndarray
    open: np.ndarray


def points(depth: np.ndarray, camera: Camera) -> np.ndarray:
    """Back-project depth (H, W), metres, to a cloud (H, W, 3), metres, float32."""
    rows, columns = depth.shape
    x = (np.arange(columns, dtype=np.float32) - camera.cx) / camera.fx
    y = (np.arange(rows, dtype=np.float32) - camera.cy) / camera.fy
    depth = depth.astype(np.float32)
    return np.stack([depth * x[None], depth * y[:, None], depth], -1).astype(np.float32)


def _tangent(cloud, instance, axis: int, reach: int = 2, jump: float = 0.004) -> np.ndarray:
    """Differences over +-reach px, one-sided at another instance or where z jumps `jump` m."""
    border = [(reach, reach) if k == axis else (0, 0) for k in range(3)]
    padded = np.pad(cloud, border)
    owner = np.pad(instance, border[:2], constant_values=np.iinfo(np.int32).min)
    rows = [slice(None)] * axis
    ahead, behind = (*rows, slice(2 * reach, None)), (*rows, slice(None, -2 * reach))
    step_ahead, step_behind = padded[ahead] - cloud, cloud - padded[behind]
    cost_ahead = abs(step_ahead[..., 2]) + 10 * (owner[ahead] != instance)
    cost_behind = abs(step_behind[..., 2]) + 10 * (owner[behind] != instance)
    central = (cost_ahead < 10) & (cost_behind < 10) & (abs(cost_ahead - cost_behind) < jump)
    # Weights of the two sides: a half each, or one alone.
    weight = np.where(central, 0.5, cost_ahead < cost_behind).astype(np.float32)[..., None]
    return weight * step_ahead + (1 - weight) * step_behind


def normals(cloud: np.ndarray, instance: np.ndarray) -> np.ndarray:
    """Compute unit vectors (H, W, 3) normal to points (H, W, 3), towards the camera (z < 0)."""
    normal = np.cross(_tangent(cloud, instance, 0), _tangent(cloud, instance, 1))
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True) + 1e-12
    return np.where(normal[..., 2:] > 0, -normal, normal).astype(np.float32)


class Placements(NamedTuple):
    """Cups tried: rows, columns, ids (n,); points, axes, two directions of the lip (n, 3)."""

    rows: np.ndarray
    columns: np.ndarray
    ids: np.ndarray
    at: np.ndarray
    axis: np.ndarray
    right: np.ndarray
    up: np.ndarray

    def where(self, keep: np.ndarray) -> Placements:
        """Those that `keep` (n,) names."""
        return Placements(*(column[keep] for column in self))


def placements(cloud, normal, instance, camera: Camera, cup: Cup) -> Placements:
    """Put cups on a grid over all objects; an axis is the mean normal of one instance under it."""
    grid = np.zeros(instance.shape, bool)
    grid[:: cup.stride, :: cup.stride] = True
    rows, columns = np.nonzero(grid & (instance > 0))
    ids, at = instance[rows, columns], cloud[rows, columns]
    axis = np.zeros_like(at)
    span = 0.6 * cup.radius * camera.fx / at[:, 2]
    diagonal = [(0.7 * x, 0.7 * y) for x in (-1, 1) for y in (-1, 1)]
    for dx, dy in [(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1), *diagonal]:
        y = np.clip(np.rint(rows + dy * span).astype(int), 0, instance.shape[0] - 1)
        x = np.clip(np.rint(columns + dx * span).astype(int), 0, instance.shape[1] - 1)
        axis += normal[y, x] * (instance[y, x] == ids)[:, None]
    axis /= np.linalg.norm(axis, axis=1, keepdims=True) + 1e-9
    across = np.where(abs(axis[:, :1]) < 0.8, np.float32([[1, 0, 0]]), np.float32([[0, 1, 0]]))
    right = np.cross(axis, across)
    right /= np.linalg.norm(right, axis=1, keepdims=True)
    return Placements(rows, columns, ids, at, axis, right, np.cross(axis, right))


def ring(cups: Placements, cloud, instance, camera: Camera, radius: float, count: int, times=2):
    """
    Lay a ring on the surface: project its points, look up the surface, move them to it, repeat.

    Returns heights (n, count), metres along the axis, and whether every look met one instance: a
    look past an edge falls far below, from where the next one may land on the object again.
    """
    angle = np.float32(2 * np.pi) * np.arange(count, dtype=np.float32)[None, :, None] / count
    flat = cups.right[:, None] * np.cos(angle) + cups.up[:, None] * np.sin(angle)
    flat = cups.at[:, None] + np.float32(radius) * flat
    normal_x, normal_y, normal_z = cups.axis.T[..., None]
    offset = (cups.at * cups.axis).sum(-1)[:, None]
    height = np.zeros(flat.shape[:2], np.float32)
    same = np.ones(flat.shape[:2], bool)
    fx, fy, cx, cy = map(np.float32, (camera.fx, camera.fy, camera.cx, camera.cy))
    for _ in range(times):
        depth = np.maximum(flat[..., 2] + height * normal_z, np.float32(1e-3))
        x = (flat[..., 0] + height * normal_x) / depth * fx + cx
        y = (flat[..., 1] + height * normal_y) / depth * fy + cy
        column, row = np.rint(x).astype(np.int32), np.rint(y).astype(np.int32)
        seen = (column >= 0) & (column < cloud.shape[1]) & (row >= 0) & (row < cloud.shape[0])
        at = np.where(seen, row * cloud.shape[1] + column, 0)
        met = np.take(cloud[..., 2], at)
        slant = (column - cx) / fx * normal_x + (row - cy) / fy * normal_y + normal_z
        height = met * slant - offset
        height = np.clip(height, -0.05, 0.2)
        same &= seen & (np.take(instance, at) == cups.ids[:, None])
    return height, same


def _fade(value, free: float, span: float) -> np.ndarray:
    """1 up to `free`, 0 from `free + span` on, linear between."""
    return np.clip(1 - (value - free) / span, 0, 1)


def lip_seal(height: np.ndarray, cup: Cup) -> np.ndarray:
    """Rate the seal of lips (n, count): what mean and tilt leave, and how cone-like they stand."""
    count = height.shape[1]
    angle = 2 * np.pi * np.arange(count) / count
    mean = height.mean(1)
    a, b = 2 * (height * np.cos(angle)).mean(1), 2 * (height * np.sin(angle)).mean(1)
    plane = mean[:, None] + a[:, None] * np.cos(angle) + b[:, None] * np.sin(angle)
    worst = abs(height - plane).max(1)
    return _fade(worst, 0, 2 * cup.lip_tolerance) * _fade(abs(mean), cup.cone_free, cup.cone_range)


def edge(same: np.ndarray, cup: Cup) -> np.ndarray:
    """Share of a lip (n, count) on the object, from `least_share` to all of it."""
    return np.clip((same.mean(1) - cup.least_share) / (1 - cup.least_share), 0, 1)


def inner_seal(height: np.ndarray, same: np.ndarray, cup: Cup) -> np.ndarray:
    """Roughness of the inner ring (n, count); 0 where any of it lies off the object."""
    rough = abs(height - height.mean(1, keepdims=True)).max(1)
    return _fade(rough, cup.inner_free, cup.inner_range) * same.all(1)


def reach(axis: np.ndarray, approach: np.ndarray, cup: Cup) -> np.ndarray:
    """How well the arm gets to axes (n, 3), given the unit way out of the container."""
    tilt = np.arccos(np.clip(axis @ approach, -1, 1))
    return _fade(tilt, cup.reach_full, cup.reach_none - cup.reach_full)


def clearance(cups: Placements, cloud, instance, camera: Camera, cup: Cup) -> np.ndarray:
    """Room for the cup's holder: the worst ring's share of points that stand too high."""
    blocked = np.zeros(len(cups.ids), np.float32)
    for radius in cup.clearance_radii:
        height, _ = ring(cups, cloud, instance, camera, radius, cup.clearance_points, 1)
        blocked = np.maximum(blocked, (height > cup.clearance_height).mean(1))
    return _fade(blocked, 0, cup.clearance_share)


def wrench(at, axis, up, mass, centre, force, cup: Cup) -> np.ndarray:
    """
    Rate the hold against the weight's moment about the lip, and sliding.

    up is unit (3,); force (n,) newtons hold the lip on, and are not 0.
    """
    weight = mass * cup.gravity
    moment = np.linalg.norm(np.cross(centre - at, -up * weight[:, None]), axis=1)
    peel = _fade(moment / (force * cup.radius), 0, 1)
    cosine = np.clip(axis @ up, -1, 1)
    normal_force = force - weight * cosine
    load = weight * np.sqrt(1 - cosine**2) / (cup.friction * np.maximum(normal_force, 1e-3))
    return np.sqrt(peel * _fade(load, 0, 1) * (normal_force > 0))


def score(cloud, normal, instance, camera: Camera, up, approach, bodies: Bodies, cup: Cup):
    """
    Score every pixel.

    cloud     (H, W, 3) noise-free points, known everywhere; normal (H, W, 3) of them
    instance  (H, W) int, 1..n objects, else 0 or less
    up        (3,) unit, against gravity; approach (3,) unit, the way out of the container
    Returns (H, W) float32 in 0..1, 0 off objects.
    """
    cups = placements(cloud, normal, instance, camera, cup)
    leaks = bodies.open if cup.porous_pressure else bodies.open | bodies.porous
    cups = cups.where(~leaks[cups.ids - 1])
    quality = reach(cups.axis, approach, cup)
    cups, quality = cups.where(quality > 0), quality[quality > 0]
    # The inner ring first: it has fewer points, and where it fails the lip is not looked at.
    height, same = ring(cups, cloud, instance, camera, cup.radius / 2, cup.inner_points)
    quality = quality * inner_seal(height, same, cup)
    cups, quality = cups.where(quality > 0), quality[quality > 0]
    height, same = ring(cups, cloud, instance, camera, cup.radius, cup.lip_points)
    quality = quality * lip_seal(height, cup) * edge(same, cup)
    cups, quality = cups.where(quality > 0), quality[quality > 0]
    quality *= clearance(cups, cloud, instance, camera, cup)
    mass, centre = bodies.mass[cups.ids - 1], bodies.centre[cups.ids - 1]
    force = cup.force(bodies.porous[cups.ids - 1])
    quality *= wrench(cups.at, cups.axis, up, mass, centre, force, cup)
    return _spread(quality, cups, instance, cup)


def _spread(quality, cups: Placements, instance, cup: Cup) -> np.ndarray:
    rows, columns = instance.shape
    coarse = np.zeros((-(-rows // cup.stride), -(-columns // cup.stride)), np.float32)
    coarse[cups.rows // cup.stride, cups.columns // cup.stride] = quality
    shrink = np.float32(
        [[1 / cup.stride, 0, 0], [0, 1 / cup.stride, 0]]
    )  # pixel (0, 0) stays there
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    fine = cv2.warpAffine(coarse, shrink, (columns, rows), flags=flags)
    return cv2.GaussianBlur(fine, (0, 0), cup.smoothing) * (instance > 0)


def classes(quality: np.ndarray, instance: np.ndarray, cup: Cup) -> np.ndarray:
    """Class ids (H, W) uint8 of a score and instances: thresholded, opened, without specks."""
    good = cv2.morphologyEx(
        (quality > cup.threshold).astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3))
    )
    _, region, statistics, _ = cv2.connectedComponentsWithStats(good)
    big = statistics[:, cv2.CC_STAT_AREA] >= cup.least_area
    big[0] = False
    kinds = np.where(big[region], SUCTIONABLE, NOT_SUCTIONABLE)
    return np.where(instance > 0, kinds, BACKGROUND).astype(np.uint8)
