"""The same frames whatever the workers and interruptions; and what a frame must hold."""

import json
import os
from pathlib import Path
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from rganet_ros.synthetic import generate
from rganet_ros.types import NOT_SUCTIONABLE, SUCTIONABLE
import yaml

FRAMES = 6


def command(root: Path, recipe: Path, workers: int, frames: int = FRAMES) -> list[str]:
    options = {'recipe': recipe, 'split': 'test', 'frames': frames, 'workers': workers, 'seed': 4}
    words = [f'--{name}={value}' for name, value in options.items()]
    return [sys.executable, '-m', 'rganet_ros.cli', 'synthesize', str(root), *words]


def contents(root: Path) -> dict[str, bytes]:
    """All files of a data set, but not those that a killed writer was at."""
    paths = (path for path in root.rglob('*') if path.is_file() and path.name[0] != '.')
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in paths}


@pytest.fixture(scope='module')
def recipe(tmp_path_factory, small_options):
    path = tmp_path_factory.mktemp('recipe') / 'small.yaml'
    path.write_text(yaml.safe_dump(small_options))
    return path


@pytest.fixture(scope='module')
def one(tmp_path_factory, recipe):
    root = tmp_path_factory.mktemp('one')
    subprocess.run(command(root, recipe, 1), check=True, capture_output=True)
    return root


def labels(root: Path) -> list[Path]:
    return list((root / 'data' / 'label').glob('[0-9]*.png'))


def test_killed_and_resumed_by_two_workers_it_is_the_same(one, tmp_path, recipe):
    with subprocess.Popen(
        command(tmp_path, recipe, 1), start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        while not labels(tmp_path) and process.poll() is None:
            time.sleep(0.005)
        os.killpg(process.pid, signal.SIGKILL)
    assert 0 < len(labels(tmp_path)) < FRAMES
    subprocess.run(command(tmp_path, recipe, 2), check=True, capture_output=True)
    assert contents(tmp_path) == contents(one)


def test_a_split_lists_and_counts_what_is_there(one):
    names = (one / 'data' / 'test-split.txt').read_text().split()
    assert names == [f'{500_000 + k // 2:06d}-{k % 2}' for k in range(FRAMES)]
    split = json.loads((one / 'card.json').read_text())['splits']['test']
    assert split['frames'] == FRAMES and split['seed'] == 4
    assert sum(split['class_shares'].values()) == pytest.approx(1, abs=1e-4)


def test_another_seed_is_refused(one, recipe):
    words = [*command(one, recipe, 1), '--seed=5']
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 2 and 'another seed' in done.stderr


def test_a_tote_with_things_has_labels_on_things_alone(sample):
    assert sample.instance.max() > 0
    assert set(np.unique(sample.label[sample.instance > 0])) <= {NOT_SUCTIONABLE, SUCTIONABLE}
    assert not sample.label[sample.instance == 0].any()
    assert sample.score.min() >= 0 and sample.score.max() <= 1


def test_an_empty_tote_has_nothing_to_hold(empty):
    for made in generate.samples(empty, 'train', 0, 0, [0, 1]):
        assert not made.label.any() and not made.score.any() and not made.instance.any()
        assert np.ptp(made.rgb) > 50 and made.true_depth.min() > 0.1  # a picture all the same
