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
from dataclasses import asdict
import json
import multiprocessing
from pathlib import Path

import cv2
import mujoco
import numpy as np
import PIL
from rganet_ros import bag, dataset
from rganet_ros.synthetic import clip, objects, render, view
from rganet_ros.synthetic import recipe as recipes
from rganet_ros.synthetic.cup import CUPS
from rganet_ros.synthetic.recipe import Recipe
from rganet_ros.synthetic.sample import photograph, Sample
from rganet_ros.synthetic.scene import Scene
from rganet_ros.types import CLASSES
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

VERSION = 2  # of the generator: raised whenever the same seed gives other bytes
FIRST_SCENE = {'train': 0, 'test': 500_000}  # names of the two splits never meet


def samples(recipe: Recipe, split: str, seed: int, number: int, views) -> Iterator[Sample]:
    """Build and settle scene `number`, and photograph these of its views."""
    key = [seed, objects.SPLITS.index(split), number]
    scene = Scene(np.random.default_rng(key), split, recipe)
    with render.Renderer(scene) as renderer:
        for index in views:
            rng = np.random.default_rng([*key, index])
            yield photograph(rng, scene, renderer, view.draw(rng, scene.container), recipe)


def _name(split: str, number: int, index: int) -> str:
    return f'{FIRST_SCENE[split] + number:06d}-{index}'


def write(root: Path, name: str, sample: Sample) -> None:
    """Write a frame with all that is known of it."""
    dataset.write_sample(
        root, name, rgb=sample.rgb, depth=sample.depth, label=sample.label, camera=sample.camera,
        pose=sample.pose,
        extra={
            'score': np.rint(sample.score * 65535).astype(np.uint16),
            'label-index': sample.label,
            'instance': sample.instance,
            'depth-true': np.clip(np.rint(sample.true_depth * 1e4), 0, 65535).astype(np.uint16),
        },
    )  # fmt: skip


def _make_scene(root: Path, recipe: Recipe, split: str, seed: int, number: int, views) -> int:
    """Make, in a worker, one scene: the views of it that are missing."""
    cv2.setNumThreads(1)
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
    scenes = _missing(root, recipe, split, frames)
    total = sum(map(len, scenes.values()))
    columns = (
        TextColumn('{task.description}'), BarColumn(), MofNCompleteColumn(),
        TextColumn('{task.fields[rate]} a minute'), TimeRemainingColumn(),
    )  # fmt: skip
    spawn = multiprocessing.get_context('spawn')
    with (
        Progress(*columns) as progress,
        ProcessPoolExecutor(workers, spawn, initializer=cv2.setNumThreads, initargs=(1,)) as pool,
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


def _versions() -> dict[str, str]:
    libraries = {'mujoco': mujoco, 'numpy': np, 'opencv': cv2, 'pillow': PIL}
    return {name: library.__version__ for name, library in libraries.items()}


def _identity(recipe: Recipe, seed: int) -> dict:
    return {'generator': VERSION, 'seed': seed, 'recipe': asdict(recipe)}


def check_card(root: Path, recipe: Recipe, split: str, seed: int) -> dict:
    """Read the card, or start one; ValueError if this split was made from something else."""
    path = root / 'card.json'
    card = json.loads(path.read_text()) if path.exists() else {'format': 1, 'splits': {}}
    made = card['splits'].get(split, {})
    wanted = _identity(recipe, seed)
    differing = [key for key in wanted if key in made and made[key] != wanted[key]]
    if differing:
        raise ValueError(
            f'{root} holds {split} frames with another {" and ".join(differing)}: '
            'give the same ones, or another folder'
        )
    return card


def write_card(
    root: Path, card: dict, recipe: Recipe, split: str, seed: int, renderer: str
) -> None:
    """Describe what is there, and list the names of the split."""
    first = FIRST_SCENE[split]
    names = sorted(
        path.stem for path in (root / 'data' / 'label').glob('*.png')
        if first <= int(path.stem.split('-')[0]) < first + 500_000
    )  # fmt: skip
    counts = np.zeros(len(CLASSES), np.int64)
    for name in names:
        index = cv2.imread(
            str(root / 'data' / 'label-index' / f'{name}.png'), cv2.IMREAD_UNCHANGED
        )
        counts += np.bincount(index.ravel(), minlength=len(CLASSES))
    card |= {
        'name': 'synthetic clutter',
        'unlabelled': 'background',
        'cup': asdict(CUPS[recipe.cup]),
    }
    card['splits'][split] = {
        **_identity(recipe, seed),
        'frames': len(names),
        'class_shares': dict(zip(CLASSES, (counts / max(counts.sum(), 1)).round(5).tolist())),
        'kinds_only_here': list(objects.HELD_OUT) if split == 'test' else [],
        'renderer': renderer,
        'versions': _versions(),
    }
    dataset.write_file(root / 'data' / f'{split}-split.txt', ('\n'.join(names) + '\n').encode())
    dataset.write_file(root / 'card.json', (json.dumps(card, indent=2) + '\n').encode())


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
    if args.clip is not None:
        if args.clip < 1 or args.period <= 0:
            raise ValueError('--clip must be 1 or more, --period more than 0')
        taken = clip.frames(recipe, args.split, args.seed, args.start, args.clip, args.period)
        bag.write_frames(args.out, taken)
        return 0
    card = check_card(args.out, recipe, args.split, args.seed)
    frames = range(args.start, args.start + args.frames)
    generate(args.out, recipe, args.split, args.seed, frames, args.workers)
    write_card(args.out, card, recipe, args.split, args.seed, renderer)
    return 0
