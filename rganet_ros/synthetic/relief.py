"""
The floor of a used tote: moulded panels and grooves of a few millimetres, wear, holes, a sheen.

What a person sees as an empty floor is, to a network that knows flat floors alone, a lot of flat
things. Panels lie below z = 0, where things rest.
"""

from __future__ import annotations

import cv2
import numpy as np
from rganet_ros.synthetic import meshes, textures

DEEPEST = 0.0045  # metres below what things rest on
SIZE, CELLS = 256, 96  # pixels of the drawing and cells of the mesh, along either side


def _rectangle(picture, low, high, radius: int, thick: int) -> None:
    """Draw a rectangle with round corners in place, filled where thick is -1, else with bosses."""
    (left, top), (right, bottom) = np.int64(low), np.int64(high)
    for x, y in ((left, top), (right, top), (left, bottom), (right, bottom)):
        centre = (int(np.clip(x, left + radius, right - radius)),
                  int(np.clip(y, top + radius, bottom - radius)))  # fmt: skip
        cv2.circle(picture, centre, radius, 1.0, thick, cv2.LINE_AA)
    shrink = np.array([[radius, 0], [0, radius]])
    for by in shrink:
        cv2.rectangle(picture, tuple(map(int, low + by)), tuple(map(int, high - by)), 1.0, thick)


def panels(rng: np.random.Generator) -> np.ndarray:
    """Draw how deep a floor is, (SIZE, SIZE) float32 metres, 0 and below, alike left and right."""
    deep = np.zeros((SIZE, SIZE), np.float32)
    for _ in range(rng.integers(1, 5)):
        mask = np.zeros_like(deep)
        low = rng.uniform(0.04, 0.4, 2) * SIZE
        high = np.array([rng.uniform(0.2, 0.46), rng.uniform(0.5, 0.96)]) * SIZE
        if rng.random() < 0.4:  # one in the middle, across the mirror
            high[0] = SIZE - low[0]
        low, high = np.minimum(low, high - 24), high
        thick = -1 if rng.random() < 0.6 else int(rng.integers(3, 14))
        _rectangle(mask, low, high, int(rng.integers(3, 12)), thick)
        if rng.random() < 0.3:  # an end that is an arc
            end = int((low[0] + high[0]) / 2), int(high[1])
            axes = int(0.6 * (high[0] - low[0])), int(rng.uniform(8, 24))
            cv2.ellipse(mask, end, axes, 0, 0, 360, float(rng.random() < 0.5), -1, cv2.LINE_AA)
        mask = np.maximum(mask, mask[:, ::-1])
        mask = cv2.GaussianBlur(mask, (0, 0), rng.uniform(1, 3))
        if rng.random() < 0.7:
            deep = np.maximum(deep, mask * rng.uniform(0.2, 1))
        else:  # one within another
            deep = deep + mask * rng.uniform(0.1, 0.4)
    if rng.random() < 0.4:
        deep = deep.max() - deep
    deep *= rng.uniform(0.2, 1) / max(1, deep.max())
    sag = textures.noise(rng, SIZE, SIZE, 2, 1) * rng.uniform(0, 0.1)
    return -DEEPEST * np.clip(deep + sag - sag.min(), 0, 1).astype(np.float32)


def worn(rng: np.random.Generator, base: textures.Colour) -> np.ndarray:
    """Draw plastic that was scraped pale, mirrors a lamp broadly, and has holes and specks."""
    size = 2 * SIZE
    picture = cv2.resize(textures.plastic(rng, base), (size, size)).astype(np.float32)
    scraped = 1 / (1 + np.exp(-2 * textures.noise(rng, size, size, 3, 4) + rng.uniform(0, 2)))
    pale = np.float32(0.55 * np.array(base) + 0.45 * rng.uniform(90, 190))
    share = rng.uniform(0, 0.6) * scraped[..., None]
    picture = picture * (1 - share) + pale * share
    sheen = np.zeros((size, size), np.float32)
    for _ in range(rng.integers(0, 4)):
        centre = tuple(int(x) for x in rng.integers(0, size, 2))
        axes = tuple(int(x) for x in rng.uniform(0.05, 0.4, 2) * size)
        turn, strength = rng.uniform(0, 180), rng.uniform(0.1, 0.5)
        cv2.ellipse(sheen, centre, axes, turn, 0, 360, strength, -1)
    sheen = cv2.GaussianBlur(sheen, (0, 0), rng.uniform(8, 40))[..., None]
    picture = picture * (1 + sheen) + 60 * sheen
    for _ in range(rng.integers(0, 8)):
        x, y = rng.uniform(0.05, 0.45) * size, rng.uniform(0.05, 0.95) * size
        shade, long = float(rng.choice([12, 25, 235])), rng.uniform(0, 14) * (rng.random() < 0.3)
        radius = int(rng.integers(2, 6))
        for across in (x, size - x):  # as the bolts and slots of a mould are
            from_, to = (int(across), int(y)), (int(across + long / 3), int(y + long))
            cv2.line(picture, from_, to, (shade,) * 3, radius, cv2.LINE_AA)
    return textures.to_uint8(picture)


def floor(rng: np.random.Generator, half, exponent: float) -> meshes.Mesh:
    """Make the plate of such a floor: half (x, y) metres, corners round as a superellipse's."""
    x, y = np.meshgrid(*2 * [np.linspace(-1, 1, CELLS + 1, dtype=np.float32)])
    uv = np.stack([x + 1, y + 1], -1) / 2
    z = cv2.remap(panels(rng), uv * (SIZE - 1), None, cv2.INTER_LINEAR)
    radius = (abs(x) ** exponent + abs(y) ** exponent) ** (1 / exponent)
    inward = 0.97 * np.maximum(abs(x), abs(y)) / np.maximum(radius, 1e-9)
    vertices = np.stack([half[0] * x * inward, half[1] * y * inward, z], -1)
    faces = meshes.grid_faces(CELLS + 1, CELLS + 1)
    return meshes.Mesh(vertices.reshape(-1, 3).astype(float), uv.reshape(-1, 2), faces)
