"""
The live node on a recorded bag: a player, the node and a recorder, three ROS 2 processes.

Writes into --out: sheet.png and overlay.gif (what the node saw and said), bag (all it published,
MCAP), summary.json, and the log of each process. Ends by itself; at most 45 seconds are played.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
import shutil
import sys
import time
from typing import NamedTuple

import cv2
import numpy as np
from rganet_ros import bag, cameras, decode, models, motion, pictures, report, viz
from rganet_ros.node.processes import environment, node_arguments, Processes
from rganet_ros.options import make
from rganet_ros.predictor import open_predictor, PredictorOptions
from rich.console import Console
from rich.progress import Progress

LONGEST = 45.0  # seconds of play
ENOUGH = 12.0  # seconds: what is shorter is played again, three times at most
IDLE = 3.0  # seconds without candidates after which the recorder ends
HZ = 2.0  # of a folder of pictures
START = 60.0  # seconds for the node to load its model
SETTLE = 0.5  # seconds until the node knows of all the recorder's subscriptions
NAMES = ('player', 'node', 'recorder')
GIF_WIDTH, GIF_FRAMES = 480, 40


class Input(NamedTuple):
    """What is played: its topics, how many pictures, how many seconds of it, how often."""

    path: Path
    topics: cameras.Topics
    frames: int
    seconds: float
    loops: int


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.description = __doc__
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    given = parser.add_mutually_exclusive_group()
    given.add_argument('--bag', type=Path, help='a bag of your own (a shipped one)')
    given.add_argument('--images', type=Path, help='a folder of pictures instead')
    parser.add_argument('--out', type=Path, default=Path('out/demo'), help='folder (out/demo)')
    parser.add_argument(
        '--model',
        default='auto',
        help=f'auto: {models.RGBD} where there is depth, else {models.RGB}',
    )  # fmt: skip
    parser.add_argument('--backend', default='auto', help='engine of the node (auto)')


def run(args: argparse.Namespace) -> int:
    """Run the demo; returns the exit status: 0 only where frames came out and all ended well."""
    played = _folder(args.images) if args.images else _bag(args.bag or _shipped())
    _clear(args.out)
    console = Console()
    troubles = _play(
        played, args.out, node_arguments(_parameters(args, played), played.topics), console
    )
    path = args.out / 'summary.json'
    summary = json.loads(path.read_text()) if path.exists() else {'frames': 0}
    if not summary['frames']:
        troubles.append(f'nothing came out of the node: see {args.out}/node.log')
    else:
        _pictures(args.out, played)
        rows = _rows(played, args.out, summary) + _flicker(played, args)
        report.print_table('rganet demo', rows)
        console.print(f'Pictures, bag and logs: {args.out}')
    for trouble in troubles:
        print(f'rganet demo: error: {trouble}', file=sys.stderr)
    return 1 if troubles else 0


def _bag(path: Path) -> Input:
    topics = bag.find_topics(path)
    times = []
    for message in bag.messages(path, [topics.image]):
        times.append(message.time)
        if times[-1] - times[0] > LONGEST * 1e9:
            break
    if not times:
        raise ValueError(f'bag {path} has no pictures on {topics.image}')
    period = np.median(np.diff(times)) / 1e9 if len(times) > 1 else 1 / HZ
    seconds = (times[-1] - times[0]) / 1e9 + float(period)
    return Input(path, topics, len(times), seconds, _loops(seconds))


def _shipped() -> Path:
    return models.share('demo') / 'clutter'


def _folder(path: Path) -> Input:
    found = pictures.find(path)
    depth = cameras.DEPTH_TOPIC if all(each.depth for each in found) else ''
    topics = cameras.Topics(cameras.COLOUR_TOPIC, depth, cameras.INFO_TOPIC)
    return Input(path, topics, len(found), len(found) / HZ, _loops(len(found) / HZ))


def _loops(seconds: float) -> int:
    return max(1, min(3, round(ENOUGH / seconds)))


def _clear(out: Path) -> None:
    """Remove what an earlier demo left, and nothing else."""
    out.mkdir(parents=True, exist_ok=True)
    for name in ('sheet.png', 'overlay.gif', 'summary.json', *(f'{name}.log' for name in NAMES)):
        (out / name).unlink(missing_ok=True)
    old = out / 'bag'
    if (old / 'metadata.yaml').exists():
        shutil.rmtree(old)
    elif old.exists():
        raise FileExistsError(f'{old} is there and is no bag: name another folder with --out')


def _parameters(args: argparse.Namespace, played: Input) -> dict[str, str]:
    model = args.model
    if model == 'auto':
        model = models.RGBD if played.topics.depth else models.RGB
    return {'model': model, 'backend': args.backend, 'build_engine': 'if_missing'}


def _play(played: Input, out: Path, words: list[str], console: Console) -> list[str]:
    """Run the three processes to their end; returns what went wrong, a sentence each."""
    total = played.frames * played.loops
    with Processes(out, environment()) as run, Progress(console=console, transient=True) as bars:
        bar = bars.add_task('the node loads its model', total=None)
        run.start('node', 'perception_node', *words)
        run.start(
            'recorder', 'recorder', '--bag', str(out / 'bag'),
            '--summary', str(out / 'summary.json'), '--idle', str(IDLE),
        )  # fmt: skip
        if run.wait_for('node', 'active:', START) and run.wait_for('recorder', 'ready', START):
            time.sleep(SETTLE)
            run.start(
                'player', 'player', str(played.path), '--restamp', '--hz', str(HZ),
                '--loop', str(played.loops), '--seconds', str(LONGEST),
            )  # fmt: skip
            bars.update(bar, description='playing', total=total)
            while all(map(run.alive, NAMES)):
                bars.update(bar, completed=run.last_number('player'))
                time.sleep(0.2)
            bars.update(bar, description='the last frames', completed=total)
            run.join('player', 10)
            run.join('recorder', IDLE + 30)
            run.join('node', 20, interrupt=True)
    return run.troubles


def _rows(played: Input, out: Path, summary: dict) -> list[tuple[str, object]]:
    said = summary['diagnostics']
    dropped = {k.removeprefix('dropped.'): n for k, n in said.items() if k.startswith('dropped.')}
    log = (out / 'player.log').read_text()
    count = log.count('played ')
    rows = [
        ('played', f'{played.path}, {count} pictures' + (', cut' * ('cut after' in log))),
        ('frames in', said.get('received.image')),
        ('frames out', summary['frames']),
        ('dropped', ', '.join(f'{n} {k}' for k, n in dropped.items()) or 'none'),
        ('rate', f'{summary["hz"]} Hz'),
        ('latency', '{p50} ms p50, {p95} ms p95'.format(**summary['latency_ms'])),
        ('candidates', f'{summary["candidates_per_frame"]} per frame'),
        ('model', said.get('model')),
    ]
    return rows + [(key, said[key]) for key in ('backend', 'device', 'precision') if key in said]


def _flicker(played: Input, args: argparse.Namespace) -> list[tuple[str, object]]:
    """Show, of a model with memory, what that is worth on a bag with the poses of its camera."""
    if args.images or args.model == 'auto':
        return []
    options = {'model': args.model, 'backend': args.backend}
    predictor = open_predictor(make(PredictorOptions, options))
    found = {}
    for name, forgets in (('with memory', False), ('without', True)) if predictor.window else ():
        answers = []
        predictor.reset()
        for frame in bag.frames(played.path, played.topics):
            if forgets:
                predictor.reset()
            answers.append((frame, predictor.predict(frame).labels))
        found[name] = motion.flicker_along(answers)
    predictor.close()
    if None in found.values():
        return [('flicker', f'not known: {played.path} has no poses on {cameras.POSE_TOPIC}')]
    words = [f'{100 * share:.2f} % of pixels a frame {name}' for name, share in found.items()]
    return [('flicker', ', '.join(words))] if words else []


def _pictures(out: Path, played: Input) -> None:
    """Write a sheet and a GIF of the overlays in the recorded bag, of the first time it played."""
    small = []
    for message in bag.messages(out / 'bag', ['/perception/overlay']):
        overlay = decode.rgb(bag.deserialize(message))
        height = round(overlay.shape[0] * GIF_WIDTH / overlay.shape[1])
        small.append(cv2.resize(overlay, (GIF_WIDTH, height), interpolation=cv2.INTER_AREA))
    if not small:
        raise ValueError(f'{out}/bag holds no overlays')
    small = small[: played.frames]
    report.write_sheet(out / 'sheet.png', small)
    alike = [each for each in small if each.shape == small[0].shape]
    viz.write_gif(out / 'overlay.gif', alike[:GIF_FRAMES], played.seconds / played.frames)
