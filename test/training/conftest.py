import numpy as np
import pytest


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


@pytest.fixture(scope='session')
def frames():
    """Four frames, each (rgb, depth, label)."""
    return [make_frame(seed) for seed in range(4)]
