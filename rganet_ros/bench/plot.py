"""
`rganet bench plot`: speed against accuracy of models, from what a bench and an evaluation wrote.

    rganet bench engines fanet18-rgb fanet18-rgbd --out engines.json
    rganet evaluate fanet18-rgb fanet18-rgbd DATA --out scores.json
    rganet bench plot engines.json --evaluated scores.json --out speed.svg

Without --evaluated the scores are those in the cards of the models. A model is found in the JSON
of `bench engines` by its file, in that of `bench networks` by its network, if it takes no depth.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import NamedTuple

from rganet_ros import html, models, report
from rganet_ros.dataset import write_file
from rganet_ros.models import Model
from rganet_ros.runtime import precision_of
from rganet_ros.types import SUCTIONABLE

# What tells of which frames a score is.
FRAMES = ('data', 'generator', 'recipe', 'split', 'seed', 'frames', 'unlabelled')


class Score(NamedTuple):
    """A model, its pooled IoU of suctionable in 0..1, and of which frames that is."""

    model: Model
    iou: float
    frames: dict


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add what can be chosen."""
    parser.description = __doc__
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument('measured', type=Path, help='JSON of bench engines or bench networks')
    parser.add_argument('--out', type=Path, required=True, help='the SVG to write')
    parser.add_argument('--evaluated', type=Path, help='JSON of rganet evaluate')
    parser.add_argument('--models', type=Path, help='folder of models and cards (the shipped)')
    parser.add_argument('--scores', default='scores', help='entry of the cards (scores)')
    parser.add_argument('--engine', default='openvino', help='of the bench (openvino)')
    parser.add_argument(
        '--relative-to', metavar='MODEL', help='times as multiples of the time of this one'
    )


def run(args: argparse.Namespace) -> int:
    """Draw; returns the exit status."""
    bench = measured(args.measured)
    scores = evaluated(args.evaluated) if args.evaluated else of_cards(
        args.models or models.share('models'), args.scores
    )  # fmt: skip
    times = {each.model.name: time_of(each.model, bench, args.engine) for each in scores}
    for name, row in times.items():
        if row is None:
            print(f'left out: {args.measured} has no time of {name} in {args.engine}')
    drawn = [(times[each.model.name], each) for each in scores if times[each.model.name]]
    if not drawn:
        raise ValueError(f'{args.measured} has no time of any model that has scores')
    _check_frames([score for _, score in drawn])
    unit, divisor = 'milliseconds', 1.0
    if args.relative_to:
        unit, divisor = f'time beside {args.relative_to}', _time(drawn, args.relative_to)
    threads = {str(row['threads']) for row, _ in drawn}
    across = f'{unit}, median, {args.engine}, threads: {", ".join(sorted(threads))}'
    points = [(row['median_ms'] / divisor, 100 * s.iou, s.model.name) for row, s in drawn]
    frames = drawn[0][1].frames.get('frames')
    up = f'IoU of suctionable over {frames} frames, %'
    write_file(args.out, html.scatter(points, across, up).encode())
    rows = [(name, f'{x:.2f} · {y:.1f} %') for x, y, name in points]
    report.print_table(f'{unit} · IoU of suctionable', rows)
    return 0


def measured(path: Path) -> dict:
    """Read what `rganet bench engines` or `networks` wrote; ValueError on anything else."""
    found = _read(path)
    rows = found.get('rows') if isinstance(found, dict) else None
    if not _are_rows(rows, 'engine', 'precision', 'threads', 'median_ms'):
        raise ValueError(f'{path} is not what rganet bench engines or networks writes: give that')
    return found


def of_cards(folder: Path, entry: str) -> list[Score]:
    """Read the scores in the cards of a folder; a card without that entry is left out."""
    found = []
    for path in sorted(folder.glob('*.onnx')):
        model = models.find(path)
        if 'iou' in (said := model.card.get(entry) or {}):
            found.append(_score(model, said))
        else:
            print(f'left out: the card of {model.name} has no {entry!r}')
    if not found:
        raise ValueError(f'no card in {folder} has scores under {entry!r}')
    return found


def evaluated(path: Path) -> list[Score]:
    """Read what `rganet evaluate` wrote of model files; of checkpoints there is no engine."""
    found = _read(path)
    rows = found if isinstance(found, list) else [found]
    if not _are_rows(rows, 'model', 'data', 'split'):
        raise ValueError(f'{path} is not what rganet evaluate writes: give that with --evaluated')
    rows = [row for row in rows if 'iou' in row]
    kept = [row for row in rows if not row['model'].endswith('.safetensors')]
    return [_score(models.find(row['model']), row) for row in kept if row['model'] != 'normals']


def time_of(model: Model, bench: dict, engine: str) -> dict | None:
    """Find the row of a bench for a model in an engine, in the precision of its file; or None."""
    for row in bench['rows']:
        if (row['engine'], row['precision']) == (engine, precision_of(model)):
            same_file = row.get('model_sha256') == model.sha256
            same_network = row.get('network') == model.card['network'] and not model.card['depth']
            same_size = bench.get('size') == model.card['size']
            if same_file or (same_network and same_size):
                return row
    return None


def _score(model: Model, said: dict) -> Score:
    # The scores of a training do not say it: they are of the test split of the model's data.
    test = model.card.get('data', {}).get('splits', {}).get('test', {})
    known = said if 'split' in said else test | said
    frames = {key: known[key] for key in FRAMES if key in known}
    return Score(model, said['iou'][SUCTIONABLE], frames)


def _check_frames(scores: list[Score]) -> None:
    """Refuse scores of different frames: a plot would set beside each other what is not."""
    first = scores[0]
    for each in scores[1:]:
        differ = [key for key in FRAMES if each.frames.get(key) != first.frames.get(key)]
        if differ or set(each.frames) <= {'frames'}:
            why = f'they differ in {", ".join(differ)}' if differ else 'no card says which'
            raise ValueError(
                f'{first.model.name} and {each.model.name} are not known to be scored on the same '
                f'frames, {why}: choose another entry with --scores, or score them together with '
                'rganet evaluate and give --evaluated'
            )


def _time(drawn: list[tuple[dict, Score]], name: str) -> float:
    for row, score in drawn:
        if score.model.name == name:
            return row['median_ms']
    has = ', '.join(score.model.name for _, score in drawn)
    raise ValueError(f'--relative-to {name}: it is not in the plot, which has {has}')


def _are_rows(rows, *keys: str) -> bool:
    """Say whether something of a JSON file is a list of objects that all have these keys."""
    return isinstance(rows, list) and all(
        isinstance(row, dict) and set(keys) <= set(row) for row in rows
    )


def _read(path: Path):
    try:
        return json.loads(path.read_text(encoding='utf-8'))
    except json.JSONDecodeError as error:
        raise ValueError(f'{path} is not JSON: {error}') from None
