"""
The surface under a cup: a plane, how flat it is, how much of it was seen, how far its edges are.

Each place is looked at through samples on rays from its centre, in the surface's own plane. The
depth behind a sample is the mean inverse depth over a small window, so that the noise is low,
and a speckle of zeros or the lattice that registration leaves in a depth picture does no harm.
The sensor's noise is taken as 0.6 + 1.4 z^2 mm, as of a small structured-light or active-stereo
camera; how large a step must be to be told from it grows likewise: with the defaults and a cup
of 15 mm no step of 5 mm is missed at 0.5 m, or of 8 mm at 0.8 m.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from .geometry import fit_planes, project, tangents
from .types import Camera

RAYS, RINGS = 24, 6  # samples under the cup: rays from the centre, rings up to the lip
SECTORS, BANDS = 8, 3  # cells of the footprint, of 3 rays x 2 rings
KNOWN = 0.15  # share of a window with depth from which its mean counts: 2 pixels of 3 x 3
OBLIQUE = 0.35  # cosine to the line of sight; beyond 70 degrees a plane is mostly mixed pixels
AGREE = 0.94  # cosine between the planes of middle and footprint; 20 degrees apart is an edge


def _bowls(rings: int) -> np.ndarray:
    """(6, RAYS * rings): plane and quadratic terms on the samples, lengths in cup radii."""
    angle = np.arange(RAYS)[:, None] * (2 * np.pi / RAYS)
    far = (np.arange(rings) + 0.5) / RINGS
    terms = (far**0, far * np.cos(angle), far * np.sin(angle))
    terms += (far**2, far**2 * np.cos(2 * angle), far**2 * np.sin(2 * angle))
    rows = [np.broadcast_to(term, (RAYS, rings)).ravel() for term in terms]
    return np.stack(rows).astype(np.float32)


def _bowl_fit() -> np.ndarray:
    """(RAYS * RINGS, 6): heights under the cup to the terms of the best bowl, by area."""
    root = np.sqrt(np.tile(np.arange(RINGS) + 0.5, RAYS))[:, None]
    return (np.linalg.pinv(_bowls(RINGS).T * root).T * root).astype(np.float32)


def _members() -> np.ndarray:
    """(RAYS * RINGS, BANDS * SECTORS): which cell of the footprint a sample belongs to."""
    ray, ring = np.divmod(np.arange(RAYS * RINGS), RINGS)
    cell = ring * BANDS // RINGS * SECTORS + ray * SECTORS // RAYS
    return (cell[:, None] == np.arange(BANDS * SECTORS)).astype(np.float32)


_BOWL, _MEMBERS = _bowl_fit(), _members()


class Surface(NamedTuple):
    """
    A depth picture, averaged: inverse / share is the mean 1 / z of the known pixels near a pixel.

    inverse  (h, w) float32, 1 / metres, unknown pixels counting as 0
    share    (h, w) float32, 0..1, of known pixels
    """

    inverse: np.ndarray
    share: np.ndarray
    camera: Camera


class Seal(NamedTuple):
    """
    What the surface under a cup is like, for N places; NaN where no plane could be fitted.

    point, normal            (N, 3) metres, optical frame; the normal is towards the camera
    flatness, valid, margin  (N,) 0..1, as in Candidate
    sound                    (N,) bool: one plane, no step under the cup, depth in every part
    """

    point: np.ndarray
    normal: np.ndarray
    flatness: np.ndarray
    valid: np.ndarray
    margin: np.ndarray
    sound: np.ndarray


class _Samples(NamedTuple):
    """(N, rays, rings) each: whole pixels, mean 1 / z, share of known depth (0 outside)."""

    u: np.ndarray
    v: np.ndarray
    inverse: np.ndarray
    share: np.ndarray


def smooth(depth: np.ndarray, camera: Camera, width: int) -> Surface:
    """Average depth (h, w), metres, 0 unknown, over windows of `width` pixels (odd)."""
    inverse = 1 / np.where(depth > 0, depth, np.float32(np.inf))
    known = (inverse > 0).astype(np.float32)
    return Surface(cv2.blur(inverse, (width, width)), cv2.blur(known, (width, width)), camera)


def _samples(surface: Surface, origin, normal, radii, angles) -> _Samples:
    """Look along rays in the planes through origin (N, 3) across normal (N, 3)."""
    camera, (height, width) = surface.camera, surface.inverse.shape
    axes = np.stack(tangents(normal), axis=2).astype(np.float32)
    rays = np.stack([np.outer(np.cos(angles), radii), np.outer(np.sin(angles), radii)])
    offset = (axes @ rays.reshape(2, -1).astype(np.float32)).reshape(-1, 3, *rays.shape[1:])
    x, y, z = np.moveaxis(offset + origin.astype(np.float32)[:, :, None, None], 1, 0)
    u, v = project(x, y, np.maximum(z, 1e-3), camera)
    u, v = np.rint(np.clip(u, -1, width)), np.rint(np.clip(v, -1, height))
    inside = (u >= 0) & (u < width) & (v >= 0) & (v < height)
    index = np.where(inside, v * width + u, 0).astype(np.int32)
    share = surface.share.ravel()[index] * inside
    inverse = surface.inverse.ravel()[index] / np.maximum(share, 1e-6)
    return _Samples(u, v, inverse, share)


def _planes(samples: _Samples, radii: np.ndarray, camera: Camera):
    """Planes through samples, each weighted by the area and the known depth it stands for."""
    weight = np.where(samples.share >= KNOWN, samples.share, 0) * radii
    return fit_planes(*(a.reshape(len(a), -1) for a in (*samples[:3], weight)), camera)


def _edges(height: np.ndarray, known: np.ndarray, radii: np.ndarray, step: np.ndarray):
    """
    Distances (N,) from the centre to the nearest step and to the nearest unknown sample, metres.

    A ray and its opposite make one line, so that a step through the centre is seen. A step is a
    difference over two rings, half-way between them; across a gap, the last known sample before
    it is what the next known one is compared with.
    """
    half = RAYS // 2
    line, seen = (
        np.concatenate([a[:, half:, ::-1], a[:, :half]], axis=2) for a in (height, known)
    )
    place = np.concatenate([-radii[::-1], radii])  # float32, as all of the large arrays
    index = np.arange(line.size, dtype=np.int32).reshape(line.shape)
    start = index[..., :1]
    last = np.maximum.accumulate(np.where(seen, index, start), axis=2)[..., :-2]
    before = line.ravel()[last]
    pair = seen[..., 2:] & (seen[..., :1] | (last > start))
    jump = pair & (np.abs(line[..., 2:] - before) > step[:, None, None])
    middle = np.abs(place[2:] + place[:-2]) / 2
    to_step = np.where(jump, middle, np.inf).reshape(len(jump), -1).min(axis=1)
    to_hole = np.where(known, np.inf, radii).reshape(len(known), -1).min(axis=1)
    return to_step, to_hole


def _unbow(height: np.ndarray, known: np.ndarray) -> np.ndarray:
    """
    Take the best bowl under the cup from the heights (N, RAYS, rings), so that steps are left.

    A bottle's surface falls by more than a step would across the lip; but it falls smoothly.
    Unknown samples count as on the plane.
    """
    count, _, rings = height.shape
    under = np.where(known, height, 0)[..., :RINGS].reshape(count, -1)
    return height - ((under @ _BOWL) @ _bowls(rings)).reshape(height.shape)


def _cells(values: np.ndarray) -> np.ndarray:
    """Sum samples under the cup (N, RAYS, RINGS) in each of (N, CELLS) cells, inner ones first."""
    return values.reshape(len(values), -1) @ _MEMBERS


def seal(surface: Surface, u, v, radius: float, margin: float, gap: float, step: float) -> Seal:
    """
    Fit and judge the surface under a cup at whole pixels u, v (N,) where the surface is known.

    The plane is fitted twice: over the middle of the footprint as the picture shows it, then over
    all of it as it lies in the first plane. The two agree unless an edge is near. The point is on
    the pixel's ray, where the middle third of the footprint has the surface: on the plane, or a
    little above it on a bottle. All lengths are metres: the cup's radius, the free surface wanted
    beyond it, the mean height of a cell of the footprint at which flatness is 0, and the step
    that counts as an edge when there is no noise.
    """
    camera = surface.camera
    radii = (np.arange(RINGS + np.ceil(margin / radius * RINGS)) + 0.5) * radius / RINGS
    radii = radii.astype(np.float32)
    angles = np.arange(RAYS) * (2 * np.pi / RAYS)
    ray = np.stack([(u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy, np.ones(len(u))], 1)
    origin = ray * (surface.share[v, u] / surface.inverse[v, u])[:, None]
    ahead = np.broadcast_to(np.array([0.0, 0.0, 1.0]), ray.shape)
    middle = _samples(surface, origin, ahead, radii[: RINGS // 2], angles)
    rough, _ = _planes(middle, radii[: RINGS // 2], camera)
    rough = np.where(np.isfinite(rough).all(axis=1, keepdims=True), rough, ahead)
    samples = _samples(surface, origin, rough, radii, angles)
    under = _Samples(*(a[..., :RINGS] for a in samples))
    normal, distance = _planes(under, radii[:RINGS], camera)

    known = samples.share >= KNOWN
    area = np.broadcast_to(radii[:RINGS], under.share.shape)
    seen = known[..., :RINGS] * area
    with np.errstate(invalid='ignore', divide='ignore'):
        x, y = (samples.u - camera.cx) / camera.fx, (samples.v - camera.cy) / camera.fy
        a, b, c = (n[:, None, None].astype(np.float32) for n in normal.T)
        depth = np.where(known, 1 / samples.inverse, 0)
        height = distance[:, None, None].astype(np.float32) - (a * x + b * y + c) * depth
        height_seen, known_area = _cells(seen * height[..., :RINGS]), _cells(seen)
        middle = height_seen[:, :SECTORS].sum(axis=1) / known_area[:, :SECTORS].sum(axis=1)
        point = ray * ((distance - middle) / (normal * ray).sum(axis=1))[:, None]
        gaps = np.abs(height_seen / known_area).max(axis=1)
    towards = (normal * ray).sum(axis=1) / np.linalg.norm(ray, axis=1)
    plain = (towards >= OBLIQUE) & ((normal * rough).sum(axis=1) >= AGREE)
    noise = 0.0006 + 0.0014 * point[:, 2] ** 2
    height = _unbow(height, known)
    to_step, to_hole = _edges(height, known, radii, step + 1.5 * noise)
    return Seal(
        point,
        -normal,
        flatness=np.clip(1 - gaps / gap, 0, 1),
        valid=seen.sum(axis=(1, 2)) / area.sum(axis=(1, 2)),
        margin=np.minimum(1, np.minimum(to_step, to_hole) / (radius + margin)),
        sound=plain & (to_step > radius) & (known_area >= 0.5 * _cells(area)).all(axis=1),
    )
