"""
`rganet bench node`: the node end to end, over ROS, as ros2_benchmark measures.

A camera, the node and a listener run as three processes. First the peak rate is searched: the
highest at which at most 5 % of what is sent is lost. Then the peak and the fixed rates below it
are measured in turns. Latency is from the stamp of the picture, which is set when it is sent, to
the arrival of its candidates. Sets (picture, depth, camera_info) come from a bag, from memory.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager
import math
from pathlib import Path
import signal
import tempfile

import numpy as np
from rganet_ros import bag, models, report
from rganet_ros.bench import turns
from rganet_ros.bench.cell import Cell, Trial
from rganet_ros.node.camera import sets_of
from rganet_ros.node.processes import environment, node_arguments, Processes
from rich import box
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

RATES = (10.0, 30.0, 60.0)
LOSS = 0.05  # of what is sent; also how far the camera may stay below the rate it was asked for
CAPTION = (
    'p50, p95, p99: milliseconds from the stamp to the arrival of the candidates; jitter: mean\n'
    'difference of two that follow each other; CPU: of the node, of one core, and its\n'
    'milliseconds of processor a frame.'
)
FIRST, LEAST, STEP = 5.0, 0.5, 1.05  # Hz, Hz; and how near the search goes, as a ratio


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add what can be chosen."""
    parser.description = __doc__
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument('model', nargs='?', default=models.RGBD, help=f'({models.RGBD})')
    parser.add_argument('--bag', type=Path, help='a bag of your own (a shipped one)')
    parser.add_argument('--backend', default='auto', help="the node's parameter (auto)")
    parser.add_argument('--device', default='auto', help="the node's parameter (auto)")
    parser.add_argument('--precision', default='model', help="the node's parameter (model)")
    parser.add_argument('--threads', type=int, default=0, help="the node's parameter (0)")
    parser.add_argument('--hz', type=float, nargs='+', default=RATES, help='fixed (10 30 60)')
    parser.add_argument('--most', type=float, default=120.0, help='Hz, end of the search (120)')
    parser.add_argument('--seconds', type=float, default=5.0, help='of each trial (5)')
    parser.add_argument('--repeats', type=int, default=3, help='trials at each rate (3)')
    parser.add_argument('--out', type=Path, help='write the figures to this JSON file as well')


def run(args: argparse.Namespace) -> int:
    """Search the peak, then measure; nothing stays behind, also where it is interrupted."""
    _check(args)
    path = args.bag or models.share('demo') / 'clutter'
    sets_of(path, 1)  # refused here rather than in the camera
    topics = bag.find_topics(path)
    chosen = ('model', 'backend', 'device', 'precision', 'threads')
    parameters = {name: getattr(args, name) for name in chosen} | {'build_engine': 'if_missing'}
    if Path(args.model).exists():
        parameters['model'] = Path(args.model).resolve()
    words = node_arguments(parameters, topics)
    with (
        _terminated_as_interrupted(),
        tempfile.TemporaryDirectory() as logs,
        Processes(Path(logs), environment()) as processes,
        Progress(transient=True) as bars,
    ):
        bar = bars.add_task('the node loads its model', total=None)
        cell = Cell(processes, path, words)

        def trial(hz: float) -> Trial:
            found = cell.trial(hz, args.seconds)
            bars.console.print(f'{hz:7.2f} Hz  {found.loss:6.1%} lost', highlight=False)
            return found

        bars.update(bar, description='the peak is searched')
        cell.trial(FIRST, 1.0)  # warms up
        search: list[Trial] = []

        def holds(hz: float) -> bool:
            search.append(trial(hz))
            return _held(search[-1])

        peak = find_peak(holds, args.most)
        rates = sorted({*(hz for hz in args.hz if hz <= peak), *filter(None, [peak])})
        bars.update(bar, description='measuring', total=args.repeats * len(rates))
        trials: dict[float, list[Trial]] = {hz: [] for hz in rates}
        for _ in range(args.repeats):
            for hz in rates:
                trials[hz].append(trial(hz))
                bars.advance(bar)
        about = cell.describe()
        cell.close()
    rows = [_row(hz, found) for hz, found in trials.items()]
    said = sentences(peak, args, search)
    Console().print(_table(rows, about, args))
    print(CAPTION)
    for sentence in [*said, *map(_dropped, rows)]:
        print(sentence)
    tried = [{'hz': each.hz, 'sent_hz': each.sent_hz, 'loss': each.loss} for each in search]
    turns.write(
        args, rows, node=about, bag=path, depth=bool(topics.depth), listened_to='candidates',
        peak_hz=peak, search=tried, said=said,
    )  # fmt: skip
    return 0 if peak else 1


def _check(args: argparse.Namespace) -> None:
    turns.check(args)
    for name in ('seconds', 'most'):
        if not getattr(args, name) > 0:
            raise ValueError(f'--{name} {getattr(args, name):g} must be more than 0')
    if not min(args.hz) > 0:
        raise ValueError(f'--hz {min(args.hz):g} must be more than 0')


@contextmanager
def _terminated_as_interrupted():
    """Let SIGTERM end what runs as Ctrl-C does."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _held(trial: Trial) -> bool:
    return trial.loss <= LOSS and trial.sent_hz >= (1 - LOSS) * trial.hz


def find_peak(holds: Callable[[float], bool], most: float) -> float:
    """
    Find the highest rate that holds, to within STEP; 0 where none from LEAST on does.

    It doubles until one does not (or halves until one does), and then halves the ratio between.
    """
    hz, low, high = min(FIRST, most), 0.0, math.inf
    while True:
        if holds(hz):
            low = hz
        else:
            high = hz
        if low >= most or high <= LEAST or (low and high / low <= STEP):
            return low
        if high == math.inf:
            hz = min(2 * hz, most)
        elif low:
            hz = math.sqrt(low * high)
        else:
            hz = max(hz / 2, LEAST)


def sentences(peak: float, args: argparse.Namespace, search: list[Trial]) -> list[str]:
    """Say what the peak is, and what was left out and why."""
    slow = [each.hz for each in search if each.sent_hz < (1 - LOSS) * each.hz]
    if not peak:
        return [f'More than {LOSS:.0%} is lost at {LEAST:g} Hz: nothing was measured.']
    said = [f'The peak, with at most {LOSS:.0%} lost, is {peak:.1f} Hz.']
    if peak >= args.most:
        said = [f'At {peak:g} Hz, where the search ended, at most {LOSS:.0%} is lost: see --most.']
    if slow:
        said.append(f'From {min(slow):.1f} Hz on the camera could not keep its rate here.')
    if left := sorted(hz for hz in args.hz if hz > peak):
        words = ', '.join(f'{hz:g}' for hz in left)
        said.append(f'Left out, as they are above the peak: {words} Hz.')
    return said


def _dropped(row: dict) -> str:
    words = ', '.join(f'{count} {reason}' for reason, count in row['dropped'].items())
    return f'Dropped at {row["hz"]:g} Hz: {words or "nothing"}.'


def jitter(latencies: list[float]) -> float:
    """Give the mean difference of the latencies of two frames that followed each other."""
    return float(np.abs(np.diff(latencies)).mean()) if len(latencies) > 1 else 0.0


def _row(hz: float, trials: list[Trial]) -> dict:
    """Sum up the trials at a rate."""
    latencies = [value for each in trials for value in each.latencies]
    sent, dropped = sum(each.sent for each in trials), Counter()
    for each in trials:
        dropped.update(each.dropped)
    frames = max(1, len(latencies))
    return {
        'hz': round(hz, 2),
        'sent_hz': [round(each.sent_hz, 2) for each in trials],
        'sent': sent,
        'answered': len(latencies),
        'loss': round((sent - len(latencies)) / sent, 4),
        'latency_ms': report.percentiles(latencies, (50, 95, 99)),
        'jitter_ms': round(float(np.mean([jitter(each.latencies) for each in trials])), 2),
        'dropped': dict(dropped),
        'cpu_percent': round(float(np.mean([each.cpu for each in trials])), 1),
        'cpu_ms_per_frame': round(1e3 * sum(each.busy for each in trials) / frames, 1),
        'rss_mb': round(max(each.rss_mb for each in trials), 1),
        'shared_mb': round(max(each.shared_mb for each in trials), 1),
        'candidates_per_frame': round(sum(each.candidates for each in trials) / frames, 2),
    }


def _table(rows: list[dict], about: dict[str, str], args: argparse.Namespace) -> Table:
    shown = ('model', 'backend', 'device', 'precision', 'threads')
    words = ', '.join(f'{key} {about[key]}' for key in shown if key in about)
    table = Table(title=f'{words}; {args.repeats} trials of {args.seconds:g} s', box=box.SIMPLE)
    for head in ('Hz', 'sent', 'lost', 'p50', 'p95', 'p99', 'jitter', 'CPU', 'ms', 'MB'):
        table.add_column(head, justify='right')
    for row in rows:
        values = [*row['latency_ms'].values(), row['jitter_ms']]
        table.add_row(
            f'{row["hz"]:g}',
            str(row['sent']),
            f'{row["loss"]:.1%}',
            *('-' if value is None else f'{value:.1f}' for value in values),
            f'{row["cpu_percent"]:.0f}%',
            f'{row["cpu_ms_per_frame"]:.0f}',
            f'{row["rss_mb"]:.0f}',
        )
    return table
