"""`rganet bench metrics`: milliseconds of the scores of a picture, MGRID against a plain loop."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
import statistics

import cv2
import numpy as np
from rganet_ros.bench import turns
from rganet_ros.metrics import confusion, scores
from rganet_ros.mgrid import cells, DEFAULT, gamma, mgrid
from rganet_ros.top_precision import top_counts
from rich.console import Console
from rich.table import Table

PICTURES = 367  # of Zeng's test split
SIZE = 480, 640


def pictures(count: int, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Draw answers (H, W) float32 0..1 and truths, class ids: blobs that nearly agree."""
    random, found = np.random.default_rng(seed), []
    for _ in range(count):
        noise = random.random((2, 30, 40), np.float32)
        noise[1] += noise[0]
        smooth = [cv2.resize(each, SIZE[::-1], interpolation=cv2.INTER_CUBIC) for each in noise]
        truth = np.where(smooth[1] > 1.4, 2, smooth[1] > 1).astype(np.uint8)
        found.append((smooth[0].clip(0, 1), truth))
    return found


def looped(said: np.ndarray, true: np.ndarray) -> float:
    """Score MGRID as its definition reads: cell by cell."""
    found = []
    for row in range(0, said.shape[0], DEFAULT.cell):
        for column in range(0, said.shape[1], DEFAULT.cell):
            place = slice(row, row + DEFAULT.cell), slice(column, column + DEFAULT.cell)
            hit = (said[place] & true[place]).sum()
            claimed, there = said[place].sum(), true[place].sum()
            if claimed + there:
                beta2 = DEFAULT.beta**2
                found.append((1 + beta2) * hit / (beta2 * there + claimed))
    return float(gamma(np.array(found)).mean())


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add what can be chosen."""
    parser.add_argument('--repeats', type=int, default=3, help='times each case is run (3)')
    parser.add_argument('--pictures', type=int, default=PICTURES, help=f'of each ({PICTURES})')
    parser.add_argument('--seed', type=int, default=0, help='seed of the pictures (0)')
    parser.add_argument('--out', type=Path, help='write the figures to this JSON file as well')


def run(args: argparse.Namespace) -> int:
    """Time every score over all pictures in turns, on one thread."""
    turns.check(args)
    cv2.setNumThreads(1)
    drawn = pictures(args.pictures, args.seed)
    pairs = [(affordance > 0.6, truth == 2) for affordance, truth in drawn]
    labelled = [(np.where(said, 2, truth > 0).astype(np.uint8), truth)
                for (said, _), (_, truth) in zip(pairs, drawn)]  # fmt: skip
    both = [[each(*pair) for pair in pairs] for each in (mgrid, looped)]
    cases = {
        'MGRID': (mgrid, pairs),
        'MGRID, a plain double loop': (looped, pairs),
        'Top-1, 1, 5 and 10 %': (top_counts, drawn),
        'confusion matrix and its scores': (lambda *pair: scores(confusion(*pair, 3)), labelled),
    }
    runs = {name: partial(_all, *case) for name, case in cases.items()}
    times = {name: statistics.median(each) / 1e3
             for name, each in turns.times(runs, args.repeats, 'metrics').items()}  # fmt: skip
    rows = [
        {'score': name, 'seconds': seconds, 'ratio': seconds / times['MGRID']}
        for name, seconds in times.items()
    ]
    counted = statistics.mean(len(cells(*pair)) for pair in pairs)
    table = Table(
        title=f'{args.pictures} pictures of {SIZE[0]}x{SIZE[1]}, one thread, median of '
        f'{args.repeats} turns',
        caption=f'{counted:.0f} cells of MGRID a picture; loop and arrays differ by '
        f'{np.abs(np.subtract(*both)).max():.0e} at most.',
    )
    for head in ('score', 'seconds', 'ratio'):
        table.add_column(head, justify='left' if head == 'score' else 'right')
    for row in rows:
        table.add_row(row['score'], f'{row["seconds"]:.3f}', f'{row["ratio"]:.1f}')
    Console().print(table)
    turns.write(args, rows, pictures=args.pictures)
    return 0


def _all(function, pairs) -> None:
    for pair in pairs:
        function(*pair)
