"""`rganet models`: the shipped models, as their cards say; keeps models/README.md's table true."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from rganet_ros import models
from rganet_ros.dataset import write_file
from rganet_ros.models import Model
from rich.console import Console
from rich.table import Table

HEADS = 'model', 'network', 'input', 'IoU', 'precision, recall', 'frames', 'cup', 'MB', 'sha256'
BEGIN, END = '<!-- rganet models --page: begin -->', '<!-- end -->'


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.description = __doc__
    parser.add_argument('--page', type=Path, metavar='FILE', help='rewrite the table in this page')


def run(args: argparse.Namespace) -> int:
    """Print the table, or write it into the page; returns the exit status."""
    found = shipped(args.page.parent if args.page else models.share('models'))
    if args.page:
        write_file(args.page, page(args.page.read_text(encoding='utf-8'), found).encode())
        return 0
    table = Table()
    for head in HEADS:
        table.add_column(head, no_wrap=head == 'model')
    for entry in found:
        table.add_row(*row(entry))
    Console().print(table)
    return 0


class Entry(NamedTuple):
    """A model of the zoo: its card, and its file where that is there, too."""

    name: str
    card: dict
    file: Model | None


def shipped(folder: Path) -> list[Entry]:
    """Find the models of a folder, by name; raises what `models.find` does."""
    found = []
    names = {path.stem for path in folder.iterdir() if path.suffix in ('.onnx', '.json')}
    for name in sorted(names):
        onnx = folder / f'{name}.onnx'
        file = models.find(onnx) if onnx.exists() else None
        card = file.card if file else models.read_card(onnx.with_suffix('.json'))
        found.append(Entry(name, card, file))
    return found


def row(entry: Entry) -> tuple[str, ...]:
    """Say of a model what HEADS ask for: scores of suctionable last, on what it was held out."""
    name, card, file = entry
    again = [each for each in card if each.startswith('scores_generator_')]  # of a newer version
    scores = card[max(again)] if again else card.get('scores', {})
    height, width = card['size']
    depth = ', depth' if card['depth'] else ''
    pair = (scores.get(each, [None])[-1] for each in ('precision', 'recall'))
    return (
        name,
        card['network'],
        f'{width}x{height} colour{depth}',
        ' / '.join(map(_share, scores.get('iou', []))) or '-',
        ', '.join(map(_share, pair)),
        str(scores.get('frames', '-')),
        f'{card.get("cup", "")} {card["cup_radius"] * 1000:g} mm'.strip(),
        f'{file.onnx.stat().st_size / 1e6:.1f}' if file else 'not here',
        file.sha256[:16] if file else '',
    )


def page(text: str, found: Iterable[Entry]) -> str:
    """Put the table, and the commands that made each model, between the marks of a page."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f'the page has no {BEGIN} ... {END} to write the table between')
    found = list(found)
    lines = ['', '| ' + ' | '.join(HEADS) + ' |', '|' + '---|' * len(HEADS)]
    lines += ['| ' + ' | '.join(row(entry)) + ' |' for entry in found]
    steps = {}  # each once: one command trains several
    for entry in found:
        made, calibration = (entry.card.get(name) or {} for name in ('made', 'calibration'))
        commands = made.get('command'), calibration.get('command'), made.get('export')
        steps |= dict.fromkeys(filter(None, commands))
    return '\n'.join([before + begin, *lines, '', '```sh', *steps, '```', '', end + after])


def _share(value: float | None) -> str:
    return '-' if value is None else f'{value:.3f}'.lstrip('0')
