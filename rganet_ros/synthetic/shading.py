"""
What the renderer lacks: ambient occlusion, mirrored surroundings, clear plastic, muted colours.

Pictures here are (H, W, 3) float32 with 1 as white.
"""

from __future__ import annotations

import cv2
import numpy as np
from rganet_ros.synthetic.view import View

# Window of the depth's local mean (share of the width), difference that counts in full (m),
# strength.
OCCLUSION = ((0.014, 0.012, 0.10), (0.04, 0.025, 0.22), (0.11, 0.06, 0.26))
BEND = 0.012  # m, that what is behind a see-through wall is shifted where the wall is steep


def occlusion(depth: np.ndarray) -> np.ndarray:
    """Share of ambient light (H, W): less where the surface lies deeper than around it."""
    light = np.ones_like(depth)
    for share, span, strength in OCCLUSION:
        window = 2 * round(share * depth.shape[1] / 2) + 1
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
        room[y : y + h, x : x + w] = np.exp(rng.uniform(-0.3, 1.7)) * tint
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
    size = normal.shape[1::-1]  # at half of it: highlights are soft, and this is dear
    smooth, ray = (cv2.resize(a, None, None, 0.5, 0.5, cv2.INTER_AREA) for a in (normal, ray))
    smooth /= np.linalg.norm(smooth, axis=-1, keepdims=True) + 1e-9
    cosine = -(ray * smooth).sum(-1)
    mirrored = (ray + 2 * cosine[..., None] * smooth) @ view.rotation.T.astype(np.float32)
    around = np.arctan2(mirrored[..., 1], mirrored[..., 0]) / (2 * np.pi) + 0.5
    down = np.arccos(np.clip(mirrored[..., 2], -1, 1)) / np.pi
    seen = cv2.remap(
        room, (around * 127).astype(np.float32), (down * 63).astype(np.float32), cv2.INTER_LINEAR
    )
    fresnel = 0.04 + 0.5 * (1 - np.clip(cosine, 0, 1)) ** 5
    return cv2.resize(fresnel[..., None] * seen, size)


def see_through(picture, rgba, depth, normal, ray, focal: float) -> np.ndarray:
    """
    Lay clear plastic over what is behind it: shifted along the normal, tinted, denser where steep.

    picture  (H, W, 3) without it; rgba (H, W, 4), the last below 1 where it is
    depth    (H, W) metres; normal and ray (H, W, 3) unit, optical frame; focal px
    """
    clear = rgba[..., 3] < 1
    if not clear.any():
        return picture
    y, x = np.indices(clear.shape, np.float32)
    shift = np.where(clear, BEND * focal / depth, 0).astype(np.float32)
    x, y = x + shift * normal[..., 0], y + shift * normal[..., 1]
    edge = cv2.BORDER_REPLICATE
    behind = cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=edge)[clear]
    wall = normal[clear]
    cosine = np.clip(-(wall * ray[clear]).sum(-1), 0.15, 1)
    passed = ((1 - rgba[clear][:, 3]) ** (1 / cosine))[:, None]
    tint = rgba[clear][:, :3]
    haze = tint * behind.mean()
    laid = picture.copy()
    laid[clear] = passed * behind * (0.5 + 0.5 * tint) + (1 - passed) * haze
    return laid


def shade(rng, rgb, rgba, depth, normal, gloss, ray, view: View, room: np.ndarray) -> np.ndarray:
    """
    Finish a rendered picture.

    rgb     (H, W, 3) 0..1 and rgba (H, W, 4), as in render.Shot; depth (H, W) metres
    normal  (H, W, 3) and ray (H, W, 3), unit, optical frame
    gloss   (H, W) 0..1, how much a pixel's surface mirrors
    """
    ambient = occlusion(depth)
    focal = view.camera(*depth.shape[::-1]).fx
    picture = see_through(rgb, rgba, depth, normal, ray, focal) * ambient[..., None]
    mirrored = reflections(normal, ray, view, room)
    picture += 1.6 * (gloss * ambient)[..., None] * mirrored
    grey = picture.mean(-1, keepdims=True)
    picture = grey + (picture - grey) * rng.uniform(0.75, 1.15)
    white_balance = 1 + 0.05 * rng.standard_normal(3)
    # The camera makes up for a part of what there is too little or too much of light.
    lacking = 0.36 / (picture.mean() + 0.02)
    exposure = np.exp(rng.normal(0.05, 0.2)) * lacking ** rng.uniform(0, 0.8)
    picture = np.clip(picture * np.float32(exposure * white_balance), 0, None)
    return (1.1 * picture / (1 + 0.18 * picture) + rng.uniform(0, 0.03)).astype(np.float32)
