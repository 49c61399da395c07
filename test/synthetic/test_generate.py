"""The same frames whatever the workers and interruptions; and what a frame must hold."""

import dataclasses
import json
import os
from pathlib import Path
import shutil
import signal
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest
from rganet_ros import cli, dataset, synthetic
from rganet_ros.synthetic import generate
from rganet_ros.synthetic.recipe import RECIPES
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


def test_a_set_from_before_an_option_was_there_goes_on(one, tmp_path, recipe):
    shutil.copytree(one, tmp_path / 'set')
    path = tmp_path / 'set' / 'card.json'
    card = json.loads(path.read_text())
    (made,) = card['splits'].values()
    assert made['recipe'].pop('crowded_share') == 0
    path.write_text(json.dumps(card))
    words = command(tmp_path / 'set', recipe, 1)
    subprocess.run(words, check=True, capture_output=True)
    assert json.loads(path.read_text()) == json.loads((one / 'card.json').read_text())


def test_a_tote_with_things_has_labels_on_things_alone(sample):
    assert sample.instance.max() > 0
    assert set(np.unique(sample.label[sample.instance > 0])) <= {NOT_SUCTIONABLE, SUCTIONABLE}
    assert not sample.label[sample.instance == 0].any()
    assert sample.score.min() >= 0 and sample.score.max() <= 1


def test_an_empty_tote_has_nothing_to_hold(empty):
    for made in generate.samples(empty, 'train', 0, 0, [0, 1]):
        assert not made.label.any() and not made.score.any() and not made.instance.any()
        assert np.ptp(made.rgb) > 50 and made.true_depth.min() > 0.1  # a picture all the same


def test_parts_made_apart_are_merged_by_copying_and_one_more_run(one, tmp_path, recipe):
    """As on many machines: disjoint ranges, each in its own folder."""
    parts = [tmp_path / 'a', tmp_path / 'b']
    for start, part in zip((0, 4), parts):
        words = [
            *command(part, recipe, 1, frames=4 if part.name == 'a' else 2),
            f'--start={start}',
        ]
        subprocess.run(words, check=True, capture_output=True)
    whole = tmp_path / 'whole'
    for part in parts:
        shutil.copytree(part / 'data', whole / 'data', dirs_exist_ok=True)
    subprocess.run(command(whole, recipe, 1), check=True, capture_output=True)
    assert contents(whole) == contents(one)


def test_the_sheet_shows_frames(one):
    sheet = dataset.read_picture(one / 'test-sheet.jpg')
    assert sheet.shape == (FRAMES * 36, 3 * 48, 3)
    assert np.ptp(sheet[:, :48]) > 100 and np.ptp(sheet[:, 48:96]) > 100


@pytest.fixture(scope='module')
def moving(tmp_path_factory, small_options):
    folder = tmp_path_factory.mktemp('moving')
    options = small_options | {'motion': True, 'views': 4, 'empty_share': 0}
    (folder / 'r.yaml').write_text(yaml.safe_dump(options))
    subprocess.run(
        command(folder / 'whole', folder / 'r.yaml', 1, frames=8), check=True, capture_output=True
    )
    return folder


def test_clips_are_frames_with_the_flow_between_them(moving):
    data = moving / 'whole' / 'data'
    names = (data / 'test-split.txt').read_text().split()
    flows = {path.stem for path in (data / 'flow').glob('*.png')}
    assert flows == {name for name in names if not name.endswith('-0')}
    for name in sorted(flows)[:2]:
        bent, seen = dataset.read_flow(data / 'flow' / f'{name}.png')
        assert 0.5 < seen.mean() <= 1 and 0.2 < np.abs(bent[seen]).mean() < 20
    clips = dataset.Zeng(moving / 'whole', 'test').clips
    assert [[names[index][-2:] for index in clip] for clip in clips] == [
        ['-0', '-1', '-2', '-3']
    ] * 2
    poses = [np.loadtxt(data / 'camera-pose' / f'{name}.txt') for name in names[:2]]
    assert not np.allclose(*poses)


def test_a_clip_that_was_cut_off_goes_on_as_it_would_have(moving, tmp_path):
    subprocess.run(
        command(tmp_path, moving / 'r.yaml', 1, frames=6), check=True, capture_output=True
    )
    subprocess.run(
        command(tmp_path, moving / 'r.yaml', 2, frames=8), check=True, capture_output=True
    )
    assert contents(tmp_path) == contents(moving / 'whole')


def test_a_full_disk_is_one_sentence(recipe, tmp_path):
    """A limit on the size of files stands for the disk's."""
    words = command(tmp_path, recipe, 1)
    # Measured, it would want to write what it ran.
    unmeasured = {name: value for name, value in os.environ.items() if not name.startswith('COV')}
    done = subprocess.run(
        ['bash', '-c', 'ulimit -f 1; exec "$@"', '-', *words],
        capture_output=True, text=True, env=unmeasured,
    )  # fmt: skip
    assert done.returncode == 2
    said = done.stderr.strip().splitlines()
    assert len(said) == 1 and 'rganet synthesize: error:' in said[0] and 'too large' in said[0]
    assert not labels(tmp_path)


@pytest.mark.parametrize(
    ('text', 'words'),
    [
        ('{frames: 3}', 'frames'),
        ('{views: 0}', 'views = 0 must be in 1..64'),
        ('{empty_share: 1.5}', 'empty_share = 1.5 must be in 0..1'),
        ('{width: wide}', "width = 'wide' must be a whole number"),
        ('[1, 2]', 'name: value'),
        ('{', 'YAML'),
    ],
)
def test_recipes_that_cannot_be_are_one_sentence(text, words, tmp_path, capsys):
    (tmp_path / 'r.yaml').write_text(text)
    assert cli.main(['synthesize', str(tmp_path / 'out'), f'--recipe={tmp_path}/r.yaml']) == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 1 and words in said[0] and 'r.yaml' in said[0]
    assert not (tmp_path / 'out').exists()


def test_without_a_graphics_library_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(synthetic, '_starts', lambda renderer: False)
    with pytest.raises(ValueError, match='no off-screen renderer starts: install libegl1'):
        synthetic._renderer()


def test_a_renderer_that_cannot_be_is_one_sentence(tmp_path):
    done = subprocess.run(
        [sys.executable, '-m', 'rganet_ros.cli', 'synthesize', str(tmp_path / 'out')],
        env=os.environ | {'MUJOCO_GL': 'glfw'}, capture_output=True, text=True,
    )  # fmt: skip
    said = done.stderr.strip()
    assert (done.returncode, said) == (
        2, "rganet synthesize: error: MUJOCO_GL = 'glfw' must be egl or osmesa",
    )  # fmt: skip
    assert not (tmp_path / 'out').exists()


def test_backgrounds_are_the_same_view_without_the_things(small):
    recipe = dataclasses.replace(small, backgrounds=True)
    (sample,) = generate.samples(recipe, 'test', 3, 0, [0])
    rgb, depth = sample.background
    around = cv2.dilate((sample.instance > 0).astype(np.uint8), np.ones((25, 25))) == 0
    on = cv2.erode((sample.instance > 0).astype(np.uint8), np.ones((3, 3))) > 0
    both = (depth > 0) & (sample.depth > 0)
    apart = np.abs(depth - sample.depth)
    assert np.median(apart[both & around]) < 0.01 < np.median(apart[both & on])
    changed = np.abs(rgb.astype(int) - sample.rgb).mean(-1)
    assert changed[on].mean() > 2 * changed[around].mean()


def test_of_equal_seeds_another_cup_has_the_same_frames_and_other_labels(small):
    pairs = {'strong': 'clutter', 'strong-totes': 'totes', 'strong-far-cells': 'far-cells'}
    for strong, rigid in pairs.items():
        assert RECIPES[strong] == dataclasses.replace(RECIPES[rigid], cup='strong')
    strong = dataclasses.replace(small, cup='strong')
    more = 0
    for number in range(4):
        made = [
            list(generate.samples(each, 'test', 3, number, [0, 1])) for each in (small, strong)
        ]
        for one, two in zip(*made, strict=True):
            for name in ('rgb', 'depth', 'instance', 'true_depth', 'pose'):
                assert np.array_equal(getattr(one, name), getattr(two, name)), name
            rigid, held = one.label == SUCTIONABLE, two.label == SUCTIONABLE
            assert held[rigid].all() and np.array_equal(one.label > 0, two.label > 0)
            more += held.sum() - rigid.sum()
    assert more > 0


def test_a_folder_has_labels_for_one_cup(one, tmp_path, small_options, capsys):
    card = json.loads((one / 'card.json').read_text())
    assert (
        card['cup']['porous_pressure'] == 0 and card['splits']['test']['recipe']['cup'] == 'rigid'
    )
    root = tmp_path / 'set'
    root.mkdir()
    shutil.copy(one / 'card.json', root)
    (tmp_path / 'strong.yaml').write_text(yaml.safe_dump(small_options | {'cup': 'strong'}))
    words = ['synthesize', str(root), '--recipe', str(tmp_path / 'strong.yaml')]
    assert cli.main([*words, '--split', 'train', '--frames', '1']) == 2
    said = capsys.readouterr().err
    assert 'a cup of another least_share and lip_tolerance' in said and '(strong here)' in said
    assert [path.name for path in root.iterdir()] == ['card.json']


def test_a_look_at_the_empty_container_changes_nothing(small):
    made = list(generate.samples(small, 'test', 3, 0, [0, 1]))
    looked = dataclasses.replace(small, backgrounds=True)
    for one, two in zip(made, generate.samples(looked, 'test', 3, 0, [0, 1]), strict=True):
        assert one.background is None and two.background is not None
        assert np.array_equal(one.rgb, two.rgb) and np.array_equal(one.depth, two.depth)
