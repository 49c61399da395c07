"""What Foxglove and RViz show of a frame, as one picture: it, two maps, and the scene in space."""

from __future__ import annotations

import cv2
import numpy as np

from . import geometry, viz
from .types import Candidate, Detection, Frame

GROUND = (24, 24, 28)  # where nothing was measured
TILT, TURN = np.deg2rad(-38), np.deg2rad(18)  # of the view: up, and to the side
ARROW = 0.03  # metres
SIDES = 32  # of a disc


def view(frame: Frame, detection: Detection, radius: float) -> np.ndarray:
    """
    Put four pictures together: the camera's, the overlay, the affordance, the scene from the side.

    radius   of the cup, metres
    returns  (2 H, 2 W, 3) uint8 RGB; without depth or intrinsics the fourth is empty
    """
    above = np.hstack([frame.rgb, viz.overlay(frame.rgb, detection)])
    below = [viz.colormap(detection.affordance), oblique(frame, detection.candidates, radius)]
    return np.vstack([above, np.hstack(below)])


def oblique(frame: Frame, candidates: tuple[Candidate, ...], radius: float) -> np.ndarray:
    """
    Look at the depth, in the picture's colours, from above its side, with the cup on its places.

    Returns (H, W, 3) uint8 RGB: a disc of the cup's size at each place and a line along which it
    comes; the best is orange.
    """
    seen = np.full(frame.rgb.shape, GROUND, np.uint8)
    if frame.depth is None or frame.camera is None or not (frame.depth > 0).any():
        return seen
    places = geometry.points(frame.depth, frame.camera)
    known = np.isfinite(places[..., 2])
    middle = np.median(places[known], axis=0)

    def pixels(points):
        x, y, z = ((points - middle) @ _turned().T + middle).T
        return *geometry.project(x, y, z, frame.camera), z

    u, v, z = pixels(places[known])
    order = np.argsort(-z)  # the nearest is painted last
    for right, down in ((0, 0), (1, 0), (0, 1), (1, 1)):  # no gaps between pixels
        column, row = (np.rint(each[order]).astype(np.int32) for each in (u + right, v + down))
        height, width = frame.depth.shape
        inside = (column >= 0) & (column < width) & (row >= 0) & (row < height) & (z[order] > 0)
        seen[row[inside], column[inside]] = frame.rgb[known][order][inside]
    for rank, each in reversed(list(enumerate(candidates))):
        _cup(seen, each, radius, viz.WHITE if rank else viz.ORANGE, pixels)
    return seen


def _turned() -> np.ndarray:
    """Make the turn of the scene, (3, 3): to the side, then up."""
    (a, b), (c, d) = ((np.cos(angle), np.sin(angle)) for angle in (TILT, TURN))
    up = np.array([[1, 0, 0], [0, a, -b], [0, b, a]])
    return up @ np.array([[c, 0, d], [0, 1, 0], [-d, 0, c]])


def _cup(seen: np.ndarray, candidate: Candidate, radius: float, colour, pixels) -> None:
    place, normal = np.array(candidate[:3]), np.array(candidate[3:6])
    if not np.isfinite([place, normal]).all():
        return
    right, across = geometry.tangents(normal[None])
    angles = np.linspace(0, 2 * np.pi, SIDES, endpoint=False)[:, None]
    rim = place + radius * (np.cos(angles) * right + np.sin(angles) * across)
    line = np.array([place, place + ARROW * normal])
    for points, closed in ((rim, True), (line, False)):
        u, v, z = pixels(points)
        if (z > 0).all():
            drawn = np.rint(np.stack([u, v], axis=1)).astype(np.int32)
            cv2.polylines(seen, [drawn], closed, viz.BLACK, 4, cv2.LINE_AA)
            cv2.polylines(seen, [drawn], closed, colour, 2, cv2.LINE_AA)
