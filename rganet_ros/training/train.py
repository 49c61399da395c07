"""Train networks by a recipe; stopped at any moment, the same command goes on where it was."""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path
import sys

from lightning_fabric import Fabric
from rganet_ros.check import quick_check
from rganet_ros.options import make
from rganet_ros.training import origin
from rganet_ros.training.budget import within
from rganet_ros.training.config import read_recipe, Recipe, rows
from rganet_ros.training.data import Frames, read_splits
from rganet_ros.training.fit import fit
from rganet_ros.training.machine import ACCELERATORS, default_workers, open_fabric, processes_here
import torch

CHANGES = ('epochs', 'seed', 'batch', 'precision')  # fields of a recipe that are arguments as well


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.description = __doc__
    add = parser.add_argument
    add('--recipe', required=True, help='YAML, see config/train')
    add('--data', required=True, nargs='+', metavar='FOLDER[:WEIGHT]',
        help='data sets with splits train and test, or a YAML file of folder: weight')  # fmt: skip
    add('--out', required=True, type=Path, help='folder; goes on if it has a run')
    add('--network', nargs='+', metavar='NAME', default=[None],
        help="instead of the recipe's; several, or `all` the recipe has rows for, are trained one "
        'after another in out/NAME')  # fmt: skip
    add(
        '--init',
        help='start from the weights, where they fit, of a checkpoint or model (name or .onnx)',
    )
    add('--minutes', type=float, help="as many epochs as fit, each network; not the recipe's")
    for name, kind in zip(CHANGES, (int, int, int, str)):
        add(f'--{name}', type=kind, help="instead of the recipe's")
    add('--accelerator', choices=ACCELERATORS, default='auto', help='auto: a GPU if there is one')
    add('--devices', type=int, default=1, help='processes of a machine, a GPU each; 1')
    add('--nodes', type=int, default=1, help='machines; 1')
    add('--workers', type=int, help='processes that draw batches; 0, or with a GPU most cores')
    add('--compile', action='store_true', help='run the network through torch.compile')
    add('--threads', type=int, default=0, help='0: as many as torch chooses')


def run(args: argparse.Namespace) -> int:
    """Train; returns the exit status: 1 where one of several networks failed."""
    if args.threads:
        torch.set_num_threads(args.threads)
    changes = {k: getattr(args, k) for k in CHANGES if getattr(args, k) is not None}
    names = rows(args.recipe) if args.network == ['all'] else args.network
    recipes = {name: read_recipe(args.recipe, name, **changes) for name in names}
    if not recipes:
        raise ValueError(f'{args.recipe} has no rows under `networks`: give --network its names')
    fabric = open_fabric(args.accelerator, args.devices, args.nodes)
    threads = max(torch.get_num_threads(), default_workers(fabric))
    quick_check(args.data)
    train, test = read_splits(args.data, threads, processes_here(fabric))
    origin.check(train.card)
    failed = []
    for name, recipe in recipes.items():
        out = args.out / name if len(recipes) > 1 else args.out
        try:
            _train(recipe, train, test, out, fabric, args)
        except (ValueError, OSError, ImportError, RuntimeError) as error:  # of memory, too
            if len(recipes) == 1:
                raise
            failed.append(name)
            print(f'{name}: {error}', file=sys.stderr)
    return int(bool(failed))


def _train(recipe: Recipe, train: Frames, test: Frames, out: Path, fabric: Fabric, args) -> None:
    workers = default_workers(fabric) if args.workers is None else args.workers
    how = {'fabric': fabric, 'workers': workers, 'compiled': args.compile}
    if args.minutes is not None:
        # What was measured when it was begun stays, however fast the machine is now.
        epochs = fabric.broadcast(begun(out)) or within(args.minutes, recipe, train, test, **how)
        kept = {k: getattr(epochs, k) for k in ('epochs', 'evaluate_every')}
        recipe = dataclasses.replace(recipe, **kept)
    made = {'command': args.command, 'data': train.card}
    fit(recipe, train, test, out, init=args.init, made=made, **how)


def begun(out: Path) -> Recipe | None:
    """Give the recipe of the run in a folder, if there is one."""
    path = out / 'run.json'
    return make(Recipe, json.loads(path.read_text())['recipe']) if path.exists() else None
