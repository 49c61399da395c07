"""Depth of other pixels than colour's, brought onto them; what cannot be is refused."""

from __future__ import annotations

import numpy as np

from .encodings import Undecodable
from .geometry import points, resample
from .types import Camera

SAME = 0.5  # pixels at the border that two cameras may differ by and still be one
WIDEST = 16  # pixels of colour, across, that one of depth may cover
WIDER = 1.1  # than a pixel is its square: where a surface turns away, squares would part


def project(depth: np.ndarray, source: Camera, target: Camera, pose: np.ndarray) -> np.ndarray:
    """
    See a depth picture from another place; of what lies on one ray the nearest is seen.

    Each pixel covers what its square, at its depth, covers in the target: a surface stays whole.

    depth    (h, w) float32 of the source, metres along z, 0 unknown
    pose     (4, 4), of the source's optical frame in the target's
    returns  (H, W) float32 of the target; 0 where nothing was measured
    """
    place = points(depth, source).reshape(-1, 3)
    with np.errstate(all='ignore'):  # what is no place is behind the camera, or nowhere
        place = place @ pose[:3, :3].T.astype(np.float32) + pose[:3, 3].astype(np.float32)
        keep = np.flatnonzero((place[:, 2] > 1e-6) & (place[:, 2] < np.inf))
        x, y, z = place[keep].T
        half = WIDER / 2 * depth.ravel()[keep] / z
        edges = []
        for focal, of, centre, along, most in (
            (target.fx / source.fx, target.fx, target.cx, x, target.width),
            (target.fy / source.fy, target.fy, target.cy, y, target.height),
        ):
            middle, wide = of * along / z + centre, focal * half
            ends = [np.ceil(end) for end in (middle - wide, middle + wide)]
            edges.append([np.nan_to_num(e).clip(0, most).astype(np.int32) for e in ends])
    (left, right), (top, bottom) = edges
    seen = np.full(target.height * target.width, np.inf, np.float32)
    first = top * target.width + left
    for down in range(min(int((bottom - top).max(initial=0)), WIDEST)):
        for across in range(min(int((right - left).max(initial=0)), WIDEST)):
            inside = np.flatnonzero((left + across < right) & (top + down < bottom))
            np.minimum.at(seen, first[inside] + (down * target.width + across), z[inside])
    seen[np.isinf(seen)] = 0
    return seen.reshape(target.height, target.width)


def apart(colour: str, depth: str) -> bool:
    """Whether two optical frames, '' where unknown, are known to differ."""
    return bool(colour and depth) and colour != depth


def _unit(height: int, width: int) -> Camera:
    """Make the camera whose picture has its corners at -0.5 and 0.5: views of one are the same."""
    return Camera(width, height, (width - 1) / 2, (height - 1) / 2, width, height)


def _is_same(one: Camera, other: Camera) -> bool:
    """Whether a pixel of one is that of the other, all over the picture."""
    if (one.width, one.height) != (other.width, other.height):
        return False
    ends = [
        ((end - other[axis + 2]) / other[axis] * one[axis] + one[axis + 2]) - end
        for axis, end in ((0, 0), (0, one.width), (1, 0), (1, one.height))
    ]
    return max(map(abs, ends)) <= SAME


def onto(
    depth: np.ndarray, source: Camera | None, target: Camera | None, shape: tuple[int, ...],
    frames: tuple[str, str] = ('', ''), pose: np.ndarray | None = None,
) -> np.ndarray:  # fmt: skip
    """
    Bring depth onto the pixels of colour, (H, W) of `shape`.

    With the pose of its optical frame in colour's, by that; without, by the intrinsics of both,
    where both are in one optical frame; without the depth camera's, by size alone, where it is
    the same view in another size.

    source, target  intrinsics of depth and of colour, None where unknown
    frames          names of their optical frames, '' where unknown

    Raises Undecodable: 'depth_frame', 'depth_size', 'depth_camera_info'.
    """
    by_size = source is None or target is None
    if pose is not None:
        if by_size:
            raise Undecodable(
                'depth_camera_info',
                'parameter register_depth is true and needs the intrinsics of both cameras: '
                'bring camera_info and depth_camera_info',
            )
        return project(depth, source, target, pose)
    if by_size:
        source, target = _unit(*depth.shape), _unit(*shape[:2])
    if _is_same(source, target):
        return depth
    sizes = (
        f'depth has {source.width} x {source.height} pixels, colour {target.width} x '
        f'{target.height}'
    )
    if apart(*frames):
        raise Undecodable(
            'depth_frame',
            f'depth is in frame {frames[0]!r}, colour in {frames[1]!r}, and their pixels differ '
            f'({sizes}): use the depth that is aligned to colour, or set register_depth to true',
        )
    unequal = abs(source.width * target.height - source.height * target.width)
    if by_size and unequal > max(target.width, target.height):
        raise Undecodable(
            'depth_size',
            f'{sizes}, another view: bring depth_camera_info and camera_info, or use the depth '
            'that is aligned to colour',
        )
    return resample(depth, source, target)
