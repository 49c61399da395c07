"""What benches share: every case runs once in each turn, so that a busy moment hits all alike."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Hashable, Iterator, Sequence
import statistics
import time
from typing import TypeVar

from rganet_ros import report
from rganet_ros.models import Model
from rganet_ros.runtime import Backend, load, PRECISIONS
from rich.console import Console
from rich.progress import track

Case = TypeVar('Case', bound=Hashable)


def check(args: argparse.Namespace) -> None:
    """Refuse a number of turns that cannot be: ValueError."""
    if args.repeats < 1:
        raise ValueError(f'--repeats {args.repeats} must be 1 or more')


def engines(
    model: Model, asked: Sequence[str] | None, usual: Sequence[str], threads: int, device='auto'
) -> Iterator[Backend]:
    """
    Load a model into engines, each named NAME or NAME:PRECISION.

    One that was asked for and cannot run is refused: ValueError. Without any, the usual ones run;
    of those, what cannot run here is left out, and it says why.
    """
    for text in asked or usual:
        name, _, precision = text.partition(':')
        if precision not in ('', *PRECISIONS):
            known = ', '.join(PRECISIONS)
            raise ValueError(f'--engine {text}: no precision {precision!r}: ask for {known}')
        try:
            yield load(name, model, precision or 'model', threads, device, 'if_missing')
        except ValueError as error:
            if asked:
                raise
            Console().print(f'left out: {error}', highlight=False)


def times(runs: dict[Case, Callable[[], object]], repeats: int, what: str) -> dict[Case, list]:
    """Run every case once in each of so many turns; returns its milliseconds, by turn."""
    found: dict[Case, list[float]] = {case: [] for case in runs}
    for _ in track(range(repeats), what, transient=True):
        for case, once in runs.items():
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
