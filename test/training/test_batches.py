import tracemalloc

import numpy as np
import pytest
from rganet_ros.training.batches import Batches, load, on, steps_per_epoch
from rganet_ros.training.config import Recipe
from rganet_ros.training.data import Frames
import torch

CPU = torch.device('cpu')


def recipe(**changes):
    return Recipe(**{'epochs': 4, 'batch': 2, 'crop': (64, 64)} | changes)


def test_an_epoch_sees_each_frame_once_and_the_last_ones_whole(frames):
    batches = Batches(frames, recipe(whole_epochs=1))
    for epoch, shape in ((0, (2, 64, 64, 3)), (3, (2, 64, 96, 3))):
        assert [batches[epoch, n][0][0].shape for n in range(2)] == [shape] * 2
        seen = [i for n in range(2) for (i,) in batches.picked(epoch, n)]
        assert sorted(seen) == [0, 1, 2, 3]
    with pytest.raises(ValueError, match='4 frames do not fill a batch of 5'):
        steps_per_epoch(frames, recipe(batch=5))
    with pytest.raises(ValueError, match='4 frames do not fill a batch of 6'):
        steps_per_epoch(frames, recipe(accumulate=3))


def test_any_number_of_workers_draws_the_same(frames):
    batches = Batches(frames, recipe())
    drawn = [list(load(batches, 1, workers)) for workers in (0, 1, 2)]
    assert [len(each) for each in drawn] == [6, 6, 6]  # of epochs 1, 2 and 3
    for others in drawn[1:]:
        for (mine,), (other,) in zip(drawn[0], others):
            assert all(torch.equal(a, b) for a, b in zip(mine, other))
    again = batches[2, 1]  # alone, without what came before
    assert all(torch.equal(a, b) for a, b in zip(drawn[0][3][0], again[0]))


def test_the_number_of_epochs_takes_no_memory(frames):
    tracemalloc.start()
    try:
        drawn = load(Batches(frames, recipe(epochs=100000)))
        assert len(next(drawn)) == 1 and tracemalloc.get_traced_memory()[1] < 2e6
    finally:
        tracemalloc.stop()


def test_processes_share_each_batch(frames):
    whole = Batches(frames, recipe())[0, 1][0]
    shares = [Batches(frames, recipe(), process, 2)[0, 1][0] for process in (0, 1)]
    for k, part in enumerate(whole):
        assert torch.equal(part, torch.cat([share[k] for share in shares]))
    with pytest.raises(ValueError, match='batch = 3 cannot be shared by 2 processes: 2 could'):
        Batches(frames, recipe(batch=3), 0, 2)


def test_networks_get_floats_that_lie_channels_last(frames):
    given = Batches(frames, recipe())[0, 0][0]
    image, depth, label = on(CPU, given)
    assert image.shape == (2, 3, 64, 64) and image.min() >= 0 and 0.1 < image.max() <= 1
    assert image.is_contiguous(memory_format=torch.channels_last)
    assert depth.shape == (2, 1, 64, 64) and depth.dtype == torch.float32
    assert label.dtype == torch.int64 and torch.equal(label, given[2].long())


def test_frames_that_do_not_fit_into_memory_are_read_again(frames):
    lean = Frames(frames.root, 'train', memory=0)
    assert lean._frames is None and frames._frames is not None
    for index in range(len(frames)):
        for a, b in zip(lean[index], frames[index]):
            assert a.dtype == b.dtype and np.array_equal(a, b)


def test_workers_that_share_too_much_are_refused(frames):
    huge = Batches(frames, recipe(crop=(4096, 4096)))
    with pytest.raises(ValueError, match=r'100000 workers need .* GB of /dev/shm'):
        load(huge, 0, 100000)
    load(huge, 0, 0)
