"""
Run the pipeline over bags and folders of pictures, every frame, in order, without ROS.

Writes a picture for each frame, a sheet of them, and report.json: candidates with all their terms,
times, and what ran. A frame that cannot be used is named and the rest goes on; the exit status is
then 1.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
import dataclasses
from itertools import islice
from pathlib import Path

import numpy as np
from rganet_ros import bag, models, pictures, report, viz
from rganet_ros.candidates import CandidateOptions
from rganet_ros.options import make, options_of, read_yaml
from rganet_ros.pipeline import open_pipeline, Pipeline
from rganet_ros.predictor import PredictorOptions
from rganet_ros.types import Detection, Frame
from rich.console import Console
from rich.progress import Progress


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.description = __doc__
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument('input', nargs='+', type=Path, help='a bag, or a folder of pictures')
    parser.add_argument('--out', type=Path, default=Path('out/replay'), help='folder (out/replay)')
    parser.add_argument(
        '--model',
        default='auto',
        help=f'auto: {models.RGBD} for frames with depth, else {models.RGB}',
    )
    parser.add_argument('--backend', help='auto, openvino, onnxruntime, torch (auto)')
    parser.add_argument('--params', type=Path, help="YAML of options, the node's file will do")
    parser.add_argument('--limit', type=int, help='at most so many frames of each input')
    parser.add_argument(
        '--focal', type=float, default=0.0, help='pixels, of pictures that come without intrinsics'
    )
    parser.add_argument(
        '--depth-unit',
        type=float,
        default=0.0,
        help='metres, instead of what the layout says',
    )


def run(args: argparse.Namespace) -> int:
    """Replay; returns the exit status."""
    for path in args.input:
        if not path.exists():
            raise FileNotFoundError(f'{path}: no such bag or folder')
    predictor, candidates = read_params(args.params) if args.params else ({}, {})
    if args.backend:
        predictor['backend'] = args.backend
    if args.model != 'auto':
        predictor['model'] = args.model
    replay = Replay(predictor, make(CandidateOptions, candidates), args.out)
    try:
        for path in args.input:
            replay.play(path, args.limit, args.focal, args.depth_unit)
    finally:
        replay.finish()
    return 1 if replay.failures or not replay.rows else 0


def read_params(path: Path) -> tuple[dict, dict]:
    """
    Read options from YAML: plain, or a node's parameter file (name: ros__parameters: ...).

    Returns those of the predictor and those of candidates; parameters that only the node has are
    left out. Raises ValueError on an unknown name in plain YAML.
    """
    content = read_yaml(path)
    node = [v['ros__parameters'] for v in content.values() if _is_node(v)]
    values = {k: v for part in node for k, v in part.items()} if node else content
    names = [set(options_of(cls)) for cls in (PredictorOptions, CandidateOptions)]
    unknown = set(values) - names[0] - names[1]
    if unknown and not node:
        raise ValueError(f'{path}: unknown option {", ".join(sorted(unknown))}')
    predictor, candidates = ({k: v for k, v in values.items() if k in part} for part in names)
    return predictor, candidates


def _is_node(value) -> bool:
    return isinstance(value, dict) and 'ros__parameters' in value


class Replay:
    """Frames through pipelines (one for each model that is needed) to pictures and a report."""

    def __init__(self, predictor: dict, candidates: CandidateOptions, out: Path):
        """Take plain predictor options; without a model in them the frames decide."""
        self.predictor, self.candidates, self.out = predictor, candidates, out
        self.rows: list[dict] = []
        self.failures: list[str] = []
        self._pipelines: dict[str, Pipeline] = {}
        self._pictures: list[Path] = []
        self._console = Console()

    def play(self, path: Path, limit: int | None, focal: float, unit: float) -> None:
        """Run all frames of an input; what cannot be read is noted and printed."""
        with Progress(console=self._console, transient=True) as progress:
            bar = progress.add_task(str(path.name), total=limit)
            for pipeline in self._pipelines.values():
                pipeline.reset()
            for name, frame in islice(self._frames(path, focal, unit), limit):
                self._one(f'{path.name}/{name}', frame)
                progress.advance(bar)

    def _frames(self, path: Path, focal: float, unit: float) -> Iterator[tuple[str, Frame]]:
        """Read an input to its end, or to where it cannot be read any further."""
        try:
            if bag.is_bag(path):
                found = bag.frames(path, undecodable=lambda error: self._fail(f'{path}: {error}'))
                yield from ((f'{index:06d}', frame) for index, frame in enumerate(found))
            else:
                yield from self._pictures_in(path, focal, unit)
        except ValueError as error:
            self._fail(str(error))

    def _pictures_in(self, path: Path, focal: float, unit: float):
        for index, picture in enumerate(pictures.find(path)):
            try:
                frame = pictures.read(picture, index, focal, unit)
            except ValueError as error:
                self._fail(str(error))
            else:
                yield picture.name, frame

    def _fail(self, sentence: str) -> None:
        self.failures.append(sentence)
        self._console.print(f'not used: {sentence}', style='red', highlight=False)

    def _one(self, name: str, frame: Frame) -> None:
        pipeline = self._pipeline(frame)
        try:
            detection = pipeline(frame)
        except ValueError as error:
            self._fail(f'{name}: {error}')
            return
        path = (
            self.out
            / 'pictures'
            / f'{Path(name).with_suffix("").as_posix().replace("/", "_")}.png'
        )
        report.write_picture(path, viz.overlay(frame.rgb, detection))
        self._pictures.append(path)
        self.rows.append(_row(name, frame, pipeline, detection))

    def _pipeline(self, frame: Frame) -> Pipeline:
        model = self.predictor.get('model') or (models.RGB if frame.depth is None else models.RGBD)
        if model not in self._pipelines:
            options = make(PredictorOptions, {**self.predictor, 'model': model})
            pipeline = open_pipeline(options, self.candidates)
            self._pipelines[model] = pipeline
            about = ', '.join(f'{k} {v}' for k, v in pipeline.predictor.backend.describe().items())
            self._console.print(f'model {model}: {about}', highlight=False)
            for warning in pipeline.warnings:
                self._console.print(f'warning: {warning}', style='yellow')
        return self._pipelines[model]

    def finish(self) -> None:
        """Write the report if there is anything to report, free the engines."""
        if self.rows or self.failures:
            self._report()
        for pipeline in self._pipelines.values():
            pipeline.close()

    def _report(self) -> None:
        total = report.percentiles(row['ms']['total'] for row in self.rows)
        counts = [len(row['candidates']) for row in self.rows]
        summary = {
            'frames': len(self.rows),
            'not_used': self.failures,
            'ms': total,
            'candidates_per_frame': round(float(np.mean(counts)), 2) if counts else None,
            'frames_with_nothing_to_pick': counts.count(0),
            'models': {
                name: {'sha256': p.predictor.model.sha256, **p.predictor.backend.describe()}
                for name, p in self._pipelines.items()
            },
            'candidate_options': dataclasses.asdict(self.candidates),
        }
        report.write_json(self.out / 'report.json', {**summary, 'per_frame': self.rows})
        if self.rows:
            captions = [f'{row["name"]}  {len(row["candidates"])}' for row in self.rows]
            report.write_sheet(self.out / 'sheet.png', self._pictures, captions)
        report.print_table(
            'replay',
            (
                ('frames', len(self.rows)),
                ('not used', len(self.failures)),
                ('milliseconds a frame, p50', total['p50']),
                ('milliseconds a frame, p95', total['p95']),
                ('candidates a frame', summary['candidates_per_frame']),
                ('frames with nothing to pick', counts.count(0)),
                ('written to', self.out),
            ),
        )


def _row(name: str, frame: Frame, pipeline: Pipeline, detection: Detection) -> dict:
    labels = np.bincount(detection.labels.ravel(), minlength=3) / detection.labels.size
    return {
        'name': name,
        'stamp': frame.stamp,
        'frame_id': frame.frame_id,
        'model': pipeline.predictor.model.name,
        'ms': {stage: round(value, 3) for stage, value in detection.ms.items()},
        'shares': [round(float(share), 4) for share in labels],
        'candidates': [candidate._asdict() for candidate in detection.candidates],
    }
