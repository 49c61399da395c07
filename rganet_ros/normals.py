"""
The baseline of Zeng et al. (2018) that needs no training: flat is where a cup holds.

Affordance is 1 - the local standard deviation of the surface normals over 25 x 25 pixels, divided
by the largest of the picture. It knows nothing of things, edges or weight: floors are flat too.
"""

from __future__ import annotations

import cv2
import numpy as np

from .geometry import points
from .types import BACKGROUND, Camera, SUCTIONABLE

WINDOW = 25  # pixels
LEAST = 0.5  # of the window must have a normal


def normals(depth: np.ndarray, camera: Camera) -> np.ndarray:
    """Compute unit vectors (H, W, 3), NaN where unknown; depth (H, W) metres, 0 unknown."""
    cloud = points(depth, camera)
    step = [np.full_like(cloud, np.nan) for _ in range(2)]
    step[0][:, 1:-1] = cloud[:, 2:] - cloud[:, :-2]
    step[1][1:-1] = cloud[2:] - cloud[:-2]
    normal = np.cross(step[1], step[0])
    with np.errstate(invalid='ignore', divide='ignore'):
        return normal / np.linalg.norm(normal, axis=2, keepdims=True)


def affordance(depth: np.ndarray, camera: Camera) -> np.ndarray:
    """
    Rate every pixel: (H, W) float32, 0..1; 0 where too little depth is known.

    depth  (H, W) float32 metres, 0 unknown
    """
    normal = normals(depth, camera)
    known = np.isfinite(normal).all(2)
    normal = np.where(known[..., None], normal, 0)

    def mean(picture):
        return cv2.blur(picture.astype(np.float64), (WINDOW, WINDOW))

    share = mean(known)
    seen = known & (share >= LEAST)
    if not seen.any():
        return np.zeros(depth.shape, np.float32)
    share = np.maximum(share, LEAST / 2)[..., None]
    variance = mean(normal**2) / share - (mean(normal) / share) ** 2
    spread = np.sqrt(variance.clip(0)).mean(2)
    spread /= max(spread[seen].max(), 1e-9)
    return np.where(seen, 1 - spread, 0).clip(0, 1).astype(np.float32)


def answer(depth: np.ndarray, camera: Camera) -> tuple[np.ndarray, np.ndarray]:
    """Give affordance, and labels (H, W) uint8: suctionable above one half, else background."""
    found = affordance(depth, camera)
    return found, np.where(found > 0.5, SUCTIONABLE, BACKGROUND).astype(np.uint8)
