"""What benches share: every case runs once in each turn, so that a busy moment hits all alike."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Hashable, Iterator, Sequence
import statistics
import time
from typing import TypeVar

from rganet_ros import report
from rganet_ros.bench.host import host
from rganet_ros.models import Model
from rganet_ros.runtime import Backend, load, MIXED, PRECISIONS
from rich import box
from rich.console import Console
from rich.progress import track
from rich.table import Table

# Seconds before each run: the threads of a library that ran before it spin on for some
# milliseconds, and take a core each of whoever is next.
PAUSE = 0.01
Case = TypeVar('Case', bound=Hashable)


def check(args: argparse.Namespace) -> None:
    """Refuse a number of turns that cannot be: ValueError."""
    if args.repeats < 1:
        raise ValueError(f'--repeats {args.repeats} must be 1 or more')


def engines(
    model: Model, asked: Sequence[str] | None, usual: Sequence[str], threads: int, device='auto',
    cache='',
) -> Iterator[Backend]:  # fmt: skip
    """
    Load a model into engines, each named NAME or NAME:PRECISION.

    One that was asked for and cannot run is refused: ValueError. Without any, the usual ones run;
    of those, what cannot run here is left out, and it says why.
    """
    for text in asked or usual:
        name, _, precision = text.partition(':')
        if precision not in ('', *PRECISIONS, MIXED):
            known = ', '.join((*PRECISIONS, MIXED))
            raise ValueError(f'--engine {text}: no precision {precision!r}: ask for {known}')
        try:
            yield load(name, model, precision or 'model', threads, device, 'if_missing', cache)
        except ValueError as error:
            if asked:
                raise
            Console().print(f'left out: {error}', highlight=False)


def write(args: argparse.Namespace, rows: list[dict], **more) -> None:
    """Write the machine, the command, what else is known and the rows to --out, if it is given."""
    if args.out:
        about = {'host': host(), 'command': args.command}
        report.write_json(args.out, about | more | {'rows': rows})


def times(runs: dict[Case, Callable[[], object]], repeats: int, what: str) -> dict[Case, list]:
    """Run every case once in each of so many turns; returns its milliseconds, by turn."""
    found: dict[Case, list[float]] = {case: [] for case in runs}
    for _ in track(range(repeats), what, transient=True):
        for case, once in runs.items():
            time.sleep(PAUSE)
            start = time.perf_counter()
            once()
            found[case].append((time.perf_counter() - start) * 1e3)
    return found


def figures(values: Sequence[float]) -> dict[str, float]:
    """Sum up the milliseconds of a case: least_ms, median_ms, p95_ms, p99_ms."""
    tails = report.percentiles(values, (95, 99))
    found = {'least': min(values), 'median': statistics.median(values), **tails}
    return {f'{name}_ms': round(value, 2) for name, value in found.items()}


def beside(row: dict, first: dict) -> dict:
    """Give the ratio of two medians, and all that is known of the case it is taken to."""
    known = ('engine', 'formulation', 'precision', 'threads', 'median_ms')
    against = {name: first[name] for name in known}
    return {'ratio': round(row['median_ms'] / first['median_ms'], 3), 'against': against}


def table(title: str, rows: Sequence[dict], of: str, name: Callable, **more: Callable) -> Table:
    """
    Lay out cases below what they are of (rows[...][of]): name, times, ratio, and more columns.

    name, more  what a row has in that column, as text
    """
    threads = {row['engine']: row['threads'] for row in rows}
    words = ', '.join(f'{engine} {count}' for engine, count in threads.items())
    laid = Table(title=f'{title}; threads: {words}', box=box.SIMPLE)
    laid.add_column('', no_wrap=True)
    for head in ('median', 'p95', 'p99', 'ratio', *more):
        laid.add_column(head, justify='right')
    for index, row in enumerate(rows):
        if index == 0 or row[of] != rows[index - 1][of]:
            laid.add_row(row[of])
        laid.add_row(
            f'  {name(row)}',
            *(f'{row[f"{key}_ms"]:.1f}' for key in ('median', 'p95', 'p99')),
            f'{row["ratio"]:.2f}',
            *(text(row) for text in more.values()),
        )
    return laid
