"""
Random changes of one training frame: pure functions over arrays and a generator.

What is changed is drawn here; torchvision's transforms v2 change it, in the form of functions: as
transforms they draw from torch's one generator, and workers would then have to be counted.
"""

from __future__ import annotations

import cv2
import numpy as np
from rganet_ros.training.config import Recipe
import torch
from torch import Tensor
from torchvision.transforms.v2 import functional, InterpolationMode

IGNORE = 255
GREY = 114  # where a cut leaves the frame: the letterbox's padding


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
    image = torch.from_numpy(np.ascontiguousarray(rgb.transpose(2, 0, 1)))
    # Nearest neighbours of both are the same: they go as one, and class ids are exact in float32.
    maps = torch.from_numpy(np.stack([depth, label]).astype(np.float32))
    if size is not None:
        image, maps = _cut(image, maps, size, recipe, rng)
    for flip in (functional.horizontal_flip, functional.vertical_flip):
        if rng.random() < 0.5:
            image, maps = flip(image), flip(maps)
    rgb = np.ascontiguousarray(recolour(image, recipe, rng, own).permute(1, 2, 0))
    depth, label = maps.numpy()
    depth = spoil(depth, recipe.depth_holes, rng, own)
    if rng.random() < recipe.without_depth:
        depth = np.zeros_like(depth)
    return rgb, depth, label.astype(np.uint8)


def _cut(
    image: Tensor, maps: Tensor, size: tuple[int, int], recipe: Recipe, rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Turn, zoom and shift a picture (3, H, W), depth and label (2, H, W); cut out `size`."""
    sides, cut = np.array(image.shape[:0:-1]), np.array(size[::-1])
    moved = rng.random() < recipe.move_share
    zoom = float(np.exp(rng.uniform(*np.log(recipe.zoom)))) if moved else 1.0
    angle = rng.uniform(-recipe.turn, recipe.turn) if moved else 0.0
    scale = zoom * (min(cut / sides) if recipe.fit == 'letterbox' else 1)
    # How far the centre may be from the middle so that an unturned cut stays inside.
    room = np.maximum(sides - cut / scale, 0) / 2
    centre = sides / 2 + rng.uniform(-room, room)
    if moved:
        centre = centre + recipe.shift * cut / scale * rng.uniform(-1, 1, 2)
        centre = centre.clip(0, sides)
    # Only what the turned cut sees is warped; no less than a cut, which is its middle then.
    c, s = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
    turn = np.array([[c, -s], [s, c]])
    seen = np.maximum(abs(turn) @ cut / scale, cut) / 2 + 1
    first, last = np.floor(centre - seen).astype(int), np.ceil(centre + seen).astype(int)
    around = [*-first, *(last - sides)]  # negative where something is left out
    shift = turn @ ((first + last) / 2 - centre) * scale

    def warp(x: Tensor, how: InterpolationMode, fill: list[float]) -> Tensor:
        x = functional.pad(x, around, fill=fill)
        x = functional.affine(x, angle, shift.tolist(), scale, [0, 0], how)
        return functional.center_crop(x, list(size))

    image = warp(image, InterpolationMode.BILINEAR, [GREY] * 3)
    maps = warp(maps, InterpolationMode.NEAREST, [0, IGNORE])
    # A larger picture of the same thing is the camera brought nearer: heights and slopes stay.
    known = maps[0] > 0
    if known.any():
        maps[0] += known * maps[0][known].mean() * (1 / zoom - 1)
    return image, maps


def recolour(
    image: Tensor,
    recipe: Recipe,
    rng: np.random.Generator,
    own: np.random.Generator | None = None,
) -> Tensor:
    """
    Change exposure, gamma, white balance, contrast, saturation and hue; sharpen; blur; add noise.

    image  (3, H, W) uint8, as is what it returns
    """
    own, strength = own or rng, recipe.colour

    def around(spread: float) -> float:
        return float(np.exp(strength * spread * rng.uniform(-1, 1)))

    x = functional.to_dtype(image, torch.float32, scale=True)
    x = functional.adjust_gamma(functional.adjust_brightness(x, around(0.5)), around(0.5))
    x = functional.normalize(x, [0, 0, 0], [around(0.3) for _ in range(3)]).clip(max=1)
    x = functional.adjust_contrast(x, around(0.5))
    if rng.random() < strength:
        x = functional.adjust_saturation(x, around(1.0))
        x = functional.adjust_hue(x, strength * rng.uniform(-1, 1) / 9)
    if recipe.sharpen > 1 and rng.random() < 0.5:  # as cameras do, and a renderer does not
        x = functional.adjust_sharpness(x, rng.uniform(1, recipe.sharpen))
    if rng.random() < 0.4 * strength:
        x = functional.gaussian_blur(x, [5, 5], [rng.uniform(0.4, 1.2)])
    if rng.random() < 0.8 * strength:
        x = x + torch.from_numpy(own.standard_normal(x.shape, np.float32)) * rng.uniform(0, 0.04)
    return functional.to_dtype(x.clip(0, 1), torch.uint8, scale=True)


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
