"""
Make labelled pictures of synthetic clutter in the layout of Zeng's data set.

Every frame is a function of (recipe, split, seed, index) alone, for any number of workers, with
the versions and the renderer that the card names. Frames that are there already are left as they
are.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
import ctypes
from dataclasses import asdict
from itertools import islice
import multiprocessing
from pathlib import Path
import signal
import sys

import cv2
import numpy as np
from rganet_ros import dataset
from rganet_ros.synthetic import card as cards
from rganet_ros.synthetic import clip, objects, render, view
from rganet_ros.synthetic import recipe as recipes
from rganet_ros.synthetic.recipe import Recipe
from rganet_ros.synthetic.sample import background, photograph, Sample
from rganet_ros.synthetic.scene import Scene
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

VERSIONS = {'train': 3, 'test': 2}  # raised whenever the same seed gives other bytes
SCENES = 500_000  # of a split, at most
FIRST_SCENE = {'train': 0, 'test': SCENES}  # names of the two splits never meet


def samples(recipe: Recipe, split: str, seed: int, number: int, views) -> Iterator[Sample]:
    """Build and settle scene `number`, and photograph these of its views."""
    if recipe.motion:  # each follows from the ones before
        made = clip.samples(recipe, split, seed, number * recipe.views, recipe.views)
        for index, sample in enumerate(islice(made, max(views) + 1)):
            if index in views:
                yield sample
        return
    key = [seed, objects.SPLITS.index(split), number]
    scene = Scene(np.random.default_rng(key), split, recipe)
    with render.Renderer(scene) as renderer:
        for index in views:
            rng = np.random.default_rng([*key, index])
            seen = view.draw(rng, scene.container, recipe)
            sample = photograph(rng, scene, renderer, seen, recipe)
            if recipe.backgrounds:
                sample = sample._replace(background=background(rng, scene, renderer, seen, recipe))
            yield sample


def _name(split: str, number: int, index: int) -> str:
    return f'{FIRST_SCENE[split] + number:06d}-{index}'


def write(root: Path, name: str, sample: Sample) -> None:
    """Write a frame with all that is known of it."""
    extra = {
        'score': np.rint(sample.score * 65535).astype(np.uint16),
        'label-index': sample.label,
        'instance': sample.instance,
        'depth-true': dataset.depth_picture(sample.true_depth),
    }
    if sample.background is not None:
        extra['color-background'] = sample.background[0]
        extra['depth-background'] = dataset.depth_picture(sample.background[1])
    if sample.flow is not None:
        extra['flow'] = dataset.flow_picture(*sample.flow)
    dataset.write_sample(
        root, name, rgb=sample.rgb, depth=sample.depth, label=sample.label, camera=sample.camera,
        pose=sample.pose, extra=extra,
    )  # fmt: skip


def _worker() -> None:
    """Prepare a process: one core for each, and none outlives the one that started it."""
    cv2.setNumThreads(1)
    if sys.platform == 'linux':
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def _make_scene(root: Path, recipe: Recipe, split: str, seed: int, number: int, views) -> int:
    """Make, in a worker, one scene: the views of it that are missing."""
    for index, sample in zip(views, samples(recipe, split, seed, number, views)):
        write(root, _name(split, number, index), sample)
    return len(views)


def _missing(root: Path, recipe: Recipe, split: str, frames: range) -> dict[int, list[int]]:
    """Scene -> views that are not there yet."""
    scenes: dict[int, list[int]] = {}
    for frame in frames:
        number, index = divmod(frame, recipe.views)
        if not (root / 'data' / 'label' / f'{_name(split, number, index)}.png').exists():
            scenes.setdefault(number, []).append(index)
    return scenes


def generate(root, recipe: Recipe, split: str, seed: int, frames: range, workers: int) -> None:
    """Make the frames of this range that are missing, with a progress bar."""
    root = Path(root)
    dataset.sweep(root / 'data')
    scenes = _missing(root, recipe, split, frames)
    total = sum(map(len, scenes.values()))
    columns = (
        TextColumn('{task.description}'), BarColumn(), MofNCompleteColumn(),
        TextColumn('{task.fields[rate]} a minute'), TimeRemainingColumn(),
    )  # fmt: skip
    spawn = multiprocessing.get_context('spawn')
    with (
        Progress(*columns) as progress,
        ProcessPoolExecutor(workers, spawn, initializer=_worker) as pool,
    ):
        task = progress.add_task(f'{split} frames', total=total, rate='-')
        waiting = list(scenes.items())[::-1]
        running = set()
        try:
            while waiting or running:
                while waiting and len(running) < 2 * workers:
                    number, views = waiting.pop()
                    running.add(pool.submit(_make_scene, root, recipe, split, seed, number, views))
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    progress.advance(task, future.result())
                    speed = progress.tasks[task].speed
                    progress.update(task, rate=f'{60 * speed:.0f}' if speed else '-')
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line of `rganet synthesize`."""
    parser.description = __doc__
    parser.add_argument('out', type=Path, help='folder to write to; made if missing')
    parser.add_argument('--recipe', default='clutter', help='a named recipe or a YAML file')
    parser.add_argument('--split', choices=objects.SPLITS, default='train')
    parser.add_argument('--frames', type=int, default=100, help='how many frames')
    parser.add_argument('--start', type=int, default=0, help='index of the first frame')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--workers', type=int, default=2, help='processes')
    parser.add_argument(
        '--clip', type=int, metavar='T',
        help='write a bag instead: T frames of one scene, from a camera that moves a little, with '
        'things taken away one by one from the middle on; --start chooses the scene',
    )  # fmt: skip
    parser.add_argument(
        '--period', type=float, default=0.2, help="seconds between a clip's frames"
    )


def run(args: argparse.Namespace) -> int:
    """Run `rganet synthesize`."""
    if args.frames < 1 or args.start < 0 or args.workers < 1 or args.seed < 0:
        raise ValueError('--frames and --workers must be 1 or more, --start and --seed 0 or more')
    recipe = recipes.find(args.recipe)
    renderer = render.backend()
    print(f'rendering with {renderer}')
    if args.clip is not None:
        if args.clip < 1 or args.period <= 0:
            raise ValueError('--clip must be 1 or more, --period more than 0')
        what = args.split, args.seed, args.start, args.clip, args.period
        clip.write_bag(args.out, recipe, *what)
        return 0
    identity = {'generator': VERSIONS[args.split], 'seed': args.seed, 'recipe': asdict(recipe)}
    card = cards.open_card(args.out, args.split, identity)
    frames = range(args.start, args.start + args.frames)
    generate(args.out, recipe, args.split, args.seed, frames, args.workers)
    first = FIRST_SCENE[args.split]
    cards.write(args.out, card, args.split, identity, range(first, first + SCENES), renderer)
    return 0
