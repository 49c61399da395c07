"""The layout of Zeng et al.'s suction-based-grasping-dataset (ARC 2017), written and read."""

from __future__ import annotations

import json
import os
from pathlib import Path
import time

import cv2
import numpy as np
from rganet_ros.types import Camera, CLASSES

LABEL_CODES = np.array([255, 0, 128], np.uint8)  # of background, not suctionable, suctionable
DEPTH_UNIT = 1e-4  # m
FLOW_SCALE, FLOW_ZERO = 64.0, 32768.0  # of KITTI's flow pictures: value = 64 * pixels + 2^15


def write_file(path: Path, data: bytes) -> None:
    """Write a file whole or not at all; folders are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f'.{path.name}.{os.getpid()}')
    try:
        part.write_bytes(data)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def sweep(folder: Path, older=60.0) -> None:
    """Remove what killed writers left half-written below a folder, this many seconds ago."""
    for path in folder.rglob('.*'):
        if path.suffix[1:].isdigit() and time.time() - path.stat().st_mtime > older:
            path.unlink(missing_ok=True)


def _png(picture: np.ndarray) -> bytes:
    ordered = picture[..., ::-1] if picture.ndim == 3 else picture
    return cv2.imencode('.png', ordered, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].tobytes()


def depth_picture(depth: np.ndarray) -> np.ndarray:
    """Make Zeng's picture of a depth (H, W) metres: uint16 tenths of a millimetre, 0 unknown."""
    return np.clip(np.rint(np.asarray(depth, np.float64) / DEPTH_UNIT), 0, 65535).astype(np.uint16)


def flow_picture(flow: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """
    Make KITTI's picture of a flow: (H, W, 3) uint16, right, down, and 1 where it is known.

    flow  (H, W, 2) float pixels, right and down; seen (H, W) bool
    """
    coded = np.clip(np.rint(flow * FLOW_SCALE + FLOW_ZERO), 0, 65535)
    return np.dstack([coded, seen]).astype(np.uint16)


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
    write_file(data / 'depth-input' / f'{name}.png', _png(depth_picture(depth)))
    write_file(data / 'camera-intrinsics' / f'{name}.txt', _matrix(matrix))
    if pose is not None:
        write_file(data / 'camera-pose' / f'{name}.txt', _matrix(np.asarray(pose)))
    for folder, picture in (extra or {}).items():
        write_file(data / folder / f'{name}.png', _png(picture))
    write_file(data / 'label' / f'{name}.png', _png(LABEL_CODES[label]))


class Zeng:
    """
    A split of a data set in this layout, read one frame at a time.

    names    of its frames
    clips    indices of frames that follow each other; one clip a frame where nothing moves, else
             scene-0, scene-1 ... up to a missing one (the card says so: `motion` in its recipe)
    classes  the names of ours
    depth    whether frames have depth: they do
    ignored  whether label 255 means "unlabelled" (then it stays 255, and no loss or score counts
             it) or background (0); the data set's card.json says so: `unlabelled: ignore` or
             `background`; a data set without a card is Zeng's own, where it is ignored
    """

    classes, depth = CLASSES, True

    def __init__(self, root: str | Path, split: str, unlabelled: str | None = None):
        """
        Read the card and the list of frames; FileNotFoundError or ValueError in a sentence.

        unlabelled  `ignore` or `background`, whatever the card says; None: what the card says
        """
        self.root = Path(root)
        self._data = self.root / 'data'
        self.card = read_card(self.root)
        self.ignored = is_ignored(self.root, self.card, unlabelled)
        listed = self._data / f'{split}-split.txt'
        if not listed.is_file():
            raise FileNotFoundError(f'no split {split!r} in {self.root}: {listed} is missing')
        self.names = listed.read_text().split()
        made = self.card.get('splits', {}).get(split, {})
        moves = made.get('recipe', {}).get('motion', False)
        self.clips = _clips(self.names) if moves else [[index] for index in range(len(self))]

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """
        Read a frame; ValueError names the file that is missing or unreadable.

        Returns rgb (H, W, 3) uint8, depth (H, W) float32 metres, 0 unknown, and label (H, W) uint8
        class ids, 255 ignored.
        """
        name = self.names[index]
        rgb = read_picture(self._data / 'color-input' / f'{name}.png')
        depth = read_depth(self._data / 'depth-input' / f'{name}.png', DEPTH_UNIT)
        path = self._data / 'label' / f'{name}.png'
        codes = read_picture(path, cv2.IMREAD_GRAYSCALE)
        if not rgb.shape[:2] == depth.shape == codes.shape:
            raise ValueError(f'{self.root}: colour, depth and label of {name} differ in size')
        return rgb, depth, class_ids(codes, label_values(self.ignored), path)

    def files(self, index: int) -> dict[str, Path]:
        """Name the files that a frame is read from: picture, depth, label, intrinsics if any."""
        folders = {'picture': 'color-input', 'depth': 'depth-input', 'label': 'label'}
        name = self.names[index]
        found = {what: self._data / folder / f'{name}.png' for what, folder in folders.items()}
        known = self._data / 'camera-intrinsics'
        return found | ({'intrinsics': known / f'{name}.txt'} if known.is_dir() else {})

    def holds(self, index: int) -> np.ndarray | None:
        """Read the score of a set that was made: (H, W) in 0..1, how well a cup holds; or None."""
        path = self._data / 'score' / f'{self.names[index]}.png'
        return read_depth(path, 1 / 65535) if path.is_file() else None

    def surface(self, index: int) -> np.ndarray | None:
        """Read the depth without noise of a set that was made: (H, W) float32 metres; or None."""
        path = self._data / 'depth-true' / f'{self.names[index]}.png'
        return read_depth(path, DEPTH_UNIT) if path.is_file() else None

    def flow(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Read where a frame's pixels were in the clip's frame before, and which were seen."""
        return read_flow(self._data / 'flow' / f'{self.names[index]}.png')

    def camera(self, index: int) -> Camera:
        """Read the intrinsics of a frame."""
        name = self.names[index]
        height, width = read_picture(self._data / 'color-input' / f'{name}.png').shape[:2]
        matrix = read_intrinsics(self._data / 'camera-intrinsics' / f'{name}.txt')
        # Python's floats: numpy's would widen all that float32 pictures are multiplied with.
        k = matrix.tolist()
        return Camera(k[0][0], k[1][1], k[0][2], k[1][2], width, height)


def _clips(names: list[str]) -> list[list[int]]:
    found: list[list[int]] = []
    last: tuple[str, int] | None = None
    numbered = sorted(
        (scene, int(number), index)
        for index, (scene, _, number) in enumerate(name.rpartition('-') for name in names)
    )
    for scene, number, index in numbered:
        if last != (scene, number - 1):
            found.append([])
        found[-1].append(index)
        last = scene, number
    return found


def is_ignored(root: Path, card: dict, unlabelled: str | None = None) -> bool:
    """Tell whether label 255 is ignored, or background: as asked, else as the card says."""
    said = unlabelled or card.get('unlabelled', 'ignore')
    if said not in ('ignore', 'background'):
        raise ValueError(f'{root}/card.json: unlabelled is ignore or background, not {said!r}')
    return said == 'ignore'


def label_values(ignored: bool) -> dict[int, int]:
    """Say which class id each value of Zeng's labels is: value -> id."""
    return dict(zip(LABEL_CODES.tolist(), (255 if ignored else 0, 1, 2)))


def class_ids(codes: np.ndarray, values: dict[int, int], path: Path) -> np.ndarray:
    """
    Turn the values of a label picture (H, W) uint8 into class ids.

    values  value -> class id; ValueError names the file where it holds any other
    """
    ids, listed = np.zeros(256, np.uint8), np.zeros(256, bool)
    ids[list(values)], listed[list(values)] = list(values.values()), True
    if not listed[codes].all():
        strange = ', '.join(map(str, np.unique(codes[~listed[codes]])[:8]))
        expected = ', '.join(map(str, sorted(values)))
        raise ValueError(f'{path} holds {strange}: labels of this data set are {expected}')
    return ids[codes]


def read_card(root: Path) -> dict:
    """Read a data set's card.json; {} where there is none."""
    path = root / 'card.json'
    if not path.is_file():
        return {}
    try:
        card = json.loads(path.read_text(encoding='utf-8'))
    except ValueError as error:
        raise ValueError(f'{path} is not readable JSON: {error}') from None
    if not isinstance(card, dict):
        raise ValueError(f'{path} must hold an object of names, {{...}}, not {card!r:.40}')
    return card


def read_picture(path: Path, flags: int = cv2.IMREAD_COLOR) -> np.ndarray:
    """Read an 8-bit picture: (H, W, 3) RGB, or (H, W) with IMREAD_GRAYSCALE."""
    picture = _decode(path, flags)
    return picture[..., ::-1].copy() if picture.ndim == 3 else picture


def read_depth(path: Path, unit: float) -> np.ndarray:
    """Read a 16-bit depth PNG whose numbers are of `unit` metres: (H, W) float32, 0 unknown."""
    picture = _decode(path, cv2.IMREAD_UNCHANGED)
    if picture.dtype != np.uint16 or picture.ndim != 2:
        raise ValueError(f'{path} is no depth picture: expected 16-bit grey')
    return picture * np.float32(unit)


def _decode(path: Path, flags: int) -> np.ndarray:
    data = np.fromfile(path, np.uint8) if path.is_file() else None
    if data is None:
        raise ValueError(f'{path} is missing')
    picture = cv2.imdecode(data, flags) if data.size else None
    if picture is None:
        raise ValueError(f'{path} is not a readable picture')
    return picture


def read_flow(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read `flow_picture`'s file: flow (H, W, 2) float32 pixels, and seen (H, W) bool."""
    picture = _decode(path, cv2.IMREAD_UNCHANGED)
    if picture.dtype != np.uint16 or picture.ndim != 3:
        raise ValueError(f'{path} is no picture of flow: expected 16-bit colour')
    right_down, seen = picture[..., :0:-1].astype(np.float32), picture[..., 0] > 0
    return np.where(seen[..., None], (right_down - FLOW_ZERO) / FLOW_SCALE, 0), seen


def read_intrinsics(path: Path) -> np.ndarray:
    """Read the first 3 x 3 matrix of a text file; other lines may say other things."""
    rows: list[list[float]] = []
    for line in path.read_text(encoding='utf-8').splitlines():
        try:
            row = [float(word) for word in line.replace(',', ' ').split()]
        except ValueError:
            row = []
        rows = [*rows, row] if len(row) == 3 else []
        if len(rows) == 3:
            return np.array(rows)
    raise ValueError(f'{path} has no 3 x 3 matrix of intrinsics')
