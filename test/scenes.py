"""
Scenes of known geometry, seen by casting the ray of every pixel: depth that is right by formula.

Units are metres, the frame is optical: x right, y down, z forward. A shape takes rays
(H, W, 3), z = 1, from the origin and returns z (H, W), Inf where missed, and normals (H, W, 3).
"""

import numpy as np
from rganet_ros.types import Camera

CAMERA = Camera(600.0, 600.0, 319.5, 239.5, 640, 480)


def _unit(vector):
    return np.asarray(vector, float) / np.linalg.norm(vector)


def plane(point=(0, 0, 0.5), normal=(0, 0, -1), where=None):
    """Place an endless plane, or the part of it where `where(points)` (H, W, 3) -> bool holds."""
    normal = _unit(normal)

    def shape(rays):
        with np.errstate(divide='ignore', invalid='ignore'):
            z = np.dot(point, normal) / (rays @ normal)
        hit = z > 0
        if where is not None:
            hit &= where(rays * np.where(hit, z, 1)[..., None])
        return np.where(hit, z, np.inf), np.broadcast_to(normal, rays.shape)

    return shape


def sphere(centre, radius):
    centre = np.asarray(centre, float)
    return _quadric(centre, radius, np.eye(3))


def cylinder(point, axis, radius):
    """Place an endless cylinder around the line through point along axis."""
    axis = _unit(axis)
    return _quadric(np.asarray(point, float), radius, np.eye(3) - np.outer(axis, axis))


def _quadric(centre, radius, across):
    """Points p with |across (p - centre)| = radius; the nearer of the two hits."""

    def shape(rays):
        ray, start = rays @ across, -across @ centre
        a, b = (ray * ray).sum(-1), (ray * start).sum(-1)
        root = b * b - a * (start @ start - radius * radius)
        with np.errstate(divide='ignore', invalid='ignore'):
            z = (-b - np.sqrt(np.where(root > 0, root, np.nan))) / a
        hit = z > 0
        z = np.where(hit, z, np.inf)
        normal = (rays * np.where(hit, z, 0)[..., None] - centre) @ across / radius
        return z, normal

    return shape


def step(height, z=0.5, at=0.0, angle=0.0):
    """Two planes across the view; the one beyond `at` metres along `angle` is nearer by height."""
    along = np.array([np.cos(angle), np.sin(angle), 0])
    return (
        plane((0, 0, z)),
        plane((0, 0, z - height), where=lambda points: points @ along > at),
    )


def hole(radius, z=0.5, deep=0.1, at=(0.0, 0.0)):
    """Place a plane with a round hole through which another is seen, deeper."""

    def outside(points):
        return np.hypot(points[..., 0] - at[0], points[..., 1] - at[1]) > radius

    return plane((0, 0, z), where=outside), plane((0, 0, z + deep))


def cast(*shapes, camera=CAMERA):
    """Depth (H, W) float32, 0 where nothing is hit, and unit normals (H, W, 3) of the nearest."""
    u, v = np.meshgrid(np.arange(camera.width), np.arange(camera.height))
    rays = np.stack(
        [(u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy, np.ones(u.shape)], -1
    )
    depths, normals = zip(*(shape(rays) for shape in shapes))
    first = np.argmin(depths, axis=0)
    depth = np.take_along_axis(np.stack(depths), first[None], 0)[0]
    normal = np.take_along_axis(np.stack(normals), first[None, ..., None], 0)[0]
    return np.where(np.isfinite(depth), depth, 0).astype(np.float32), normal


def sense(depth, seed=0, zeros=0.1):
    """Make of it what a sensor does: noise of 0.6 + 1.4 z^2 mm, whole millimetres, lone zeros."""
    random = np.random.default_rng(seed)
    noisy = depth + random.normal(size=depth.shape) * (0.0006 + 0.0014 * depth**2)
    noisy = np.round(noisy, 3) * (random.random(depth.shape) >= zeros) * (depth > 0)
    return noisy.astype(np.float32)
