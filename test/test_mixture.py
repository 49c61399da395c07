"""Mixtures: what they name, and what an epoch of one is made of."""

import json

import numpy as np
import pytest
from rganet_ros.mixture import DataSet, sources
from small_data import make_frame, write
from test_masks import folder


@pytest.fixture(scope='module')
def pair(tmp_path_factory):
    """Make a set of two clips of three frames and one of two frames."""
    root = tmp_path_factory.mktemp('pair')
    clips = [(f'00000{k // 3}-{k % 3}', make_frame(k), None) for k in range(6)]
    write(root / 'clips', clips, {'splits': {'train': {'recipe': {'motion': True}}}})
    write(root / 'stills', [(f'00001{k}-0', make_frame(9 + k), None) for k in range(2)])
    return root


def test_words_and_files_name_the_same(pair, tmp_path):
    stills, clips = pair / 'stills', pair / 'clips'
    expected = {clips: 0.7, stills: 0.3}
    assert sources([f'{clips}:0.7', f'{stills}:0.3']) == expected
    (pair / 'mixed.yaml').write_text('clips: 0.7\nstills: 0.3\n')
    assert sources(pair / 'mixed.yaml') == expected
    (tmp_path / 'mixed.yaml').write_text(json.dumps({str(k): v for k, v in expected.items()}))
    assert sources(str(tmp_path / 'mixed.yaml')) == expected
    assert sources([stills, clips]) == {stills: None, clips: None}


@pytest.mark.parametrize(
    ('given', 'said'),
    [
        (['a:0.7', 'b'], 'give one data set, or a weight to each'),
        (['a:0', 'b:1'], "the weight '0' must be a number above 0"),
        (['a:nan'], 'above 0'),
        (['a:much'], "the weight 'much'"),
        ([], 'give one data set'),
    ],
)
def test_words_that_cannot_be(given, said):
    with pytest.raises(ValueError, match=said):
        sources(given)


def test_frames_and_clips_are_those_of_all(pair):
    data = DataSet([pair / 'clips', pair / 'stills'], 'train')
    assert len(data) == 8 and data.clips == [[0, 1, 2], [3, 4, 5], [6], [7]]
    alone = DataSet(pair / 'stills', 'train')
    for mine, same in zip(data[7], alone[1]):
        assert np.array_equal(mine, same)
    assert data.camera(7) == alone.camera(1) and data.holds(7) is None
    assert data.card[str(pair / 'stills')]['weight'] == 2
    assert alone.card == {'unlabelled': 'background'} and data.unlabelled == 'background'
    assert DataSet(pair / 'stills', 'train', 'ignore').unlabelled == 'ignore'
    with pytest.raises(IndexError):
        data[8]


def test_an_epoch_has_the_shares_of_the_weights(pair):
    data = DataSet([f'{pair / "clips"}:1', f'{pair / "stills"}:3'], 'train')
    order = data.order(np.random.default_rng((0, 1)))
    assert np.array_equal(order, data.order(np.random.default_rng((0, 1))))
    assert not np.array_equal(order, data.order(np.random.default_rng((0, 2))))
    counts = np.bincount(order, minlength=8)
    assert counts.sum() == 8 and counts[6:].tolist() == [3, 3] and counts[:6].max() == 1
    seen = sum(np.bincount(data.order(np.random.default_rng(k)), minlength=8) for k in range(60))
    assert (seen[:6] > 8).all() and seen[:6].sum() == 120


def test_without_weights_an_epoch_is_a_permutation(pair):
    for given in (pair / 'clips', [pair / 'clips', pair / 'stills']):
        data = DataSet(given, 'train')
        order = data.order(np.random.default_rng((4, 2)))
        # The one that numpy draws: trainings of one data set can be made again.
        assert np.array_equal(order, np.random.default_rng((4, 2)).permutation(len(data)))


def test_what_does_not_go_together_is_refused(pair, tmp_path):
    other = folder(tmp_path)
    with pytest.raises(ValueError, match='has the classes road, sky.*give equal ones'):
        DataSet([pair / 'stills', other], 'train')
    (other / 'train.txt').write_text('')
    with pytest.raises(ValueError, match="the split 'train' has no frames"):
        DataSet(other, 'train')
