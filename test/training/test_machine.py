"""One process or several: the same training; and a machine that is not there is refused."""

import dataclasses
import json
import os
from pathlib import Path
import socket
import subprocess
import sys

import one_step
import pytest
from rganet_ros import cli
from rganet_ros.training.machine import default_workers, open_fabric
import torch

TORCHRUN = ['-m', 'torch.distributed.run', '--standalone', '--nproc-per-node', '2']
RECIPE = """
config: {blocks: [1, 1, 1, 1], reduced: 8}
batch: 4
crop: [64, 64]
epochs: 2
precision: fp32
"""


def environment():
    """Have other processes see what tests see, with one thread each."""
    return os.environ | {'OMP_NUM_THREADS': '1', 'PYTHONPATH': os.pathsep.join(sys.path)}


def python(*arguments):
    """Run Python as tests do; returns what it printed."""
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        env=environment(), capture_output=True, text=True, timeout=150,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def machines(folder, data, *more):
    """Train on two machines, each in a folder of its own; returns their exit statuses."""
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    running = []
    for rank in range(2):
        (folder / str(rank)).mkdir(exist_ok=True)
        join = ['--nnodes', '2', '--node-rank', str(rank), '--nproc-per-node', '1']
        join += ['--master-addr', '127.0.0.1', '--master-port', str(port)]
        train = ['-m', 'rganet_ros.cli', 'train', '--recipe', str(folder / 'tiny.yaml')]
        train += ['--data', str(data), '--out', 'run', '--accelerator', 'cpu', *more]
        running.append(
            subprocess.Popen(
                [sys.executable, '-m', 'torch.distributed.run', *join, *train],
                cwd=folder / str(rank), env=environment(),
            )
        )  # fmt: skip
    try:
        return [each.wait(150) for each in running]
    finally:
        for each in running:
            each.kill()


def test_two_processes_have_the_gradients_of_one_with_the_whole_batch(frames, tmp_path):
    found = []
    for name, launcher in {'shared': TORCHRUN, 'alone': []}.items():
        python(*launcher, Path(one_step.__file__), frames.root, tmp_path / name)
        found.append(torch.load(tmp_path / name, weights_only=True))
    for given, shared, alone in zip(one_step.LOSSES, *found, strict=True):
        assert torch.allclose(shared['loss'], alone['loss'], rtol=1e-5)
        for name, value in alone.items():
            error = (shared[name] - value).abs().max() / value.abs().max().clamp(min=1e-3)
            assert error < 1e-3, (given, name)


def test_batches_may_be_added_up_instead(frames):
    halves = dataclasses.replace(one_step.RECIPE, batch=2, accumulate=2, overlap=0.0, colour=0.0)
    found = one_step.gradients(halves, frames.root, open_fabric('cpu'))
    again = one_step.gradients(
        dataclasses.replace(halves, accumulate=1), frames.root, open_fabric('cpu')
    )
    assert found['loss'] != again['loss']  # it has seen more than the first batch
    assert all(torch.isfinite(value).all() for value in found.values())


def test_the_command_trains_in_two_processes(data, tmp_path):
    (tmp_path / 'tiny.yaml').write_text(RECIPE)
    given = ['--recipe', tmp_path / 'tiny.yaml', '--data', data, '--out', tmp_path / 'run']
    python('-m', 'rganet_ros.cli', 'train', *given, '--accelerator', 'cpu', '--devices', 2)
    assert len((tmp_path / 'run' / 'log.jsonl').read_text().splitlines()) == 2
    assert '"processes": 2' in (tmp_path / 'run' / 'run.json').read_text()


@pytest.mark.slow
def test_two_machines_go_on_from_what_the_first_has_written(data, tmp_path):
    (tmp_path / 'tiny.yaml').write_text(RECIPE)
    log = tmp_path / '0' / 'run' / 'log.jsonl'
    assert machines(tmp_path, data) == [0, 0]
    assert len(log.read_text().splitlines()) == 2 and not (tmp_path / '1' / 'run').exists()
    last = tmp_path / '0' / 'run' / 'last.pt'
    torch.save(torch.load(last) | {'epoch': 1}, last)  # as if it was stopped after one
    assert machines(tmp_path, data) == [0, 0]
    assert [json.loads(line)['epoch'] for line in log.read_text().splitlines()] == [1, 2]
    assert machines(tmp_path, data, '--seed', '1') == [1, 1]  # for both: another recipe


@pytest.mark.skipif(torch.cuda.is_available(), reason='there is a GPU')
def test_a_gpu_that_is_not_there_is_refused(tmp_path, capsys):
    (tmp_path / 'recipe.yaml').write_text('epochs: 1')
    given = ['--recipe', str(tmp_path / 'recipe.yaml'), '--data', 'none', '--out', str(tmp_path)]
    assert cli.main(['train', *given, '--accelerator', 'cuda']) == 2
    said = capsys.readouterr().err
    assert '1 GPU asked for' in said and 'sees no GPU' in said and len(said.splitlines()) == 1


def test_a_cpu_draws_its_own_batches():
    fabric = open_fabric('cpu')
    assert fabric.world_size == 1 and default_workers(fabric) == 0
