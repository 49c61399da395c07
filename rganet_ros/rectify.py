"""
What a CameraInfo says of a lens: its pinhole, how far it distorts, and pictures without that.

K is of the raw picture, P of the rectified one, D and R lead from one to the other. All are of
the whole sensor: a region of interest moves the centre, binning divides, as in image_geometry.
"""

from __future__ import annotations

from dataclasses import dataclass
import functools
from typing import Annotated, NamedTuple

import cv2
import numpy as np

from .encodings import Undecodable
from .types import Camera

# Of a distortion model: OpenCV's module, and how many coefficients it takes.
MODELS = {
    'plumb_bob': (cv2, (4, 5)),
    'rational_polynomial': (cv2, (8, 12, 14)),
    'equidistant': (cv2.fisheye, (4,)),
}


@dataclass(frozen=True)
class LensOptions:
    """Whether what comes in is raw, or of two cameras."""

    rectify: Annotated[
        bool,
        'true: the pictures are raw, undistort them by camera_info; outputs are on the rectified '
        'picture',
    ] = False
    register_depth: Annotated[
        bool,
        "true: depth in an optical frame of its own is seen from colour's, by both camera_infos "
        'and tf2; of a bag, by its /tf_static',
    ] = False


class _Lens(NamedTuple):
    """Numbers of a CameraInfo: model, D, K (3, 3), R (3, 3), the new K, the picture's size."""

    model: str
    d: tuple[float, ...]
    k: tuple[float, ...]
    r: tuple[float, ...]
    new: tuple[float, ...]
    width: int
    height: int


def _lens(message) -> _Lens:
    names = ('d', 'k', 'r', 'p') if hasattr(message, 'p') else ('D', 'K', 'R', 'P')
    d, k, r, p = (np.asarray(getattr(message, name), np.float64) for name in names)
    roi, across, down = message.roi, max(1, message.binning_x), max(1, message.binning_y)

    def window(fx, fy, cx, cy):
        """Bring intrinsics of the whole sensor onto the part of it that the picture is."""
        cx, cy = (cx - roi.x_offset) / across, (cy - roi.y_offset) / down
        return (fx / across, 0.0, cx, 0.0, fy / down, cy, 0.0, 0.0, 1.0)

    raw = window(k[0], k[4], k[2], k[5])
    new = window(p[0], p[5], p[2], p[6]) if p[0] > 0 else raw
    r = r if r.any() else np.eye(3)
    width, height = roi.width or message.width, roi.height or message.height
    return _Lens(
        message.distortion_model, tuple(d.tolist()), raw, tuple(r.ravel().tolist()), new,
        width // across, height // down,
    )  # fmt: skip


def camera(message) -> Camera | None:
    """
    Read a sensor_msgs/CameraInfo: the pinhole of a rectified picture, or None if uncalibrated.

    P describes the rectified picture and is taken where it is filled; else K.
    """
    lens = _lens(message)
    fx, fy, cx, cy = (float(lens.new[index]) for index in (0, 4, 2, 5))
    if not (fx > 0 and fy > 0 and np.isfinite([fx, fy, cx, cy]).all()):
        return None
    return Camera(fx, fy, cx, cy, lens.width, lens.height)


def distortion(message) -> float:
    """
    Say how far from its place, in pixels, this lens puts a point, at most.

    That is the error of who takes a raw picture for a rectified one. Inf where the model of
    distortion is not known.
    """
    lens = _lens(message)
    if not any(lens.d):
        return 0.0
    across, down = np.linspace(0, lens.width, 9), np.linspace(0, lens.height, 9)
    grid = np.stack(np.meshgrid(across, down), axis=-1).reshape(-1, 1, 2)
    k, r, new = (np.reshape(each, (3, 3)) for each in (lens.k, lens.r, lens.new))
    try:
        module, _ = MODELS[lens.model]
        moved = module.undistortPoints(grid, k, np.array(lens.d), R=r, P=new) - grid
    except (cv2.error, KeyError):
        return float('inf')
    return float(np.nan_to_num(np.linalg.norm(moved, axis=-1), nan=np.inf).max())


def rectified(pixels: np.ndarray, message, is_depth: bool = False) -> np.ndarray:
    """
    Undistort a picture: what the pinhole `camera(message)` would have seen from the same place.

    pixels   (H, W, 3) uint8, or depth (H, W) float32 metres along z, 0 unknown: of depth the
             nearest pixel is taken, and z is along the rectified camera's axis
    returns  the same size; 0 where the lens did not look

    Raises Undecodable: 'rectify' (no calibration, an unknown model), 'camera_info' (another size).
    """
    lens = _lens(message)
    if pixels.shape[:2] != (lens.height, lens.width):
        raise Undecodable(
            'camera_info',
            f'camera_info is for {lens.width} x {lens.height} pixels, the picture to rectify has '
            f'{pixels.shape[1]} x {pixels.shape[0]}: use its own',
        )
    across, down, stretch = _maps(lens)
    how = cv2.INTER_NEAREST if is_depth else cv2.INTER_LINEAR
    found = cv2.remap(pixels, across, down, how, borderMode=cv2.BORDER_CONSTANT)
    if stretch is None or not is_depth:
        return found
    with np.errstate(invalid='ignore'):
        longer = found * stretch
    return np.where((longer > 0) & (longer < np.inf), longer, np.float32(0))


@functools.lru_cache(maxsize=8)  # of colour and depth of a few cameras
def _maps(lens: _Lens) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Find where each rectified pixel lies in the raw picture, and by what its z is longer."""
    k, r, new = (np.reshape(each, (3, 3)) for each in (lens.k, lens.r, lens.new))
    if not (np.isfinite([k, new]).all() and min(k[0, 0], k[1, 1], new[0, 0], new[1, 1]) > 0):
        raise Undecodable('rectify', 'parameter rectify is true, camera_info has no calibration')
    # Without coefficients any model is that of a pinhole.
    module, counts = MODELS.get(lens.model, (None, ())) if any(lens.d) else (cv2, (len(lens.d),))
    if len(lens.d) not in counts:
        raise Undecodable(
            'rectify',
            f'distortion model {lens.model!r} with {len(lens.d)} coefficients is not known here: '
            f'expected {", ".join(MODELS)}; or publish rectified pictures',
        )
    d, size = np.array(lens.d) if any(lens.d) else np.zeros(4), (lens.width, lens.height)
    across, down = module.initUndistortRectifyMap(k, d, r, new, size, cv2.CV_32FC1)
    if np.allclose(r, np.eye(3)):
        return across, down, None
    u, v = np.meshgrid(np.arange(lens.width), np.arange(lens.height))
    rays = np.stack([u, v, np.ones(u.shape)], axis=-1) @ np.linalg.inv(new).T
    with np.errstate(all='ignore'):  # a ray across the raw camera's axis was not seen
        return across, down, (1 / (rays @ r[:, 2])).astype(np.float32)
