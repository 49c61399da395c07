"""
Run the pipeline over bags and folders of pictures, every frame, in order, without ROS.

Writes into --out: report.html, a page to look at; report.json, candidates with all their terms
and scores, equal to the last byte each time; timings.json, milliseconds by stage; a picture of
each frame and a sheet of them; outputs, a bag of what the node would have published, with the
input's stamps. A frame that cannot be used is named and the rest goes on; the exit status is then
1. A bag that was cut off, or lacks a file, is read as far as it is there; the exit status is then
3.
"""

from __future__ import annotations

import argparse
import dataclasses
from itertools import islice
from pathlib import Path
import shutil

from rganet_ros import bag, models, oblique, record, region, report, viz
from rganet_ros.region import Region
from rganet_ros.replay import items, outputs, page
from rganet_ros.replay.items import Item
from rganet_ros.replay.lineup import Lineup
from rganet_ros.replay.scores import Scores
from rganet_ros.replay.settings import Settings, settings
from rganet_ros.replay.truth import LABELS, Labels
from rganet_ros.types import Detection
from rich.console import Console
from rich.progress import Progress

TOPIC_HELP = {
    'image': 'colour pictures, where a bag has several that cannot be told apart',
    'depth': 'the depth that goes with them',
    'info': 'their camera_info',
}
STAGES = ('letterbox', 'infer', 'undo', 'candidates', 'total')


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.description = __doc__
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    add('input', nargs='+', type=Path, help='a bag, or a folder of pictures')
    add('--out', type=Path, default=Path('out/replay'), help='folder (out/replay)')
    automatic = f'auto: {models.RGBD} for frames with depth, else {models.RGB}'
    add('--model', default='auto', help=automatic)
    add(
        '--compare', nargs='+', default=[], metavar='MODEL', help='more models, on the same frames'
    )
    add('--labels', type=Path, metavar='DIR', help=LABELS)
    add('--unlabelled', choices=('ignore', 'background'), default='ignore',
        help='what 255 in a label is: not counted, or background (ignore)')  # fmt: skip
    add('--backend', help='auto, openvino, onnxruntime, torch (auto)')
    add('--params', type=Path, help="YAML of options, the node's file will do")
    add('--background', metavar='PNG', help='depth of the empty tote: parameter background_depth')
    add('--mask', default='', metavar='PNG', help='8 bits, 0 where no candidates may be')
    add('--rectify', action='store_true', help='the pictures of bags are raw: undistort them')
    add('--register-depth', action='store_true',
        help='depth is in an optical frame of its own: by the /tf_static of the bag')  # fmt: skip
    add('--views', action='store_true',
        help='also, of each frame, what a live view shows: maps, and the scene')  # fmt: skip
    add('--cloud', action='store_true', help='depth in colour, too, into the bag outputs')
    add('--limit', type=int, help='at most so many frames of each input')
    for name in TOPIC_HELP:
        add(f'--{name}', default='', metavar='TOPIC', help=TOPIC_HELP[name])
    add('--focal', type=float, default=0.0, help='pixels, of pictures without intrinsics')
    add('--depth-unit', type=float, default=0.0, help='metres, instead of what the layout says')


def run(args: argparse.Namespace) -> int:
    """Replay; returns the exit status."""
    if args.limit is not None and args.limit < 1:
        raise ValueError(f'--limit {args.limit} must be 1 or more: leave it out for every frame')
    for path in args.input:
        if not path.exists():
            raise FileNotFoundError(f'{path}: no such bag or folder')
    replay = Replay(settings(args), args)
    try:
        names: list[str] = []
        for path in args.input:
            names.append(items.free(path.name, names))
            replay.play(path, names[-1])
    finally:
        replay.finish()
    if replay.cut:
        return 3
    return 1 if replay.failures or not replay.rows else 0


class Replay:
    """Frames through the models to pictures, a bag and reports."""

    def __init__(self, given: Settings, args: argparse.Namespace):
        """Open what is given beside the frames: labels, background, mask."""
        self._given, self.out = given, args.out
        self.labels = Labels(args.labels, args.unlabelled) if args.labels else None
        self._args = args
        background = region.read_background(given.limits.background_depth)
        mask = region.read_mask(args.mask)
        self._region = Region(mask, background, given.limits.background_change)
        self.rows: list[dict] = []
        self.times: list[dict] = []
        self.failures: list[str] = []
        self.cut: list[str] = []
        self._scores: dict[str, Scores] = {}
        self._pictures: dict[tuple[str, str], Path] = {}  # by frame and model
        self._taken: set[str] = set()  # names of pictures
        self._console = Console()
        self._lineup = Lineup(given.predictor, args.compare, given.candidates, self._say)
        self._writer: record.Writer | None = None

    def _say(self, sentence: str) -> None:
        self._console.print(sentence, highlight=False)

    def play(self, path: Path, name: str) -> None:
        """Run all frames of an input, called `name`; what cannot be read is noted and printed."""
        self._lineup.reset()
        for scores in self._scores.values():
            scores.forget()
        with Progress(console=self._console, transient=True) as progress:
            try:
                found, total = self._read(path, name)
                bar = progress.add_task(name, total=total)
                for item in islice(found, self._args.limit):
                    if isinstance(item, Item):
                        self._one(item)
                    else:
                        self._fail(f'{path}: {item}')
                    progress.advance(bar)
            except bag.Cut as error:
                self.cut.append(str(error))
                self._console.print(f'cut off: {error}', style='red', highlight=False)
            except ValueError as error:
                self._fail(str(error))

    def _read(self, path: Path, name: str):
        """Give what is in an input, and how many frames that will be, None if it does not tell."""
        args = self._args
        if bag.is_bag(path):
            topics = {each: getattr(args, each) for each in TOPIC_HELP}
            given = self._given
            found, total = items.of_bag(path, name, topics, given.lens, given.tolerance)
        else:
            found, total = items.of_folder(path, name, args.focal, args.depth_unit)
        return found, min(filter(None, (total, args.limit)), default=None)

    def _fail(self, sentence: str) -> None:
        self.failures.append(sentence)
        self._console.print(f'not used: {sentence}', style='red', highlight=False)

    def _one(self, item: Item) -> None:
        if not self._given.depth:
            item = item._replace(frame=dataclasses.replace(item.frame, depth=None))
        try:
            truth = None
            if self.labels is not None:
                shape = item.frame.rgb.shape[:2]
                truth = self.labels.of(item.name, item.frame.stamp, shape)
            asked = self._lineup.of(item.frame, item.camera)
            inside = self._region.inside(item.frame)
            answers = [(label, pipeline(item.frame, inside)) for label, pipeline in asked]
        except ValueError as error:
            self._fail(f'{item.name}: {error}')
            return
        for index, (label, detection) in enumerate(answers):
            self._draw(item, label if index else '', label, detection)
            scores = self._scores.setdefault(label, Scores())
            own = scores.add(item.camera, item.frame, detection, truth)
            self.rows.append({**_row(item, label, detection), **own})
            ms = {stage: round(detection.ms[stage], 3) for stage in STAGES}
            self.times.append({'name': item.name, 'model': label, 'ms': ms})
        self._record(item, answers[0][1])

    def _draw(self, item: Item, suffix: str, label: str, detection: Detection) -> None:
        name = Path(item.name).with_suffix('').as_posix().replace('/', '_')
        name = items.free(f'{name}--{suffix}' if suffix else name, self._taken)
        self._taken.add(name)
        path = self.out / 'pictures' / f'{name}.png'
        report.write_picture(path, viz.overlay(item.frame.rgb, detection))
        self._pictures[item.name, label] = path
        if self._args.views:
            shown = oblique.view(item.frame, detection, self._given.candidates.cup_radius)
            report.write_picture(self.out / 'views' / path.name, shown)

    def _record(self, item: Item, detection: Detection) -> None:
        if self._writer is None:
            _clear(self.out / 'outputs')
            self._writer = record.Writer(self.out / 'outputs').__enter__()
        prefix = f'/{item.camera}/perception' if item.camera else '/perception'
        radius, cloud = self._given.candidates.cup_radius, self._args.cloud
        outputs.write(self._writer, prefix, item.frame, detection, radius, cloud)

    def finish(self) -> None:
        """Write the reports if there is anything to report, free the engines."""
        if self._writer is not None:
            self._writer.__exit__(None, None, None)
        if self.rows or self.failures or self.cut:
            self._report()
        self._lineup.close()

    def _report(self) -> None:
        given = self._given
        scores = {label: each.summary() for label, each in self._scores.items()}
        first = {row['name']: row['model'] for row in reversed(self.rows)}
        mine = [row for row in self.rows if first[row['name']] == row['model']]
        counts = [len(row['candidates']) for row in mine]
        summary = {
            'frames': len(mine),
            'not_used': self.failures,
            'cut_off': self.cut,
            'candidates_per_frame': round(sum(counts) / len(counts), 2) if counts else None,
            'frames_with_nothing_to_pick': counts.count(0),
            'labels': self.labels and self.labels.about(),
            'models': self._lineup.describe(),
            'scores': scores,
            'candidate_options': dataclasses.asdict(given.candidates),
            'region_options': {**dataclasses.asdict(given.limits), 'mask': self._args.mask},
            'lens_options': dataclasses.asdict(given.lens),
        }
        timings = {label: self._percentiles(label) for label in scores}
        report.write_json(self.out / 'report.json', {**summary, 'per_frame': self.rows})
        report.write_json(self.out / 'timings.json', {'ms': timings, 'per_frame': self.times})
        if mine:
            captions = [f'{row["name"]}  {len(row["candidates"])}' for row in mine]
            paths = [self._pictures[row['name'], row['model']] for row in mine]
            report.write_sheet(self.out / 'sheet.png', paths, captions)
        page.write(
            self.out / 'report.html', summary, timings, self.rows, self.times, self._pictures
        )
        self._print(summary, timings)

    def _percentiles(self, label: str) -> dict[str, dict]:
        mine = [each['ms'] for each in self.times if each['model'] == label]
        at = (50, 95, 99)
        return {stage: report.percentiles((ms[stage] for ms in mine), at) for stage in STAGES}

    def _print(self, summary: dict, timings: dict) -> None:
        rows = [(f'frames {how}', len(summary[key]))
                for key, how in (('not_used', 'not used'), ('cut_off', 'cut off'))]  # fmt: skip
        for label, scores in summary['scores'].items():
            rows += [(f'{label}: {name.replace("_", " ")}', value)
                     for name, value in scores.items() if value is not None]  # fmt: skip
            rows += [(f'{label}: milliseconds, {name}', value)
                     for name, value in timings[label]['total'].items()]  # fmt: skip
        report.print_table('replay', [*rows, ('written to', self.out)])


def _clear(old: Path) -> None:
    """Remove the bag of an earlier replay, and nothing else."""
    if (old / 'metadata.yaml').exists():
        shutil.rmtree(old)


def _row(item: Item, label: str, detection: Detection) -> dict:
    sizes = [int((detection.labels == index).sum()) for index in range(3)]
    return {
        'name': item.name,
        'stamp': item.frame.stamp,
        'frame_id': item.frame.frame_id,
        'model': label,
        'shares': [round(size / detection.labels.size, 4) for size in sizes],
        'candidates': [candidate._asdict() for candidate in detection.candidates],
    }
