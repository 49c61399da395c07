"""What a small RGB-D camera makes of colour and of depth: blur, noise, quantisation, and holes."""

from __future__ import annotations

import cv2
import numpy as np
from rganet_ros.synthetic.recipe import Recipe
from rganet_ros.synthetic.textures import noise
from rganet_ros.types import Camera


def _motion_blur(rng, picture: np.ndarray) -> np.ndarray:
    size = int(rng.integers(3, 6))
    line = np.zeros((size, size), np.float32)
    line[size // 2] = 1
    middle = ((size - 1) / 2, (size - 1) / 2)
    line = cv2.warpAffine(
        line, cv2.getRotationMatrix2D(middle, rng.uniform(0, 180), 1), (size, size)
    )
    return cv2.filter2D(picture, -1, line / line.sum())


def colour(rng: np.random.Generator, picture: np.ndarray) -> np.ndarray:
    """Take a photograph of (H, W, 3) float32 with 1 as white: uint8 RGB."""
    height, width = picture.shape[:2]
    if rng.random() < 0.7:
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 1.0))
    if rng.random() < 0.15:
        picture = _motion_blur(rng, picture)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    off_axis = ((x - width / 2) ** 2 + (y - height / 2) ** 2) / (width / 2) ** 2
    picture = np.clip(picture * (1 - rng.uniform(0, 0.18) * off_axis)[..., None], 0, None)
    picture = picture ** rng.uniform(0.8, 1.15)
    gain = rng.uniform(0.003, 0.018)
    shot = 0.4 + np.sqrt(np.clip(picture, 0, 1))
    picture = picture + gain * shot * rng.standard_normal(picture.shape, np.float32)
    chroma = rng.standard_normal((height // 3, width // 3, 3), np.float32)
    picture += 0.5 * gain * cv2.resize(chroma, (width, height))
    photograph = np.clip(picture * 255, 0, 255).astype(np.uint8)
    if rng.random() < 0.6:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(60, 95))]
        photograph = cv2.imdecode(
            cv2.imencode('.jpg', photograph, quality)[1], cv2.IMREAD_UNCHANGED
        )
    return photograph


def _jitter(rng, depth: np.ndarray, pixels: float) -> np.ndarray:
    """Edges wander by a pixel or two."""
    height, width = depth.shape
    y, x = np.mgrid[:height, :width].astype(np.float32)
    dx, dy = (
        3 * pixels * cv2.GaussianBlur(rng.standard_normal(depth.shape, np.float32), (0, 0), 1.5)
        for _ in range(2)
    )
    return cv2.remap(depth, x + dx, y + dy, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)


def _projector_shadow(depth, focal: float, baseline: float) -> np.ndarray:
    """Pixels that the projector, `baseline` m beside a camera of `focal` px, does not reach."""
    flip = baseline < 0
    z = depth[:, ::-1] if flip else depth
    column = np.arange(z.shape[1], dtype=np.float32) - focal * abs(baseline) / np.maximum(z, 0.1)
    hidden = column[:, ::-1] > np.minimum.accumulate(column[:, ::-1], 1) + 1.0
    hidden = hidden[:, ::-1]
    return hidden[:, ::-1] if flip else hidden


def _patches(rng, shape, cells: int, share: float) -> np.ndarray:
    """Blobs that cover about `share` of the picture."""
    field = noise(rng, *shape, cells, 3)
    return field > np.quantile(field[::8, ::8], 1 - share)


def _border(rng, shape, bad: float) -> np.ndarray:
    """Bands at the border that the depth camera, beside the colour camera, does not see."""
    ragged = 0.02 * noise(rng, *shape, 25, 2)
    left, right, top, bottom = np.maximum(0, bad * rng.normal(0, [0.07, 0.07, 0.06, 0.03]))
    y, x = (np.linspace(0, 1, n, dtype=np.float32) for n in shape)
    x, y = x[None] + ragged, y[:, None] + ragged
    # An edge that is not there must not be ragged either.
    return (
        ((x < left) & (left > 0)) | ((x > 1 - right) & (right > 0))
        | ((y < top) & (top > 0)) | ((y > 1 - bottom) & (bottom > 0))
    )  # fmt: skip


def _frayed(z: np.ndarray, grain: np.ndarray, bad: float) -> np.ndarray:
    """Surroundings of steps in depth where matching fails, in pieces."""
    step = cv2.morphologyEx(z, cv2.MORPH_GRADIENT, np.ones((3, 3))) > 0.012
    size = 2 * round(1 + 2.5 * bad) + 1
    near = cv2.dilate(step.astype(np.uint8), np.ones((size, size))) > 0
    return near & (grain > 1.6 - 1.6 * bad)


def _dots(shape, ratio: float) -> np.ndarray:
    """Pixels of colour that a coarser depth camera hits, `ratio` of the colour's focal length."""
    hit = np.zeros(shape, bool)
    rows, columns = (np.rint(np.arange(int(n * ratio)) / ratio).astype(int) for n in shape)
    hit[np.ix_(rows.clip(0, shape[0] - 1), columns.clip(0, shape[1] - 1))] = True
    return hit


def depth(rng, true, surface, normal, ray, camera: Camera, dark, clear, recipe: Recipe):
    """
    See depth as a structured-light camera does.

    true     (H, W) float32 metres; surface (H, W) ids as in render.Shot
    normal   (H, W, 3) and ray (H, W, 3), unit, optical frame
    dark     (H, W) 0..1, how black the picture is there; clear (H, W) bool, see-through or mesh
    Returns (H, W) float32 metres, 0 where the camera sees nothing.
    """
    shape, chance = true.shape, rng.random()
    if chance < recipe.clean_depth_share:
        z = true + 0.0003 * rng.standard_normal(shape, np.float32)
        hole = (z > 1.6) | (clear & _patches(rng, shape, 30, 0.3))
        return _quantised(rng, np.where(hole, 0, z))
    z = _jitter(rng, true, rng.uniform(0.4, 1.0))
    baseline = rng.uniform(0.02, 0.03) * rng.choice([-1, 1])
    hole = _projector_shadow(z, camera.fx, baseline)
    smooth = cv2.resize(
        rng.standard_normal((shape[0] // 4, shape[1] // 4), np.float32), shape[::-1]
    )
    wander = 0.6 * rng.standard_normal(shape, np.float32) + 0.8 * smooth
    z = z + rng.uniform(0.5, 1.0) * (0.0006 + 0.0014 * z * z) * wander
    # Depth comes in steps: the disparity of eyes 0.1 m apart, in sixteenths of a pixel.
    disparity = np.rint(camera.fx * 0.1 / np.maximum(z, 0.05) * 16) / 16
    z = camera.fx * 0.1 / np.maximum(disparity, 1e-3)
    bad, grain = rng.beta(1, 1.6), noise(rng, *shape, 60, 3)
    cosine = -(normal * ray).sum(-1)
    hole |= cosine < rng.uniform(0.12, 0.26) + (0.08 + 0.1 * bad) * grain  # grazing
    hole |= clear & (grain > rng.uniform(-1.5, 0.3))
    hole |= dark + 0.12 * grain > rng.uniform(0.94, 1.2)
    hole |= rng.random(shape) < 0.0005
    hole |= _patches(rng, shape, 20, rng.uniform(0, 0.008))
    hole |= _border(rng, shape, bad) | _frayed(z, grain, bad)
    # Around a tote there is metal, and floor out of range.
    around = rng.choice([0.1, 0.5, 0.85, 0.97], p=[0.2, 0.2, 0.35, 0.25])
    hole |= (surface == 0) & _patches(rng, shape, 7, around)
    hole |= (z > rng.uniform(1.0, 1.4)) | (z < rng.uniform(0.15, 0.3))
    hole = cv2.morphologyEx(hole.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3))) > 0
    if chance > 1 - recipe.dotted_depth_share:
        hole |= ~_dots(shape, rng.uniform(0.6, 0.85))
    return _quantised(rng, np.where(hole, 0, z))


def _quantised(rng, z: np.ndarray) -> np.ndarray:
    """Whole millimetres, as ROS has them, or tenths, as Zeng's files do."""
    step = 1e-3 if rng.random() < 0.35 else 1e-4
    return (np.rint(z / step) * step).astype(np.float32)
