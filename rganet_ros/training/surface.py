"""How far published candidates lie from the true surface, of a data set that knows it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rganet_ros.geometry import points
from rganet_ros.types import Camera, Candidate

LEAST = 12  # true points that make a plane


def errors(
    places: Sequence[Candidate], depth: np.ndarray, camera: Camera, radius: float
) -> np.ndarray:
    """
    Give the distance of each point from the surface, and the angle between normals.

    depth   (H, W) metres without noise, 0 unknown; camera is of the same pixels
    radius  of the cup, metres: the true normal is that of the plane through all of the surface
            within it, by least squares of the distances from the plane

    Returns (N, 2), millimetres along the line of sight and degrees; NaN where the surface is not
    known.
    """
    cloud, found = points(depth, camera), np.full((len(places), 2), np.nan)
    for row, place in zip(found, places):
        column, line = round(place.u), round(place.v)
        true = cloud[line, column]
        if not np.isfinite(true).all():
            continue
        row[0] = 1e3 * np.linalg.norm([place.x, place.y, place.z] - true)
        reach = int(np.ceil(1.5 * radius * max(camera.fx, camera.fy) / true[2]))
        around = np.s_[max(line - reach, 0) : line + reach + 1,
                       max(column - reach, 0) : column + reach + 1]  # fmt: skip
        near = cloud[around].reshape(-1, 3).astype(float)
        near = near[np.linalg.norm(near - true, axis=1) <= radius]
        if len(near) >= LEAST:
            normal = np.linalg.eigh(np.cov(near.T))[1][:, 0]
            said = np.array([place.normal_x, place.normal_y, place.normal_z])
            row[1] = np.degrees(np.arccos(np.clip(abs(normal @ said), 0, 1)))
    return found
