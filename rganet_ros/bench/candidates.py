"""`rganet bench candidates`: milliseconds from affordance and depth to ranked candidates."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from rganet_ros.bench import turns
from rganet_ros.candidates import CandidateOptions, find_candidates
from rganet_ros.types import Camera
from rich.console import Console
from rich.table import Table

SIZES = ((320, 240), (640, 480), (1280, 720))


def scene(width: int, height: int, seed: int) -> tuple[np.ndarray, np.ndarray, Camera]:
    """
    Tilted box tops, 25 of them, on a floor at 0.6 m, with a sensor's noise and a quarter of zeros.

    returns  affordance (H, W) float32, high in the middle of the tops; depth (H, W) float32,
             metres; the camera
    """
    random = np.random.default_rng(seed)
    focal = 0.95 * width
    camera = Camera(focal, focal, (width - 1) / 2, (height - 1) / 2, width, height)
    v, u = np.mgrid[:height, :width].astype(np.float32)
    x, y = (u - camera.cx) / focal, (v - camera.cy) / focal
    inverse = np.full((height, width), 1 / 0.6, np.float32)
    affordance = np.zeros((height, width), np.float32)
    for _ in range(25):
        at = random.uniform((0.05, 0.05), (0.95, 0.95)) * (width, height)
        half, turn = random.uniform(0.02, 0.05, 2) * focal / 0.5, random.uniform(0, 180)
        mask, middle = (_rectangle((height, width), at, half * part, turn) for part in (2, 1))
        slope = random.uniform(-0.7, 0.7, 2)
        box = (1 + slope[0] * x + slope[1] * y) / random.uniform(0.45, 0.55)
        inverse[mask], affordance[mask] = box[mask], 0
        affordance[middle] = random.uniform(0.6, 1)
    depth = 1 / inverse
    depth += random.normal(size=depth.shape) * (0.0006 + 0.0014 * depth**2)
    depth = np.round(depth, 3) * (random.random(depth.shape) > 0.25)
    return cv2.blur(affordance, (5, 5)), depth.astype(np.float32), camera


def _rectangle(shape, centre, sides, turn: float) -> np.ndarray:
    corners = cv2.boxPoints((tuple(centre), tuple(sides), turn)).astype(np.int32)
    return cv2.fillConvexPoly(np.zeros(shape, np.uint8), corners, 1) > 0


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add what can be chosen."""
    parser.add_argument('--repeats', type=int, default=100, help='times each case is run (100)')
    parser.add_argument('--seed', type=int, default=0, help='seed of the scene (0)')
    parser.add_argument('--limit', type=int, default=20, help='most candidates of a frame (20)')
    parser.add_argument('--out', type=Path, help='write the figures to this JSON file as well')


def run(args: argparse.Namespace) -> int:
    """Time every case in turns, so that a busy moment hits all alike, on one thread."""
    turns.check(args)
    cv2.setNumThreads(1)
    options = CandidateOptions(limit=args.limit)
    cases = {}
    for width, height in SIZES:
        affordance, depth, camera = scene(width, height, args.seed)
        name = f'{width}x{height}'
        cases[f'{name} depth'] = (affordance, depth, camera, options)
        cases[f'{name} no depth'] = (affordance, None, None, options)
        if (width, height) == (640, 480):
            cases[f'{name} depth, all high'] = (np.ones_like(affordance), depth, camera, options)
            cases[f'{name} depth, all low'] = (affordance * 0, depth, camera, options)
    found = {name: len(find_candidates(*case)) for name, case in cases.items()}
    runs = {name: partial(find_candidates, *case) for name, case in cases.items()}
    times = turns.times(runs, args.repeats, 'candidates')
    rows = [
        {
            'case': name,
            'high': float((affordance >= options.min_affordance).mean()),
            'candidates': found[name],
        }
        | turns.figures(times[name])
        for name, (affordance, *_) in cases.items()
    ]
    table = Table(title=f'find_candidates, one thread, {args.repeats} turns, milliseconds')
    heads = ('median', 'p95', 'least')
    for head in ('case', 'high', 'candidates', *heads):
        table.add_column(head, justify='left' if head == 'case' else 'right')
    for row in rows:
        values = (f'{row[f"{head}_ms"]:.2f}' for head in heads)
        table.add_row(row['case'], f'{row["high"]:.0%}', str(row['candidates']), *values)
    Console().print(table)
    turns.write(args, rows)
    return 0
