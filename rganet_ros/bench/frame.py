"""
`rganet bench frame`: what the node does around the engine, on one core, by stage.

The demonstration's frames, RGB-D, from messages to messages, with the engine's answers known
beforehand; without the time that DDS takes. The processor's own time is given beside the clock's:
a busy machine does not stretch it as much. Markers are not in the sum: the node makes them only
while someone looks.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from itertools import islice
from pathlib import Path
import time

import cv2
import numpy as np
from rganet_ros import bag, decode, models, report
from rganet_ros.bench import turns
from rganet_ros.candidates import CandidateOptions, find_candidates
from rganet_ros.letterbox import model_inputs, undo
from rganet_ros.node import encode
from rganet_ros.runtime import load
from rich.console import Console
from rich.table import Table

STAGES = ('decode', 'letterbox', 'undo', 'candidates', 'encode', 'all', 'markers')


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add what can be chosen."""
    parser.add_argument('--frames', type=int, default=8, help='of the demonstration (8)')
    parser.add_argument('--repeats', type=int, default=20, help='times each is run (20)')
    parser.add_argument('--out', type=Path, help='write the figures to this JSON file as well')


def run(args: argparse.Namespace) -> int:
    """Time every stage on every frame."""
    turns.check(args)
    cv2.setNumThreads(1)
    answered = _answered(args.frames)
    wall, spent = defaultdict(list), defaultdict(list)
    found = 0
    for turn in range(args.repeats + 1):
        for messages, answer, size in answered:
            marks, found = _once(messages, answer, size)
            if turn:  # the first warms up
                for place, times in enumerate((wall, spent)):
                    steps = np.diff([mark[place] for mark in marks]) * 1e3
                    *steps, markers = steps.tolist()
                    for stage, value in zip(STAGES, [*steps, sum(steps), markers]):
                        times[stage].append(value)
    rows = [
        {'stage': stage}
        | {f'{k}_ms': v for k, v in report.percentiles(wall[stage], (50, 95, 99)).items()}
        | {'processor_ms': round(float(np.median(spent[stage])), 2)}
        for stage in STAGES
    ]
    table = Table(title=f'around the engine, one core, {len(wall["all"])} frames, milliseconds')
    for head in ('stage', 'p50', 'p95', 'p99', 'processor, p50'):
        table.add_column(head, justify='left' if head == 'stage' else 'right')
    for row in rows:
        table.add_row(*(value if isinstance(value, str) else f'{value:.2f}'
                        for value in row.values()))  # fmt: skip
    table.caption = f'the last frame has {found} candidates'
    Console().print(table)
    turns.write(args, rows)
    return 0


def _answered(count: int) -> list[tuple]:
    """List (messages, the engine's answer, the model's size) of some frames."""
    path = models.share('demo') / 'clutter'
    topics = bag.find_topics(path)
    model = models.find(models.RGBD)
    size = tuple(model.card['size'])
    engine = load('onnxruntime', model)
    sets: dict[str, list] = defaultdict(list)
    for message in bag.messages(path, topics[:3]):
        sets[message.topic].append(bag.deserialize(message))
    answered = []
    for messages in islice(zip(*(sets[topic] for topic in topics[:3])), count):
        frame = decode.frame(*messages)
        given, _ = model_inputs(frame.rgb, frame.depth, size)
        answered.append((messages, engine.run(given, engine.new_state()), size))
    engine.close()
    return answered


def _once(messages, answer, size) -> tuple[list[tuple[float, float]], int]:
    """Do it all once; returns (clock, processor) at each border of stages, how many candidates."""
    marks = []

    def mark():
        marks.append((time.perf_counter(), time.thread_time()))

    mark()
    frame = decode.frame(*messages)
    mark()
    _, spot = model_inputs(frame.rgb, frame.depth, size)
    mark()
    affordance = undo(answer['affordance'][0], spot)
    undo(answer['labels'][0], spot, nearest=True)
    mark()
    found = find_candidates(affordance, frame.depth, frame.camera, CandidateOptions())
    mark()
    header = encode.Header()
    encode.cloud(header, found)
    poses = encode.poses(header, found)
    encode.best(poses)
    encode.picture(header, affordance, '32FC1')
    mark()
    encode.markers(header, poses, 0.015)
    mark()
    return marks, len(found)
