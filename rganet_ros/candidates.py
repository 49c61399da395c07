"""
Affordance and depth to ranked places for the cup.

    seeds   the strongest pixel of every cell of the picture where the affordance is high
    seal    the surface under the cup at each seed: point, normal, flatness, valid, margin
    pick    score = affordance x flatness x valid x margin, best first, none near a better one

Only footprints around seeds are looked at, so an empty picture costs next to nothing. The more
of the picture has affordance, the larger the cells: there are never more than MAX_SEEDS seeds.
"""

from __future__ import annotations

from dataclasses import dataclass
import math
from typing import Annotated

import cv2
import numpy as np

from .footprint import KNOWN, seal, smooth
from .options import Range
from .types import Camera, Candidate

NEAR, FAR = 0.001, 100.0  # metres; what is said to be nearer or farther was not measured
EVERYWHERE = (-FAR, -FAR, 0.0, FAR, FAR, FAR)
UP = (0.0, 0.0, -1.0)  # towards the camera
MAX_SEEDS = 192


@dataclass(frozen=True)
class CandidateOptions:
    """What a place for the cup must be. Lengths in metres, angles in radians."""

    cup_radius: Annotated[float, Range(0.002, 0.1), 'radius of the lip of the cup, metres'] = 0.015
    edge_margin: Annotated[
        float, Range(0, 0.1), 'free surface beyond the lip for a margin of 1, metres'
    ] = 0.005
    max_gap: Annotated[
        float, Range(0.0001, 0.05), 'height over the fitted plane where flatness is 0, metres'
    ] = 0.003
    max_step: Annotated[
        float,
        Range(0.0001, 0.05),
        'step under the cup that is an edge, beyond 1.5 x noise, metres',
    ] = 0.0015
    max_tilt: Annotated[float, Range(0, 1.5), 'largest angle from the normal to up, radians'] = 0.8
    up: Annotated[tuple, Range(-1, 1), 'where the arm comes from: x y z, optical frame'] = UP
    min_affordance: Annotated[float, Range(0, 1), 'least affordance of a candidate'] = 0.5
    min_valid: Annotated[
        float, Range(0, 1), 'least share of the footprint with depth; lone gaps are bridged'
    ] = 0.7
    min_score: Annotated[float, Range(0, 1), 'least score of a candidate'] = 0.2
    workspace: Annotated[
        tuple,
        Range(-FAR, FAR),
        "box of points: x y z least, x y z most; metres, optical frame or the node's "
        'workspace_frame',
    ] = EVERYWHERE
    spacing: Annotated[
        float, Range(0, 10), 'least distance of two candidates, metres; 0 is twice cup_radius'
    ] = 0.0
    pixel_spacing: Annotated[
        float, Range(1, 1000), 'least distance without depth or camera_info, pixels'
    ] = 32.0
    limit: Annotated[int, Range(1, 256), 'most candidates of a frame'] = 20

    def __post_init__(self):
        if len(self.up) != 3 or not any(self.up):
            raise ValueError(f'up = {self.up} must be three numbers, not all of them 0')
        box = self.workspace
        if len(box) != 6 or not all(low < high for low, high in zip(box[:3], box[3:])):
            raise ValueError(f'workspace = {box} must be x y z least, then x y z most')


def _strength(affordance, support, width: int, need: float) -> tuple[np.ndarray, np.ndarray]:
    """
    Rate pixels as seeds: the mean affordance nearby, times d / (d + need).

    d is the distance to the border of the support, or of the picture, in pixels, and is returned
    as well.
    """
    inside = support.astype(np.uint8)
    inside[[0, -1]] = inside[:, [0, -1]] = 0
    room = cv2.distanceTransform(inside, cv2.DIST_L2, 3)
    return cv2.blur(affordance, (width, width)) * room / (room + need), room


def _seeds(strength: np.ndarray, cell: int) -> tuple[np.ndarray, np.ndarray]:
    """Columns and rows of the strongest pixel of each cell, strongest first, at most MAX_SEEDS."""
    cell = max(cell, math.ceil(math.sqrt(cv2.countNonZero(strength) / MAX_SEEDS)))
    rows, columns = (-(-size // cell) for size in strength.shape)
    padded = np.zeros((rows * cell, columns * cell), np.float32)
    padded[: strength.shape[0], : strength.shape[1]] = strength
    cells = padded.reshape(rows, cell, columns, cell)
    top = cells.max(axis=1).max(axis=2).ravel()  # down first: whole rows at once
    best = np.argsort(-top, kind='stable')[:MAX_SEEDS]
    best = best[top[best] > 0]
    row, column = np.divmod(best, columns)
    down, right = np.divmod(cells[row, :, column].reshape(-1, cell**2).argmax(axis=1), cell)
    return column * cell + right, row * cell + down


def _apart(places: np.ndarray, spacing: float, limit: int) -> list[int]:
    """Rows of places (N, D), best first, of which none is nearer than spacing to a better one."""
    chosen, free = [], np.ones(len(places), bool)
    while len(chosen) < limit and free.any():
        best = int(free.argmax())
        chosen.append(best)
        away = places - places[best]
        free &= np.einsum('ij,ij->i', away, away) >= spacing**2
        free[best] = False
    return chosen


def _on_pixels(affordance, support, options: CandidateOptions) -> tuple[Candidate, ...]:
    cell = max(2, int(options.pixel_spacing / 4))
    strength, _ = _strength(affordance, support, cell | 1, cell)
    u, v = _seeds(strength, cell)
    order = np.flatnonzero(affordance[v, u] >= options.min_score)
    order = order[_apart(np.stack([u, v], 1)[order], options.pixel_spacing, options.limit)]
    columns = (affordance[v, u][order].tolist(), u[order].tolist(), v[order].tolist())
    nan = math.nan
    found = (
        Candidate(*[nan] * 6, value, value, nan, nan, nan, float(column), float(row))
        for value, column, row in zip(*columns)
    )
    return tuple(sorted(found, key=lambda candidate: -candidate.score))


def _on_surface(
    affordance, support, depth, camera: Camera, options: CandidateOptions, workspace_pose
):
    known = depth[support]
    known = known[(known >= NEAR) & (known <= FAR)]
    if not known.size:
        return ()
    focal, side = max(camera.fx, camera.fy), float(max(depth.shape))
    near, usual = float(known.min()), float(np.median(known[:: 1 + len(known) // 1000]))
    sizes = (options.cup_radius, options.edge_margin)
    radius, need = (min(size * focal / usual, side) for size in sizes)
    # Nothing is read further from the support than the reach of the nearest cup.
    reach = math.ceil((options.cup_radius + options.edge_margin) * focal / near) + 8
    left, top, width, height = cv2.boundingRect(support.view(np.uint8))
    right, bottom = left + width + reach, top + height + reach
    left, top = max(0, left - reach), max(0, top - reach)
    window = np.s_[top:bottom, left:right]
    affordance, support, depth = affordance[window], support[window], depth[window]
    camera = camera._replace(cx=camera.cx - left, cy=camera.cy - top)

    known = (depth >= NEAR) & (depth <= FAR)
    surface = smooth(depth, known, camera, max(3, int(radius / 5) | 1))
    support = support & (surface.share >= KNOWN)
    strength, room = _strength(affordance, support, max(3, int(need) | 1), need + 1)
    u, v = _seeds(strength, max(2, int(radius / 2)))
    if not len(u):
        return ()
    found = seal(
        surface, u, v, options.cup_radius, options.edge_margin, options.max_gap, options.max_step
    )
    border = room[v, u] * found.point[:, 2] / focal / max(options.edge_margin, 1e-6)
    margin = np.minimum(found.margin, border)
    score = affordance[v, u] * found.flatness * found.valid * margin
    up = np.divide(options.up, np.linalg.norm(options.up))
    low, high = options.workspace[:3], options.workspace[3:]
    place = found.point
    if workspace_pose is not None:
        place = place @ workspace_pose[:3, :3].T + workspace_pose[:3, 3]
    keep = (
        found.sound
        & (found.normal[:, 2] < 0)
        & (found.normal @ up >= math.cos(options.max_tilt))
        & ((place >= low) & (place <= high)).all(axis=1)
        & (found.valid >= options.min_valid)
        & (score >= options.min_score)
    )
    order = np.flatnonzero(keep)
    order = order[np.argsort(-score[order], kind='stable')]
    spacing = options.spacing or 2 * options.cup_radius
    order = order[_apart(found.point[order], spacing, options.limit)]
    terms = (score, affordance[v, u], found.flatness, found.valid, margin, u + left, v + top)
    rows = np.column_stack([found.point, found.normal, *terms])[order]
    return tuple(Candidate(*row) for row in rows.tolist())


def _is_lens(camera: Camera) -> bool:
    """Whether it can be one: numbers that are far from any lens (NaN too) say nothing."""
    side = max(camera.width, camera.height)
    return all(0.01 * side <= focal <= 100 * side for focal in (camera.fx, camera.fy)) and all(
        abs(centre) <= 100 * side for centre in (camera.cx, camera.cy)
    )


def find_candidates(
    affordance: np.ndarray,
    depth: np.ndarray | None,
    camera: Camera | None,
    options: CandidateOptions | None = None,
    workspace_pose: np.ndarray | None = None,
) -> tuple[Candidate, ...]:
    """
    Find where the cup may hold, best first.

    affordance      (H, W) float32, 0..1; NaN counts as 0
    depth           (H, W) float32, metres along z, unknown where 0, NaN or Inf, or outside
                    NEAR..FAR; or None
    camera          intrinsics of these pixels, or None; numbers that no lens has are None as well
    workspace_pose  (4, 4), of the optical frame in that of options.workspace; None: the same
    returns         at most options.limit candidates; without depth or camera on pixels only,
                    scored by the affordance alone

    No candidate has a step, a hole in the surface or a part without depth under its cup.
    Raises ValueError where depth, camera and affordance are not of one size.
    """
    options = options or CandidateOptions()
    support = affordance >= max(options.min_affordance, 1e-6)
    if depth is not None and depth.shape != affordance.shape:
        raise ValueError(f'depth {depth.shape} must be of the size of affordance {support.shape}')
    if camera is not None and (camera.height, camera.width) != affordance.shape:
        raise ValueError(f"{camera} must describe a picture of affordance's size {support.shape}")
    if not support.any():
        return ()
    affordance = cv2.copyTo(affordance, support.view(np.uint8))
    if depth is None or camera is None or not _is_lens(camera):
        return _on_pixels(affordance, support, options)
    return _on_surface(affordance, support, depth, camera, options, workspace_pose)
