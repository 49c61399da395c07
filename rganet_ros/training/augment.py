"""
Random changes of one training frame: pure functions over arrays and a generator.

OpenCV and numpy, not torchvision's transforms v2: the same cut, turn, colours and blur of a frame
of 640 x 480 to 320 x 256 took those 13 times as long (76 ms of one core, this 5.9, noise and holes
of depth included), and their random numbers are global, so that workers would have to be counted.
"""

from __future__ import annotations

import cv2
import numpy as np
from rganet_ros.training.config import Recipe

IGNORE = 255


def augment(
    rgb: np.ndarray,
    depth: np.ndarray,
    label: np.ndarray,
    size: tuple[int, int] | None,
    recipe: Recipe,
    rng: np.random.Generator,
    own: np.random.Generator | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """
    Cut a changed picture of the given size (height, width) out of a frame.

    rgb    (H, W, 3) uint8
    depth  (H, W) float32 metres, 0 unknown
    label  (H, W) uint8 class ids, 255 ignored; ignored as well where the cut leaves the frame
    own    draws noise and holes; the frames of a clip, changed alike by equal rng, differ in those

    Without a size it is the whole frame, and only flips and colours change.
    """
    if size is not None:
        rgb, depth, label = _cut(rgb, depth, label, size, recipe, rng)
    if rng.random() < 0.5:
        rgb, depth, label = rgb[:, ::-1], depth[:, ::-1], label[:, ::-1]
    if rng.random() < 0.5:
        rgb, depth, label = rgb[::-1], depth[::-1], label[::-1]
    rgb = recolour(rgb, recipe.colour, rng, own)
    return rgb, spoil(depth, recipe.depth_holes, rng, own), label


def _cut(rgb, depth, label, size, recipe, rng):
    sides, cut = np.array(label.shape[::-1]), np.array(size[::-1])
    moved = rng.random() < recipe.move_share
    zoom = np.exp(rng.uniform(*np.log(recipe.zoom))) if moved else 1.0
    angle = np.deg2rad(rng.uniform(-recipe.turn, recipe.turn)) if moved else 0.0
    scale = zoom * (min(cut / sides) if recipe.fit == 'letterbox' else 1)
    # How far the centre may be from the middle so that an unturned cut stays inside.
    room = np.maximum(sides - cut / scale, 0) / 2
    centre = sides / 2 + rng.uniform(-room, room)
    if moved:
        centre = centre + recipe.shift * cut / scale * rng.uniform(-1, 1, 2)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) / scale
    there = np.column_stack([turn, centre - turn @ (cut / 2)])

    def warp(array, flags, border):
        flags |= cv2.WARP_INVERSE_MAP
        return cv2.warpAffine(array, there, size[::-1], flags=flags, borderValue=border)

    rgb = warp(rgb, cv2.INTER_LINEAR, (114, 114, 114))
    depth, label = warp(depth, cv2.INTER_NEAREST, 0), warp(label, cv2.INTER_NEAREST, IGNORE)
    # A larger picture of the same thing is the camera brought nearer: heights and slopes stay.
    known = depth > 0
    if known.any():
        depth = np.where(known, depth + depth[known].mean() * (1 / zoom - 1), 0)
    return rgb, depth.astype(np.float32), label


def recolour(
    rgb: np.ndarray,
    strength: float,
    rng: np.random.Generator,
    own: np.random.Generator | None = None,
) -> np.ndarray:
    """Change exposure, contrast, gamma, white balance, saturation and hue; blur; add noise."""
    own = own or rng

    def around(spread, count=None):
        return np.exp(strength * spread * rng.uniform(-1, 1, count))

    ramp = np.arange(256, dtype=np.float32)[:, None] / 255
    curve = (ramp * around(0.5)) ** around(0.5) * around(0.3, 3)
    curve = (curve - 0.45) * around(0.5) + 0.45
    rgb = cv2.LUT(np.ascontiguousarray(rgb), (curve * 255).clip(0, 255).astype(np.uint8)[:, None])
    if rng.random() < 0.5 * strength * 2:
        hsv = cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV)
        tone = np.arange(256)
        hue = (tone + rng.uniform(-20, 20) * strength) % 180
        saturation = (tone * around(1.0)).clip(0, 255)
        table = np.stack([hue, saturation, tone], -1).astype(np.uint8)
        rgb = cv2.cvtColor(cv2.LUT(hsv, table[:, None]), cv2.COLOR_HSV2RGB)
    if rng.random() < 0.4 * strength:
        rgb = cv2.GaussianBlur(rgb, (0, 0), rng.uniform(0.4, 1.2))
    if rng.random() < 0.8 * strength:
        noise = own.integers(-1, 2, rgb.shape, np.int8) * np.int8(rng.uniform(1, 12))
        rgb = cv2.add(rgb, noise.astype(np.int16), dtype=cv2.CV_8U)
    return rgb


def spoil(
    depth: np.ndarray,
    holes: int,
    rng: np.random.Generator,
    own: np.random.Generator | None = None,
) -> np.ndarray:
    """Shift the whole depth, add smooth noise, and drop blobs of it."""
    own = own or rng
    height, width = depth.shape
    known = depth > 0
    coarse = own.standard_normal((height // 8 + 1, width // 8 + 1)).astype(np.float32)
    noise = cv2.resize(coarse, (width, height)) * np.float32(rng.uniform(0, 0.0015))
    depth = (depth * np.float32(rng.uniform(0.97, 1.03)) + noise) * known
    for _ in range(own.integers(0, holes + 1)):
        middle = (int(own.integers(width)), int(own.integers(height)))
        radii = tuple(int(r) for r in own.integers(2, 30, 2))
        cv2.ellipse(depth, middle, radii, own.uniform(0, 180), 0, 360, 0, -1)
    return depth
