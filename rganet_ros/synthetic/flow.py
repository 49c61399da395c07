"""Where each pixel was in the frame before: from true depth and the poses of all things."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from rganet_ros import motion
from rganet_ros.geometry import points
from rganet_ros.metrics import warp
from rganet_ros.types import Camera


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
    flow, seen = motion.seen_before(world, before.depth, before.camera, before.pose)
    seen &= warp(before.instance, flow) == now.instance
    return np.where(seen[..., None], flow, 0), seen
