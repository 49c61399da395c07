"""What a replay was asked for: options of the command line, of a YAML file, and the defaults."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from rganet_ros.candidates import CandidateOptions, EVERYWHERE
from rganet_ros.options import make, options_of, Range, read_yaml
from rganet_ros.predictor import PredictorOptions
from rganet_ros.rectify import LensOptions
from rganet_ros.region import RegionOptions


@dataclass(frozen=True)
class NodeOptions:
    """What else of the node's says which candidates there are."""

    depth: Annotated[bool, 'false: colour only, whatever depth there is'] = True
    tolerance: Annotated[
        float, Range(0, 1), 'largest difference of the stamps of colour and depth, seconds'
    ] = 0.02
    workspace_mask: Annotated[bool, 'true: there must be a mask, here that of --mask'] = False
    workspace_frame: Annotated[str, "frame of the box workspace, here ''"] = ''


GROUPS = (PredictorOptions, CandidateOptions, RegionOptions, LensOptions, NodeOptions)


@dataclass(frozen=True)
class Settings:
    """
    Options of each kind.

    predictor  plain, by name: without a model in them the frames decide
    depth      whether it is looked at
    tolerance  largest difference of the stamps of colour and depth, seconds
    """

    predictor: dict
    candidates: CandidateOptions
    limits: RegionOptions
    lens: LensOptions
    depth: bool
    tolerance: float


def settings(args: argparse.Namespace) -> Settings:
    """Merge what was given, the command line before the file; ValueError where it is wrong."""
    read = read_params(args.params) if args.params else [{} for _ in GROUPS]
    # Nobody waits for a replay with a time limit, as managers do for a node.
    predictor, candidates, limits, lens, node = {'build_engine': 'if_missing'} | read[0], *read[1:]
    if args.backend:
        predictor['backend'] = args.backend
    if args.model != 'auto':
        predictor['model'] = args.model
    if args.background is not None:
        limits['background_depth'] = args.background
    lens |= {name: True for name in options_of(LensOptions) if getattr(args, name)}
    options = make(NodeOptions, node)
    found = Settings(
        predictor, make(CandidateOptions, candidates), make(RegionOptions, limits),
        make(LensOptions, lens), options.depth, options.tolerance,
    )  # fmt: skip
    _check(options, found.candidates, args.mask)
    return found


def _check(node: NodeOptions, candidates: CandidateOptions, mask: str) -> None:
    """Refuse what would give other candidates than the node's."""
    if node.workspace_frame and candidates.workspace != EVERYWHERE:
        raise ValueError(
            f'workspace_frame = {node.workspace_frame!r}: a replay knows the box workspace in the '
            'optical frame alone: leave both out of the file, or give the box in that frame'
        )
    if node.workspace_mask and not mask:
        raise ValueError(
            'workspace_mask = True: a replay takes the mask from a file: give it with --mask, or '
            'leave workspace_mask out of the file'
        )


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
