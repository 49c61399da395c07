"""The card of a data set: what it was made from, what is in it, and what it looks like."""

from __future__ import annotations

from dataclasses import asdict
import json
from pathlib import Path

import cv2
import mujoco
import numpy as np
import PIL
from rganet_ros import dataset, report, viz
from rganet_ros.synthetic import containers, objects
from rganet_ros.synthetic.cup import CUPS
from rganet_ros.synthetic.recipe import Recipe
from rganet_ros.types import CLASSES

SHOWN = 8  # frames on the sheet
COLOURS = np.uint8([[30, 30, 30], [180, 60, 40], [60, 190, 90]])  # by class


def open_card(root: Path, split: str, identity: dict) -> dict:
    """
    Read the card, or start one.

    ValueError if this split was made from something else, or any for a cup that differs.
    """
    card = dataset.read_card(root) or {'format': 1, 'splits': {}}
    made = card['splits'].get(split, {})
    if 'recipe' in made:  # an option that was not there yet is as if it had its default
        made = made | {'recipe': asdict(Recipe()) | made['recipe']}
    differing = [key for key in identity if key in made and made[key] != identity[key]]
    if differing:
        raise ValueError(
            f'{root} holds {split} frames with another {" and ".join(differing)}: '
            'give the same ones, or another folder'
        )
    cup, before = _cup(identity), card.get('cup', {})
    other = [name for name in cup if name in before and before[name] != cup[name]]
    if other:
        raise ValueError(
            f'{root} holds labels for a cup of another {" and ".join(other)}: give a folder to '
            f'each cup ({identity["recipe"]["cup"]} here)'
        )
    return card


def _cup(identity: dict) -> dict:
    """Give the constants of the cup, as JSON has them."""
    return json.loads(json.dumps(asdict(CUPS[identity['recipe']['cup']])))


def write(
    root: Path, card: dict, split: str, identity: dict, scenes: range, renderer: str
) -> None:
    """Describe what is there, list the names of the split, and make a sheet of some."""
    names = sorted(
        path.stem for path in (root / 'data' / 'label').glob('*.png')
        if int(path.stem.split('-')[0]) in scenes
    )  # fmt: skip
    counts = np.zeros(len(CLASSES), np.int64)
    for name in names:
        index = _picture(root, 'label-index', name)
        counts += np.bincount(index.ravel(), minlength=len(CLASSES))
    card |= {
        'name': 'synthetic clutter',
        'unlabelled': 'background',
        'cup': _cup(identity),
    }
    card['splits'][split] = {
        **identity,
        'frames': len(names),
        'class_shares': dict(zip(CLASSES, (counts / max(counts.sum(), 1)).round(5).tolist())),
        'kinds_only_here': list(objects.HELD_OUT) if split == 'test' else [],
        'totes_only_here': [list(c) for c in containers.HELD_OUT] if split == 'test' else [],
        'renderer': renderer,
        'versions': _versions(),
    }
    dataset.write_file(root / 'data' / f'{split}-split.txt', ('\n'.join(names) + '\n').encode())
    dataset.write_file(root / 'card.json', (json.dumps(card, indent=2) + '\n').encode())
    report.write_picture(root / f'{split}-sheet.jpg', sheet(root, names))


def sheet(root: Path, names: list[str]) -> np.ndarray:
    """Put frames over the whole range below each other: colour, depth as sensed, classes."""
    chosen = np.linspace(0, len(names) - 1, min(SHOWN, len(names))).astype(int)
    rows = []
    for name in (names[k] for k in chosen):
        rgb = dataset.read_picture(root / 'data' / 'color-input' / f'{name}.png')
        depth = _picture(root, 'depth-input', name)
        near, far = np.percentile(depth[depth > 0], (1, 99)) if depth.any() else (0, 1)
        shown = viz.colormap(np.clip((far - depth) / max(far - near, 1), 0, 1))
        shown[depth == 0] = 0
        rows.append(
            np.hstack([rgb, shown, COLOURS[_picture(root, 'label-index', name)]])[::2, ::2]
        )
    return np.vstack(rows)


def _picture(root: Path, folder: str, name: str) -> np.ndarray:
    return cv2.imread(str(root / 'data' / folder / f'{name}.png'), cv2.IMREAD_UNCHANGED)


def _versions() -> dict[str, str]:
    libraries = {'mujoco': mujoco, 'numpy': np, 'opencv': cv2, 'pillow': PIL}
    return {name: library.__version__ for name, library in libraries.items()}
