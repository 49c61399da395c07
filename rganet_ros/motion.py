"""Where the pixels of a frame were in the frame before, by depth and the camera's poses."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from .geometry import points, project
from .metrics import flicker
from .types import Camera, Frame

NEAR = 0.004  # metres, and of the depth: how far the surface found may lie from where it should


def seen_before(
    world: np.ndarray, depth: np.ndarray, camera: Camera, pose: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """
    Find points in an earlier picture.

    world   (H, W, 3) metres, what each pixel shows, where it was then; NaN where unknown
    depth   (H, W) metres along z, of that picture; 0 unknown
    pose    (4, 4) of its optical frame in the world

    Returns flow (H, W, 2) float32, pixels right and down to where it was, and seen (H, W) bool:
    whether it was in that picture and nothing stood before it; flow is 0 where it was not.
    """
    there = (world - pose[:3, 3]) @ pose[:3, :3]
    z = there[..., 2]
    with np.errstate(divide='ignore', invalid='ignore'):
        u, v = project(there[..., 0], there[..., 1], z, camera)
    height, width = depth.shape
    inside = (z > 0) & (u >= 0) & (u <= width - 1) & (v >= 0) & (v <= height - 1)
    column, row = (np.rint(np.where(inside, x, 0)).astype(int) for x in (u, v))
    seen = inside & (np.abs(depth[row, column] - z) < NEAR * (1 + z))
    own_row, own_column = np.indices(seen.shape)
    flow = np.stack([u - own_column, v - own_row], -1)
    return np.where(seen[..., None], flow, 0).astype(np.float32), seen


def flow(now: Frame, before: Frame) -> tuple[np.ndarray, np.ndarray] | None:
    """
    Follow what stands still back to the frame before, as `seen_before` gives it.

    What moved, and what has no depth, is not seen. None where either frame lacks depth, camera or
    pose.
    """
    for frame in (now, before):
        if frame.depth is None or frame.camera is None or frame.pose is None:
            return None
    cloud = points(now.depth, now.camera).astype(np.float64)
    world = cloud @ now.pose[:3, :3].T + now.pose[:3, 3]
    return seen_before(world, before.depth, before.camera, before.pose)


def flicker_along(answers: Iterable[tuple[Frame, np.ndarray]]) -> float | None:
    """
    Share of the pixels that change class from frame to frame, along the camera's way.

    answers  consecutive frames and their labels (H, W); what moves or has no depth is not counted

    None where no two frames can be compared.
    """
    changed, steady, before = 0, 0, None
    for frame, labels in answers:
        moved = flow(frame, before[0]) if before else None
        if moved:
            counts = flicker((before[1], labels), None, *moved)
            changed, steady = changed + counts[0], steady + counts[1]
        before = frame, labels
    return changed / steady if steady else None
