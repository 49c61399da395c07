"""
Meshes from a few numbers: lofts, boxes, pillows, lumps, tubes, and the hulls that collide.

Lengths are metres. Texture coordinates are those of a picture: (0, 0) its top left corner, v down.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from rganet_ros.synthetic.textures import noise
from scipy.spatial import ConvexHull


class Mesh(NamedTuple):
    """Triangles: vertices (n, 3) metres, uv (n, 2) of the picture, faces (m, 3) outward."""

    vertices: np.ndarray
    uv: np.ndarray
    faces: np.ndarray


def grid_faces(rows: int, columns: int, *, flip: bool = False) -> np.ndarray:
    """Triangles of a (rows, columns) grid of vertices stored row by row."""
    row, column = np.meshgrid(np.arange(rows - 1), np.arange(columns - 1), indexing='ij')
    a = (row * columns + column).ravel()
    b, c, d = a + 1, a + columns, a + columns + 1
    faces = np.concatenate([np.stack([a, b, d], 1), np.stack([a, d, c], 1)])
    return faces[:, ::-1] if flip else faces


def arc_length(profile: np.ndarray) -> np.ndarray:
    """Share of the length of a polyline (n, 2) at each of its points, 0..1."""
    steps = np.linalg.norm(np.diff(profile, axis=0), axis=1)
    length = np.concatenate([[0], np.cumsum(steps)])
    return length / length[-1]


def densify(profile, step: float) -> np.ndarray:
    """Insert points so that no segment of the polyline is longer than `step`."""
    profile = np.asarray(profile, float)
    points = []
    for start, end in zip(profile[:-1], profile[1:]):
        count = max(1, int(np.linalg.norm(end - start) / step))
        points += [start + (end - start) * k / count for k in range(count)]
    return np.array([*points, profile[-1]])


def rounded(profile, times: int = 1) -> np.ndarray:
    """Cut the corners of a polyline (Chaikin), keeping its ends."""
    points = np.asarray(profile, float)
    for _ in range(times):
        start, end = points[:-1], points[1:]
        cut = np.stack([0.75 * start + 0.25 * end, 0.25 * start + 0.75 * end], 1).reshape(-1, 2)
        points = np.concatenate([points[:1], cut, points[-1:]])
    return points


def superellipse(angle: np.ndarray, exponent: float | np.ndarray) -> np.ndarray:
    """(…, 2) points of |x|^e + |y|^e = 1: e = 2 is a circle, larger ones are boxier."""
    c, s = np.cos(angle).round(9), np.sin(angle).round(9)  # a root of 1e-16 would be a visible gap
    power = 2 / np.asarray(exponent, float)
    return np.stack([np.sign(c) * abs(c) ** power, np.sign(s) * abs(s) ** power], -1)


def loft(profile, aspect=1.0, exponent=2.0, segments: int = 40) -> Mesh:
    """
    Sweep a profile around z, its rings superellipses.

    profile   (n, 2) radius and height, from the bottom up along the outside
    aspect    y over x, one number or one for each profile point
    exponent  of the superellipse, likewise
    """
    profile = np.asarray(profile, float)
    count = len(profile)
    angle = np.linspace(0, 2 * np.pi, segments + 1)
    aspect = np.broadcast_to(np.asarray(aspect, float), (count,))
    exponent = np.broadcast_to(np.asarray(exponent, float), (count,))
    ring = superellipse(angle[None], exponent[:, None]) * profile[:, :1, None]
    ring[..., 1] *= aspect[:, None]
    height = np.broadcast_to(profile[:, 1:, None], (count, segments + 1, 1))
    u = np.broadcast_to(angle / (2 * np.pi), (count, segments + 1))
    v = np.broadcast_to(1 - arc_length(profile)[:, None], (count, segments + 1))
    return Mesh(
        np.concatenate([ring, height], -1).reshape(-1, 3),
        np.stack([u, v], -1).reshape(-1, 2),
        grid_faces(count, segments + 1),
    )


SIDES = np.array([  # normal, right, up, as seen from outside
    [[1, 0, 0], [0, 1, 0], [0, 0, 1]], [[-1, 0, 0], [0, -1, 0], [0, 0, 1]],
    [[0, 1, 0], [-1, 0, 0], [0, 0, 1]], [[0, -1, 0], [1, 0, 0], [0, 0, 1]],
    [[0, 0, 1], [1, 0, 0], [0, 1, 0]], [[0, 0, -1], [1, 0, 0], [0, -1, 0]],
])  # fmt: skip


def box(half, bulge: float = 0.0, cells: int = 1) -> Mesh:
    """
    Make a box whose sides lie in a 3x2 atlas: +x -x +y above, -y +z -z below.

    half   (3,) half sizes
    bulge  metres that the middle of each side stands out (a soft pack); needs cells > 1
    """
    at = np.linspace(-1, 1, cells + 1)
    up, right = np.meshgrid(at, at, indexing='ij')
    dome = bulge * (1 - up**2) * (1 - right**2)
    vertices, uv, faces = [], [], []
    for k, (normal, u, v) in enumerate(SIDES):
        corner = normal + right[..., None] * u + up[..., None] * v
        faces.append(grid_faces(cells + 1, cells + 1) + len(vertices) * right.size)
        vertices.append((corner * half + dome[..., None] * normal).reshape(-1, 3))
        picture = np.stack([right * 0.49 + 0.5, 0.5 - up * 0.49], -1) + [k % 3, k // 3]
        uv.append((picture / [3, 2]).reshape(-1, 2))
    return Mesh(np.concatenate(vertices), np.concatenate(uv), np.concatenate(faces))


def pillow(rng: np.random.Generator, half_x: float, half_y: float, height: float) -> Mesh:
    """Make a wrinkled bag, `height` half its thickness; its picture: the front above the back."""
    rows, columns = 36, 28
    x, y = np.meshgrid(np.linspace(-1, 1, rows), np.linspace(-1, 1, columns), indexing='ij')
    fill = (1 - abs(x) ** rng.uniform(3, 6)) * (1 - abs(y) ** rng.uniform(2.5, 5))
    fill = np.clip(fill, 0, 1) ** 0.55
    wrinkle = rng.uniform(0.0004, 0.0026)
    crimp = 0.0012 * np.sin(60 * x) * (abs(y) > 0.9)
    vertices, uv, faces = [], [], []
    for side, sign in enumerate((1, -1)):
        waves = 0.5 * noise(rng, rows, columns, int(rng.integers(3, 6)), 3)
        ridges = 0.8 * (1 - abs(noise(rng, rows, columns, 4, 2)))
        z = height * fill + wrinkle * (waves + ridges) * np.sqrt(fill + 0.02) + 0.0006
        shrink = 1 - 0.05 * fill
        vertices.append(
            np.stack([half_x * x * shrink, half_y * y * shrink, sign * z + crimp], -1).reshape(
                -1, 3
            )
        )
        uv.append(np.stack([(1 + sign * x) / 2, ((1 - y) / 2 + side) / 2], -1).reshape(-1, 2))
        faces.append(grid_faces(rows, columns, flip=sign > 0) + side * rows * columns)
    return Mesh(np.concatenate(vertices), np.concatenate(uv), np.concatenate(faces))


def lump(rng: np.random.Generator, half, amount: float = 0.16) -> Mesh:
    """Make an ellipsoid (half axes (3,)) with folds of `amount` of its radius: cloth."""
    rows, columns = 36, 49
    polar = np.linspace(-np.pi / 2, np.pi / 2, rows)
    around = np.linspace(0, 2 * np.pi, columns)
    polar, around = np.meshgrid(polar, around, indexing='ij')
    folds = noise(rng, rows, columns, 5, 3)
    seam = np.clip(np.minimum(np.arange(columns), np.arange(columns)[::-1]) / 6, 0, 1)
    folds = folds * seam * np.sqrt(np.clip(np.cos(polar), 0, 1))
    direction = np.stack(
        [np.cos(polar) * np.cos(around), np.cos(polar) * np.sin(around), np.sin(polar)], -1
    )
    vertices = direction * (1 + amount * folds)[..., None] * np.asarray(half)
    uv = np.stack([around / (2 * np.pi), 0.5 - polar / np.pi], -1)
    return Mesh(vertices.reshape(-1, 3), uv.reshape(-1, 2), grid_faces(rows, columns))


def tube(path, radius, sides: int = 6) -> Mesh:
    """Sweep a circle along points (n, 3); radius one number or one for each; ends stay open."""
    path = np.asarray(path, float)
    tangent = np.gradient(path, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    across = np.empty_like(tangent)
    side = np.eye(3)[abs(tangent[0]).argmin()]
    for k, along in enumerate(tangent):  # carried on from point to point, it does not twist
        side = side - along * (side @ along)
        across[k] = side = side / np.linalg.norm(side)
    angle = np.linspace(0, 2 * np.pi, sides + 1)
    circle = np.cos(angle)[:, None] * across[:, None]
    circle = circle + np.sin(angle)[:, None] * np.cross(tangent, across)[:, None]
    radius = np.broadcast_to(np.asarray(radius, float), (len(path),))
    vertices = path[:, None] + radius[:, None, None] * circle
    u, v = np.meshgrid(angle / (2 * np.pi), np.linspace(0, 1, len(path)))
    uv = np.stack([u, v], -1).reshape(-1, 2)
    return Mesh(vertices.reshape(-1, 3), uv, grid_faces(len(path), sides + 1))


def moved(mesh: Mesh, by, scale=1.0) -> Mesh:
    """Scale a mesh, then move it by (3,) metres."""
    return mesh._replace(vertices=mesh.vertices * scale + by)


def joined(parts: list[Mesh]) -> Mesh:
    """Make one mesh of several, which share one picture."""
    starts = np.cumsum([0, *(len(part.vertices) for part in parts[:-1])])
    return Mesh(
        np.concatenate([part.vertices for part in parts]),
        np.concatenate([part.uv for part in parts]),
        np.concatenate([part.faces + start for part, start in zip(parts, starts)]),
    )


def facets(points: np.ndarray) -> Mesh:
    """Make the convex hull of points (n, 3), flat-shaded: no vertex is shared."""
    hull = ConvexHull(points)
    faces = hull.simplices.copy()
    a, b, c = (points[faces[:, k]] for k in range(3))
    inward = (np.cross(b - a, c - a) * hull.equations[:, :3]).sum(1) < 0
    faces[inward] = faces[inward][:, ::-1]
    vertices = points[faces].reshape(-1, 3)
    return Mesh(vertices, np.zeros((len(vertices), 2)), np.arange(len(vertices)).reshape(-1, 3))


def hull_points(vertices: np.ndarray, limit: int = 28) -> np.ndarray:
    """At most `limit` corners (n, 3) of the convex hull, spread out: what collides for a mesh."""
    corners = vertices[ConvexHull(vertices).vertices]
    chosen = [0]
    distance = np.linalg.norm(corners - corners[0], axis=1)
    while len(chosen) < min(limit, len(corners)):
        chosen.append(int(distance.argmax()))
        distance = np.minimum(distance, np.linalg.norm(corners - corners[chosen[-1]], axis=1))
    return corners[chosen]
