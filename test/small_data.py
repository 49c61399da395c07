"""Data sets small enough to be made in a test."""

import json

import numpy as np
from rganet_ros.dataset import flow_picture, write_sample
from rganet_ros.training.data import Frames
from rganet_ros.types import Camera


def make_frame(seed, height=64, width=96):
    """Floor, a flat box that holds a cup (2) and a rough one that does not (1)."""
    rng = np.random.default_rng(seed)
    label = np.zeros((height, width), np.uint8)
    depth = np.full((height, width), 0.7, np.float32)
    for value in (1, 2):
        y, x = rng.integers(0, height - 24), rng.integers(0, width - 32)
        label[y : y + 24, x : x + 32] = value
        depth[y : y + 24, x : x + 32] = 0.66 + (value == 1) * rng.uniform(-0.02, 0.02, (24, 32))
    colours = np.array([[90, 90, 90], [200, 60, 40], [60, 180, 220]], np.uint8)
    return colours[label], depth, label


def write(root, made, card=None):
    """Write frames (name, (rgb, depth, label), flow or None) as the split train; read them."""
    for name, (rgb, depth, label), flow in made:
        height, width = label.shape
        extra = {} if flow is None else {'flow': flow_picture(flow, np.ones(label.shape, bool))}
        camera = Camera(100.0, 100.0, width / 2, height / 2, width, height)
        write_sample(root, name, rgb=rgb, depth=depth, label=label, camera=camera, extra=extra)
    names = '\n'.join(name for name, *_ in made)
    (root / 'data' / 'train-split.txt').write_text(names)
    (root / 'card.json').write_text(json.dumps({'unlabelled': 'background'} | (card or {})))
    return Frames(root, 'train')


def split(root, count=1):
    """Take the last frames of the split train away, to be the split test."""
    listed = root / 'data' / 'train-split.txt'
    names = listed.read_text().split()
    listed.write_text('\n'.join(names[:-count]))
    (root / 'data' / 'test-split.txt').write_text('\n'.join(names[-count:]))
