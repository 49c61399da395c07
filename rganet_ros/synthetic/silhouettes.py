"""
Meshes blown up from an outline: gloves, plush, flat tools; and how their outlines are drawn.

A drawing is (H, W, 3) uint8 RGB, black where there is nothing; a thing's picture and its outline
are one drawing, so that colours stay where they were drawn.
"""

from __future__ import annotations

import cv2
import numpy as np
from rganet_ros.synthetic.meshes import Mesh
from scipy.ndimage import gaussian_filter1d
from scipy.spatial import Delaunay

SIZE = 200  # px, of a drawing's sides
STEP = 5  # px, between the vertices


class Drawing:
    """Strokes, discs and polygons, in shares of the side from the top left corner."""

    def __init__(self) -> None:
        self.picture = np.zeros((SIZE, SIZE, 3), np.uint8)

    @staticmethod
    def _pixels(points) -> np.ndarray:
        return np.rint(np.asarray(points, float) * SIZE).astype(np.int32)

    def stroke(self, points, width: float, colour) -> Drawing:
        """Draw a line with round ends."""
        ink, thick = tuple(map(int, colour)), max(1, round(width * SIZE))
        cv2.polylines(self.picture, [self._pixels(points)], False, ink, thick)
        for x, y in self._pixels([points[0], points[-1]]):
            cv2.circle(self.picture, (int(x), int(y)), thick // 2, ink, -1)
        return self

    def disc(self, middle, half, colour, turn: float = 0.0, ring: float = 0.0) -> Drawing:
        """Fill an ellipse of these half axes turned by degrees; or its rim, `ring` wide."""
        x, y = map(int, self._pixels(middle))
        a, b = (max(1, round(axis * SIZE)) for axis in half)
        thick = max(1, round(ring * SIZE)) if ring else -1
        ink = tuple(map(int, colour))
        cv2.ellipse(self.picture, (x, y), (a, b), turn, 0, 360, ink, thick)
        return self

    def polygon(self, points, colour) -> Drawing:
        """Fill a polygon."""
        cv2.fillPoly(self.picture, [self._pixels(points)], tuple(map(int, colour)))
        return self


def _outlines(mask: np.ndarray) -> list[np.ndarray]:
    """Smooth closed outlines (n, 2), x and y px, a point every STEP px; of holes too."""
    found, _ = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    outlines = []
    for contour in found:
        if len(contour) >= 4 * STEP:
            smooth = gaussian_filter1d(contour[:, 0].astype(float), 1.5, axis=0, mode='wrap')
            outlines.append(smooth[:: max(1, STEP // 2)])
    return outlines


def blown(drawing: Drawing, length: float, thick: float, edge: float) -> Mesh:
    """
    Blow up what was drawn; x to the right, y upwards, lying in z = 0.

    length  metres, of the drawing's side
    thick   metres, half the thickness
    edge    metres from the outline to where it is fully thick: small is flat, large is plump
    """
    mask = np.pad((drawing.picture.max(-1) > 0).astype(np.uint8), 2)
    away = cv2.distanceTransform(mask, cv2.DIST_L2, 5)
    rim = np.concatenate(_outlines(mask))
    y, x = np.mgrid[0 : len(mask) : STEP, 0 : len(mask) : STEP].reshape(2, -1)
    inside = away[y, x] > 0.6 * STEP
    points = np.concatenate([rim, np.stack([x, y], -1)[inside]])
    faces = Delaunay(points).simplices
    a, b, c = (points[faces[:, k]] for k in range(3))
    column, row = np.rint((a + b + c) / 3).astype(int).T
    turn = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    faces[turn < 0] = faces[turn < 0][:, ::-1]
    faces = faces[(mask[row, column] > 0) & (abs(turn) > 1e-6)]
    rise = np.clip(away[y, x][inside] * length / SIZE / edge, 0, 1)
    z = np.concatenate([np.zeros(len(rim)), thick * np.sqrt(1 - (1 - rise) ** 2)])
    share = (points - 2) / SIZE
    flat = (share - 0.5) * [length, -length]
    top, bottom = (np.concatenate([flat, sign * z[:, None]], 1) for sign in (1, -1))
    # y turned the triangles around: what ran clockwise in the picture is outward below.
    faces = np.concatenate([faces[:, ::-1], faces + len(points)])
    return Mesh(np.concatenate([top, bottom]), np.tile(np.clip(share, 0, 1), (2, 1)), faces)
