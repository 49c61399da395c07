"""Where each pixel was in the frame before: from true depth and the poses of all things."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from rganet_ros.geometry import points
from rganet_ros.types import Camera

NEAR = 0.004  # metres, and of the depth: how far the surface found may lie from where it should


class Moment(NamedTuple):
    """
    What was where when a frame was taken.

    depth      (H, W) float metres, without noise, and instance (H, W), k + 1 the thing k, 0 what
               stands still
    pose       (4, 4) optical frame to world
    positions  (n, 3) metres, and rotations (n, 3, 3), thing to world, of the things
    """

    depth: np.ndarray
    instance: np.ndarray
    camera: Camera
    pose: np.ndarray
    positions: np.ndarray
    rotations: np.ndarray


def backward(now: Moment, before: Moment) -> tuple[np.ndarray, np.ndarray]:
    """
    Follow what every pixel shows back to the frame before.

    returns flow (H, W, 2) float32, pixels right and down to where it was, and seen (H, W) bool:
    whether it was in that picture and nothing stood before it; flow is 0 where it was not
    """
    cloud = points(now.depth, now.camera).astype(np.float64)  # H W 3
    world = cloud @ now.pose[:3, :3].T + now.pose[:3, 3]
    for number in np.unique(now.instance):
        if number:
            k, mine = number - 1, now.instance == number
            local = (world[mine] - now.positions[k]) @ now.rotations[k]
            world[mine] = local @ before.rotations[k].T + before.positions[k]
    there = (world - before.pose[:3, 3]) @ before.pose[:3, :3]
    z = there[..., 2]
    camera, (height, width) = before.camera, now.depth.shape
    with np.errstate(divide='ignore', invalid='ignore'):
        u = camera.fx * there[..., 0] / z + camera.cx
        v = camera.fy * there[..., 1] / z + camera.cy
    inside = (z > 0) & (u >= 0) & (u <= width - 1) & (v >= 0) & (v <= height - 1)
    column, row = (np.rint(np.where(inside, x, 0)).astype(int) for x in (u, v))
    close = np.abs(before.depth[row, column] - z) < NEAR * (1 + z)
    seen = inside & close & (before.instance[row, column] == now.instance)
    own_row, own_column = np.indices(seen.shape)
    flow = np.stack([u - own_column, v - own_row], -1)
    return np.where(seen[..., None], flow, 0).astype(np.float32), seen
