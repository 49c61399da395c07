import numpy as np
import pytest
from small_data import make_frame, split, write


@pytest.fixture(scope='session')
def frames(tmp_path_factory):
    """Four frames."""
    made = [(f'{seed:06d}-0', make_frame(seed), None) for seed in range(4)]
    return write(tmp_path_factory.mktemp('frames'), made)


@pytest.fixture(scope='session')
def clips(tmp_path_factory):
    """Three clips of four frames, in which everything moves by 6 pixels to the right."""
    made = []
    for seed in range(3):
        frame = make_frame(seed)
        flow = np.broadcast_to(np.float32([-6, 0]), (*frame[2].shape, 2))
        for k in range(4):
            moved = tuple(np.roll(array, 6 * k, 1) for array in frame)
            made.append((f'{seed:06d}-{k}', moved, flow if k else None))
    card = {'splits': {'train': {'recipe': {'motion': True}}}}
    return write(tmp_path_factory.mktemp('clips'), made, card)


@pytest.fixture
def data(tmp_path):
    """Four frames to train on and one to test, on disk."""
    made = [(f'{seed:06d}-0', make_frame(seed), None) for seed in range(5)]
    root = write(tmp_path / 'data', made).root
    split(root)
    return root
