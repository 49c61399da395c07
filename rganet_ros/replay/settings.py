"""What a replay was asked for: options of the command line, of a YAML file, and the defaults."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from rganet_ros.candidates import CandidateOptions
from rganet_ros.options import make, options_of, read_yaml
from rganet_ros.predictor import PredictorOptions
from rganet_ros.rectify import LensOptions
from rganet_ros.region import RegionOptions

GROUPS = (PredictorOptions, CandidateOptions, RegionOptions, LensOptions)


@dataclass(frozen=True)
class Settings:
    """
    Options of each kind.

    predictor  plain, by name: without a model in them the frames decide
    """

    predictor: dict
    candidates: CandidateOptions
    limits: RegionOptions
    lens: LensOptions


def settings(args: argparse.Namespace) -> Settings:
    """Merge what was given, the command line before the file; ValueError where it is wrong."""
    read = read_params(args.params) if args.params else [{} for _ in GROUPS]
    # Nobody waits for a replay with a time limit, as managers do for a node.
    predictor, candidates, limits, lens = {'build_engine': 'if_missing'} | read[0], *read[1:]
    if args.backend:
        predictor['backend'] = args.backend
    if args.model != 'auto':
        predictor['model'] = args.model
    if args.background is not None:
        limits['background_depth'] = args.background
    lens |= {name: True for name in options_of(LensOptions) if getattr(args, name)}
    return Settings(
        predictor, make(CandidateOptions, candidates), make(RegionOptions, limits),
        make(LensOptions, lens),
    )  # fmt: skip


def read_params(path: Path) -> list[dict]:
    """
    Read options from YAML: plain, or a node's parameter file (name: ros__parameters: ...).

    Returns those of each of GROUPS; parameters that only the node has are left out. Raises
    ValueError on an unknown name in plain YAML.
    """
    content = read_yaml(path)
    node = [v['ros__parameters'] for v in content.values() if _is_node(v)]
    values = {k: v for part in node for k, v in part.items()} if node else content
    names = [set(options_of(group)) for group in GROUPS]
    unknown = set(values) - set().union(*names)
    if unknown and not node:
        raise ValueError(f'{path}: unknown option {", ".join(sorted(unknown))}')
    return [{k: v for k, v in values.items() if k in part} for part in names]


def _is_node(value) -> bool:
    return isinstance(value, dict) and 'ros__parameters' in value
