"""`rganet networks`: every network, what was published of it, and what it costs as built here."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NamedTuple

from rganet_ros.networks import NETWORKS
from rganet_ros.networks.count import count
from rich.console import Console
from rich.progress import track
from rich.table import Table


class Row(NamedTuple):
    """A line of the table, as text."""

    name: str
    parameters: str
    multiply_adds: str
    counted_at: str
    published: str
    status: str


HEADS = Row('network', 'parameters', 'mul-adds', 'counted at', 'published', 'standing')
CONVENTION = (
    'Parameters are those of inference: without auxiliary heads. Multiply-adds are those of '
    "convolutions and matrix products, by torch's FlopCounterMode over two, for one picture of "
    "the paper's height, width and number of classes; RGANet's in the published form of its "
    "attention. What was published is in each paper's own accounting."
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add what can be chosen."""
    parser.add_argument('name', nargs='*', help='only those whose name begins so')
    parser.add_argument(
        '--page', type=Path, metavar='FILE', help='write the page of all networks, with drawings'
    )


def run(args: argparse.Namespace) -> int:
    """Print the table, or write the page."""
    names = [n for n in NETWORKS if not args.name or n.startswith(tuple(args.name))]
    if not names:
        raise ValueError(
            f'no network begins with {" or ".join(args.name)}: there are {", ".join(NETWORKS)}'
        )
    if args.page:
        from rganet_ros.catalogue.page import write

        write(args.page, rows(NETWORKS))
        return 0
    table = Table(caption=CONVENTION, caption_justify='left')
    for head in HEADS:
        text = head in HEADS[4:]
        table.add_column(head, justify='right' if head in HEADS[1:3] else 'left', no_wrap=not text)
    for row in rows(names):
        table.add_row(*row)
    Console().print(table)
    return 0


def rows(names) -> list[Row]:
    """Count networks."""
    found = []
    for name in track(list(names), 'counting', transient=True):
        variant, counted = NETWORKS[name][1], count(name)
        found.append(
            Row(
                name,
                f'{counted.parameters / 1e6:.3f} M',
                f'{counted.multiply_adds / 1e9:.2f} G',
                '{}x{}, {}'.format(*variant.size, variant.classes),
                variant.published,
                variant.status,
            )
        )
    return found
