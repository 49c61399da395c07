"""The words that everything else uses: Camera, Frame, Candidate, Detection.

Units are SI, angles radians; 3-D is the camera's optical frame, x right, y down, z forward
(REP 103). The affordance is the probability in 0..1 that a suction cup holds at a pixel.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

# Class ids; what is unlabelled and counts is background.
BACKGROUND, NOT_SUCTIONABLE, SUCTIONABLE = 0, 1, 2
CLASSES = ('background', 'not suctionable', 'suctionable')


class Camera(NamedTuple):
    """A pinhole camera without distortion: u = fx x / z + cx, v = fy y / z + cy, in pixels."""

    fx: float
    fy: float
    cx: float
    cy: float
    width: int
    height: int


@dataclass(frozen=True, eq=False)
class Frame:
    """
    What a camera saw at one moment.

    rgb       (H, W, 3) uint8, RGB order
    depth     (H, W) float32, metres along z, 0 where unknown, never NaN or Inf; None without depth
    camera    intrinsics of these pixels; None when unknown
    stamp     nanoseconds of the camera's clock
    frame_id  name of the optical frame
    pose      (4, 4) of the optical frame in a world that stands still; None when unknown
    """

    rgb: np.ndarray
    depth: np.ndarray | None = None
    camera: Camera | None = None
    stamp: int = 0
    frame_id: str = ''
    pose: np.ndarray | None = None


class Candidate(NamedTuple):
    """
    A place for the cup; the fields and their order are those of the `candidates` point cloud.

    x y z      point on the surface, metres, optical frame; NaN without depth
    normal_*   unit normal of the surface, towards the camera (normal_z < 0); NaN without depth
    score      affordance x flatness x valid x margin, 0..1: the order of the list
    affordance 0..1 at the pixel
    flatness   0..1, 1 where the footprint is a plane; NaN without depth
    valid      0..1, share of the footprint with known depth; NaN without depth
    margin     0..1, distance to the nearest edge over what the cup needs; NaN without depth
    u v        pixel, column and row
    """

    x: float
    y: float
    z: float
    normal_x: float
    normal_y: float
    normal_z: float
    score: float
    affordance: float
    flatness: float
    valid: float
    margin: float
    u: float
    v: float


@dataclass(frozen=True, eq=False)
class Detection:
    """
    What the pipeline says of one frame.

    affordance  (H, W) float32 in 0..1, on the camera's own pixels
    labels      (H, W) uint8, class ids
    candidates  best first; () when there is nothing to pick
    ms          milliseconds by stage: letterbox, infer, undo, candidates, total
    """

    affordance: np.ndarray
    labels: np.ndarray
    candidates: tuple[Candidate, ...] = ()
    ms: dict[str, float] = field(default_factory=dict)
