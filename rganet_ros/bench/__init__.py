"""Measure speed on this machine: `rganet bench candidates`, `engines`, `memory`, and others."""

from __future__ import annotations

import argparse
from importlib import import_module
import os

os.environ.setdefault('OPENBLAS_NUM_THREADS', '1')  # before numpy; as in the node

BENCHES = {
    'candidates': 'finding places for the cup, on a scene of known geometry',
    'engines': 'running a model, on each backend',
    'frame': 'what the node does around the engine',
    'memory': "what FANet's memory of past frames costs, by the length of its window",
    'metrics': 'scoring answers against labels: MGRID against a plain loop, Top-1',
    'networks': 'running any network, as published and as engines run it',
    'node': 'the node end to end: three processes, peak rate, latency, drops, CPU, memory',
    'plot': 'speed against accuracy, from the JSON of a bench and of an evaluation',
}


class _Parser(argparse.ArgumentParser):
    """The parser of one bench, imported when it is asked for: an engine may be missing."""

    def parse_known_args(self, args=None, namespace=None):
        """Add the bench's own arguments, then parse."""
        _module(self.prog.split()[-1]).arguments(self)
        return super().parse_known_args(args, namespace)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the benches."""
    benches = parser.add_subparsers(
        dest='bench', metavar='BENCH', required=True, parser_class=_Parser
    )
    for name, text in BENCHES.items():
        benches.add_parser(name, help=text, description=text)


def run(args: argparse.Namespace) -> int:
    """Run the bench that was asked for; returns its exit status."""
    return _module(args.bench).run(args)


def _module(name: str):
    return import_module(f'rganet_ros.bench.{name}')
