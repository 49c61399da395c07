"""What benches share: every case runs once in each turn, so that a busy moment hits all alike."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Hashable
import time
from typing import TypeVar

from rich.progress import track

Case = TypeVar('Case', bound=Hashable)


def check(args: argparse.Namespace) -> None:
    """Refuse a number of turns that cannot be: ValueError."""
    if args.repeats < 1:
        raise ValueError(f'--repeats {args.repeats} must be 1 or more')


def times(runs: dict[Case, Callable[[], object]], repeats: int, what: str) -> dict[Case, list]:
    """Run every case once in each of so many turns; returns its milliseconds, by turn."""
    found: dict[Case, list[float]] = {case: [] for case in runs}
    for _ in track(range(repeats), what, transient=True):
        for case, once in runs.items():
            start = time.perf_counter()
            once()
            found[case].append((time.perf_counter() - start) * 1e3)
    return found
