"""
What the renderer's light lacks: ambient occlusion, mirrored surroundings, muted colours.

Pictures here are (H, W, 3) float32 with 1 as white.
"""

from __future__ import annotations

import cv2
import numpy as np
from rganet_ros.synthetic.view import View

# Window of the depth's local mean (px, chosen at 640 wide), difference that counts in full (m),
# strength.
OCCLUSION = ((9, 0.012, 0.10), (25, 0.025, 0.22), (71, 0.06, 0.32))


def occlusion(depth: np.ndarray) -> np.ndarray:
    """Share of ambient light (H, W): less where the surface lies deeper than around it."""
    light = np.ones_like(depth)
    for window, span, strength in OCCLUSION:
        deeper = depth - cv2.blur(depth, (window, window))
        light -= strength * np.clip(deeper / span, 0, 1)
    return np.clip(light, 0.25, 1)


def surroundings(rng: np.random.Generator) -> np.ndarray:
    """
    Make a room, (64, 128, 3): dull, windows and lamps in its upper half.

    Rows go from the world's z down to -z, columns all around it.
    """
    room = np.full((64, 128, 3), 0.12, np.float32)
    room[:28] = 0.28
    for _ in range(rng.integers(3, 7)):
        x, y, w, h = rng.integers([0, 0, 4, 2], [110, 24, 22, 8])
        tint = 1 + 0.08 * rng.standard_normal(3)
        room[y : y + h, x : x + w] = rng.uniform(0.8, 3) * tint
    room[34:] *= rng.uniform(0.4, 1, 3)
    return cv2.GaussianBlur(room, (0, 0), 1.2)


def rays(shape, view: View) -> np.ndarray:
    """Compute the unit vector (H, W, 3) of each pixel's view in the optical frame."""
    rows, columns = shape
    camera = view.camera(columns, rows)
    x = (np.arange(columns, dtype=np.float32) - camera.cx) / camera.fx
    y = (np.arange(rows, dtype=np.float32) - camera.cy) / camera.fy
    ray = np.stack(np.broadcast_arrays(x[None], y[:, None], np.float32(1)), -1)
    return ray / np.linalg.norm(ray, axis=-1, keepdims=True)


def reflections(normal, ray, view: View, room: np.ndarray) -> np.ndarray:
    """
    Compute what a smooth surface mirrors, (H, W, 3), weighted by Fresnel's term (Schlick).

    normal, ray  (H, W, 3) unit, optical frame; room as `surroundings` makes it
    """
    smooth = cv2.GaussianBlur(normal, (0, 0), 1.0)
    smooth /= np.linalg.norm(smooth, axis=-1, keepdims=True) + 1e-9
    cosine = -(ray * smooth).sum(-1)
    mirrored = (ray + 2 * cosine[..., None] * smooth) @ view.rotation.T.astype(np.float32)
    around = np.arctan2(mirrored[..., 1], mirrored[..., 0]) / (2 * np.pi) + 0.5
    down = np.arccos(np.clip(mirrored[..., 2], -1, 1)) / np.pi
    seen = cv2.remap(
        room, (around * 127).astype(np.float32), (down * 63).astype(np.float32), cv2.INTER_LINEAR
    )
    fresnel = 0.04 + 0.5 * (1 - np.clip(cosine, 0, 1)) ** 5
    return fresnel[..., None] * seen


def shade(rng, rgb, depth, normal, gloss, view: View, room: np.ndarray) -> np.ndarray:
    """
    Finish a rendered picture.

    rgb     (H, W, 3) uint8; depth (H, W) metres; normal (H, W, 3) optical frame
    gloss   (H, W) 0..1, how much a pixel's surface mirrors
    """
    picture = rgb.astype(np.float32) / 255
    ambient = occlusion(depth)
    picture *= ambient[..., None]
    mirrored = reflections(normal, rays(depth.shape, view), view, room)
    picture += 1.6 * (gloss * ambient)[..., None] * mirrored
    grey = picture.mean(-1, keepdims=True)
    picture = grey + (picture - grey) * rng.uniform(0.6, 0.95)
    white_balance = 1 + 0.05 * rng.standard_normal(3)
    exposure = np.exp(rng.normal(0.08, 0.22))
    picture = np.clip(picture * (exposure * white_balance), 0, None)
    return (1.1 * picture / (1 + 0.18 * picture) + rng.uniform(0, 0.05)).astype(np.float32)
