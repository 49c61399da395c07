"""`rganet models`: the shipped models, as their cards say; keeps models/README.md's table true."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

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
    for model in found:
        table.add_row(*row(model))
    Console().print(table)
    return 0


def shipped(folder: Path) -> list[Model]:
    """Find the models of a folder, by name."""
    return [models.find(path) for path in sorted(folder.glob('*.onnx'))]


def row(model: Model) -> tuple[str, ...]:
    """Say of a model what HEADS ask for: scores of suctionable last, on what it was held out."""
    card, scores = model.card, model.card.get('scores', {})
    height, width = card['size']
    depth = ', depth' if card['depth'] else ''
    pair = (scores.get(name, [None])[-1] for name in ('precision', 'recall'))
    return (
        model.name,
        card['network'],
        f'{width}x{height} colour{depth}',
        ' / '.join(map(_share, scores.get('iou', []))) or '-',
        ', '.join(map(_share, pair)),
        str(scores.get('frames', '-')),
        f'{card.get("cup", "")} {card["cup_radius"] * 1000:g} mm'.strip(),
        f'{model.onnx.stat().st_size / 1e6:.1f}',
        model.sha256[:16],
    )


def page(text: str, found: Iterable[Model]) -> str:
    """Put the table, and the commands that made each model, between the marks of a page."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f'the page has no {BEGIN} ... {END} to write the table between')
    found = list(found)
    lines = ['', '| ' + ' | '.join(HEADS) + ' |', '|' + '---|' * len(HEADS)]
    lines += ['| ' + ' | '.join(row(model)) + ' |' for model in found]
    lines += ['', '```sh']
    for model in found:
        made, calibration = (model.card.get(name) or {} for name in ('made', 'calibration'))
        steps = made.get('command'), calibration.get('command'), made.get('export')
        lines += filter(None, steps)
    return '\n'.join([before + begin, *lines, '```', '', end + after])


def _share(value: float | None) -> str:
    return '-' if value is None else f'{value:.3f}'.lstrip('0')
