"""
The surface under a cup: a plane, how flat it is, how much of it was seen, how far its edges are.

Each place is looked at through samples on lines through it, in the surface's own plane. The
depth behind a sample is the mean inverse depth over a small window, so that the noise is low,
and a speckle of zeros or the lattice that registration leaves in a depth picture does no harm.
The sensor's noise is taken as 0.6 + 1.4 z^2 mm, as of a small structured-light or active-stereo
camera; how large a step must be to be told from it grows likewise: with the defaults and a cup
of 15 mm no step of 5 mm is missed at 0.5 m, or of 8 mm at 0.8 m.
"""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import cv2
import numpy as np

from .geometry import fit_planes, project, tangents
from .types import Camera

LINES, RINGS = 12, 6  # samples under the cup: lines through the centre, rings up to the lip
SECTORS, BANDS = 8, 3  # cells of the footprint, of 3 half lines x 2 rings
KNOWN = 0.15  # share of a window with depth from which its mean counts: 2 pixels of 3 x 3
OBLIQUE = 0.35  # cosine to the line of sight; beyond 70 degrees a plane is mostly mixed pixels
AGREE = 0.94  # cosine between the planes of middle and footprint; 20 degrees apart is an edge
ANGLES = np.arange(LINES) * (np.pi / LINES)


def _places(rings: int) -> np.ndarray:
    """Place samples on a line through the centre: (2 * rings,), in steps between rings."""
    far = np.arange(rings, dtype=np.float32) + 0.5
    return np.concatenate([-far[::-1], far])


@functools.lru_cache(maxsize=8)
def _bowls(rings: int) -> np.ndarray:
    """Give plane and quadratic terms on the samples, (samples, 6), lengths in cup radii."""
    far, angle = _places(rings)[:, None] / RINGS, ANGLES
    terms = (far**0 * angle**0, far * np.cos(angle), far * np.sin(angle))
    terms += (far**2 * angle**0, far**2 * np.cos(2 * angle), far**2 * np.sin(2 * angle))
    return np.stack([term.ravel() for term in terms], axis=1).astype(np.float32)


def _bowl_fit() -> np.ndarray:
    """(6, samples under the cup): heights to the terms of the best bowl, by area."""
    root = np.sqrt(np.abs(_places(RINGS)).repeat(LINES))
    return (np.linalg.pinv(_bowls(RINGS) * root[:, None]) * root).astype(np.float32)


def _members() -> np.ndarray:
    """(BANDS * SECTORS, samples under the cup): which cell of the footprint one belongs to."""
    place, line = _places(RINGS)[:, None], np.arange(LINES)
    half_line = line + LINES * (place < 0)
    cell = np.abs(place).astype(int) * BANDS // RINGS * SECTORS + half_line * SECTORS // LINES // 2
    return (np.arange(BANDS * SECTORS)[:, None] == cell.ravel()).astype(np.float32)


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
    """(2 * rings, LINES, N): rays x, y of whole pixels, mean 1 / z, share known (0 outside)."""

    x: np.ndarray
    y: np.ndarray
    inverse: np.ndarray
    share: np.ndarray


def smooth(depth: np.ndarray, known: np.ndarray, camera: Camera, width: int) -> Surface:
    """Average depth (h, w), metres, where known (h, w), over windows of `width` pixels (odd)."""
    mask, window = known.view(np.uint8), (width, width)
    with np.errstate(all='ignore'):
        inverse = cv2.copyTo(1 / depth, mask)
    return Surface(cv2.blur(inverse, window), cv2.boxFilter(mask, cv2.CV_32F, window), camera)


def _samples(surface: Surface, origin, axes, places: np.ndarray) -> _Samples:
    """Look along lines in the planes through origin (N, 3) along axes (2, N, 3), or (2, 1, 3)."""
    camera, (height, width) = surface.camera, surface.inverse.shape
    flat = np.stack([np.outer(places, turn(ANGLES)).ravel() for turn in (np.cos, np.sin)], axis=1)
    flat, axes, origin = (a.astype(np.float32) for a in (flat, axes, origin.T))
    x, y, z = (flat @ axes[..., i] + origin[i] for i in range(3))  # samples, N
    u, v = project(x, y, np.maximum(z, 1e-3), camera)
    u, v = (np.rint(np.clip(*at)).astype(np.float32) for at in ((u, -1, width), (v, -1, height)))
    inverse, share = (cv2.remap(picture, u, v, cv2.INTER_NEAREST) for picture in surface[:2])
    inverse /= np.maximum(share, 1e-6)
    found = (u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy, inverse, share
    return _Samples(*(each.reshape(len(places), LINES, -1) for each in found))


def _planes(samples: _Samples):
    """Planes through samples, each weighted by the area and the known depth it stands for."""
    area = np.abs(_places(len(samples.share) // 2))[:, None, None]
    weight = samples.share * (samples.share >= KNOWN) * area
    return fit_planes(*(a.reshape(-1, a.shape[2]) for a in (*samples[:3], weight)))


def _edges(height: np.ndarray, known: np.ndarray, places: np.ndarray, step: np.ndarray):
    """
    Distances (N,) from the centre to the nearest step and to the nearest unknown sample, metres.

    A step is a difference over two samples of a line, half-way between them; across a gap, the
    last known sample before it is what the next known one is compared with. NaN is no step.
    """
    height = np.where(known, height, np.float32(np.nan))
    last = height.copy()
    for before, here in zip(last, last[1:]):
        np.copyto(here, before, where=np.isnan(here))
    jump = (np.abs(height[2:] - last[:-2]) > step).any(axis=1)
    middle = np.abs(places[2:] + places[:-2]) / 2
    to_step = np.where(jump, middle[:, None], np.inf).min(axis=0)
    return to_step, np.where(known.all(axis=1), np.inf, np.abs(places)[:, None]).min(axis=0)


def _unbow(height: np.ndarray, known: np.ndarray) -> np.ndarray:
    """
    Take the best bowl under the cup from the heights (2 * rings, LINES, N): steps are left.

    A bottle's surface falls by more than a step would across the lip; but it falls smoothly.
    Unknown samples count as on the plane.
    """
    rings = len(height) // 2
    under = np.s_[rings - RINGS : rings + RINGS]
    terms = _BOWL @ (height[under] * known[under]).reshape(-1, height.shape[2])
    return height - (_bowls(rings) @ terms).reshape(height.shape)


def _cells(values: np.ndarray) -> np.ndarray:
    """Sum samples under the cup (2 * RINGS, LINES, N) in cells (CELLS, N), inner ones first."""
    return _MEMBERS @ values.reshape(-1, values.shape[2])


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
    camera, ring = surface.camera, radius / RINGS
    rings = RINGS + math.ceil(margin / radius * RINGS)
    under = np.s_[rings - RINGS : rings + RINGS]
    places = _places(rings) * np.float32(ring)
    ray = np.stack([(u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy, np.ones(len(u))], 1)
    origin = ray * (surface.share[v, u] / surface.inverse[v, u])[:, None]
    right, down, ahead = np.eye(3)[:, None]
    half = _places(RINGS // 2) * np.float32(ring)
    rough, _ = _planes(_samples(surface, origin, np.stack([right, down]), half))
    rough = np.where(np.isfinite(rough).all(axis=1, keepdims=True), rough, ahead)
    samples = _samples(surface, origin, np.stack(tangents(rough)), places)
    normal, distance = _planes(_Samples(*(a[under] for a in samples)))

    known = samples.share >= KNOWN
    area = np.abs(_places(RINGS))[:, None, None]
    seen = known[under] * area
    whole = _cells(np.broadcast_to(area, (2 * RINGS, LINES, 1)))
    with np.errstate(invalid='ignore', divide='ignore'):
        a, b, c = normal.T.astype(np.float32)
        depth = known / np.maximum(samples.inverse, 1e-6)
        height = distance.astype(np.float32) - (a * samples.x + b * samples.y + c) * depth
        height_seen, known_area = _cells(seen * height[under]), _cells(seen)
        middle = height_seen[:SECTORS].sum(axis=0) / known_area[:SECTORS].sum(axis=0)
        point = ray * ((distance - middle) / (normal * ray).sum(axis=1))[:, None]
        gaps = np.abs(height_seen / known_area).max(axis=0)
    towards = (normal * ray).sum(axis=1) / np.linalg.norm(ray, axis=1)
    plain = (towards >= OBLIQUE) & ((normal * rough).sum(axis=1) >= AGREE)
    noise = 0.0006 + 0.0014 * point[:, 2] ** 2
    height = _unbow(height, known)
    to_step, to_hole = _edges(height, known, places, step + 1.5 * noise)
    return Seal(
        point,
        -normal,
        flatness=np.clip(1 - gaps / gap, 0, 1),
        valid=known_area.sum(axis=0) / whole.sum(),
        margin=np.minimum(1, np.minimum(to_step, to_hole) / (radius + margin)),
        sound=plain & (to_step > radius) & (known_area >= 0.5 * whole).all(axis=0),
    )
