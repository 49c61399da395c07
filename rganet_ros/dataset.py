"""The layout of Zeng et al.'s suction-based-grasping-dataset (ARC 2017), written and read."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np

from rganet_ros.types import Camera

LABEL_CODES = np.array([255, 0, 128], np.uint8)  # of background, not suctionable, suctionable
DEPTH_UNIT = 1e-4  # m


def write_file(path: Path, data: bytes) -> None:
    """Write a file whole or not at all; folders are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f'.{path.name}.{os.getpid()}')
    try:
        part.write_bytes(data)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def _png(picture: np.ndarray) -> bytes:
    ordered = picture[..., ::-1] if picture.ndim == 3 else picture
    return cv2.imencode('.png', ordered, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].tobytes()


def _matrix(values: np.ndarray) -> bytes:
    return '\n'.join('\t'.join(f'{v:.8e}' for v in row) for row in values).encode() + b'\n'


def write_sample(root, name: str, *, rgb, depth, label, camera: Camera, pose=None, extra=None):
    """
    Write one frame; its label comes last, so a frame with a label is complete.

    rgb     (H, W, 3) uint8
    depth   (H, W) float metres, 0 unknown
    label   (H, W) uint8 class ids
    camera  intrinsics; pose (4, 4) camera to world, or None
    extra   folder -> (H, W) or (H, W, 3) uint8 or uint16, more pictures of the frame
    """
    data = Path(root) / 'data'
    matrix = np.array([[camera.fx, 0, camera.cx], [0, camera.fy, camera.cy], [0, 0, 1]])
    write_file(data / 'color-input' / f'{name}.png', _png(rgb))
    tenths = np.clip(np.rint(np.asarray(depth, np.float64) / DEPTH_UNIT), 0, 65535)
    write_file(data / 'depth-input' / f'{name}.png', _png(tenths.astype(np.uint16)))
    write_file(data / 'camera-intrinsics' / f'{name}.txt', _matrix(matrix))
    if pose is not None:
        write_file(data / 'camera-pose' / f'{name}.txt', _matrix(np.asarray(pose)))
    for folder, picture in (extra or {}).items():
        write_file(data / folder / f'{name}.png', _png(picture))
    write_file(data / 'label' / f'{name}.png', _png(LABEL_CODES[label]))
