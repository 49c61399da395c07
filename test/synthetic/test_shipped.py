"""The eight frames that are shipped: the generator makes them again."""

from pathlib import Path

import numpy as np
import pytest
from rganet_ros import dataset
from rganet_ros.synthetic import card, generate, render
from rganet_ros.synthetic import recipe as recipes

HERE = Path(__file__).parents[1] / 'data'
ROOT = HERE / 'clutter'


def test_the_generator_makes_them_again(tmp_path):
    made = dataset.read_card(ROOT)['splits']['test']
    version = generate.VERSIONS['test']
    assert made['generator'] == version, 'make them anew: the command is in frames.yaml'
    here = {'renderer': render.backend(), 'versions': card._versions()}
    if here != {name: made[name] for name in here}:
        pytest.skip(f'made with {made["renderer"]}, {made["versions"]}')
    recipe = recipes.find(str(HERE / 'frames.yaml'))
    for number in (0, 5):
        (sample,) = generate.samples(recipe, 'test', made['seed'], number, [0])
        generate.write(tmp_path, generate._name('test', number, 0), sample)
    for path in (tmp_path / 'data').rglob('*.*'):
        shipped = ROOT / path.relative_to(tmp_path)
        if path.parent.name.startswith(
            'color-'
        ):  # another processor rounds a few pixels otherwise
            apart = abs(dataset.read_picture(path).astype(int) - dataset.read_picture(shipped))
            assert apart.max() <= 8 and (apart > 0).mean() < 0.005, shipped
        else:
            assert path.read_bytes() == shipped.read_bytes(), shipped


def test_they_are_read_as_zengs_set_is():
    frames = dataset.Zeng(ROOT, 'test')
    assert len(frames) == 8 and not frames.ignored
    labels = np.stack([frames[k][2] for k in range(8)])
    assert set(np.unique(labels)) == {0, 1, 2}
    shares = frames.card['splits']['test']['class_shares']
    assert shares['suctionable'] == pytest.approx((labels == 2).mean(), abs=1e-4)
    for k in range(8):
        rgb, depth, _ = frames[k]
        assert rgb.shape == (240, 320, 3) and frames.camera(k).width == 320
        assert (depth > 0).mean() > 0.1 and depth[depth > 0].min() > 0.1
