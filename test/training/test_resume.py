"""A training that was killed, in a process of its own, at any moment, ends as if it had not."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from rganet_ros import networks
import torch

# Dropout (AttaNet's), workers and clipping: all that draws random numbers.
RECIPE = """
network: attanet-light
batch: 2
crop: [64, 64]
epochs: 60
precision: fp32
evaluate_every: 20
"""


def start(data, folder, out):
    """Begin, or go on."""
    arguments = ['--recipe', folder / 'recipe.yaml', '--data', data, '--out', out]
    # Every epoch is saved: a kill then falls between and into all that is written.
    code = (
        'import sys; from rganet_ros import cli; from rganet_ros.training import fit; '
        'fit.SAVE_EVERY = 0; sys.exit(cli.main(sys.argv[1:]))'
    )
    environment = os.environ | {'OMP_NUM_THREADS': '1', 'PYTHONPATH': os.pathsep.join(sys.path)}
    return subprocess.Popen(
        [sys.executable, '-c', code, 'train', *map(str, arguments), '--workers', '1'],
        env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def finish(process):
    said = process.communicate(timeout=300)[1]
    assert process.returncode == 0, said[-3000:]


def epochs(out):
    path = out / 'log.jsonl'
    return len(path.read_text().splitlines()) if path.exists() else 0


def starts(out):
    path = out / 'run.json'
    return json.loads(path.read_text())['sessions'] if path.exists() else []


@pytest.mark.slow
def test_a_killed_training_ends_bit_equal(data, tmp_path):
    (tmp_path / 'recipe.yaml').write_text(RECIPE)
    whole, killed = tmp_path / 'whole', tmp_path / 'killed'
    finish(start(data, tmp_path, whole))
    rng = np.random.default_rng()  # another moment each time
    for turn, least in enumerate((1, 4), 1):
        process = start(data, tmp_path, killed)
        while process.poll() is None and (len(starts(killed)) < turn or epochs(killed) < least):
            time.sleep(0.01)
        time.sleep(rng.uniform(0, 0.5))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL, 'it had ended before it was killed'
    finish(start(data, tmp_path, killed))
    ends = [networks.read_weights(out / 'network.safetensors') for out in (whole, killed)]
    assert all(torch.equal(ends[0][name], ends[1][name]) for name in ends[0])
    logs = [
        [
            json.loads(line) | {'seconds': 0}
            for line in (out / 'log.jsonl').read_text().splitlines()
        ]
        for out in (whole, killed)
    ]
    assert logs[0] == logs[1] and len(logs[0]) == 60
    begun = [each['after_epoch'] for each in starts(killed)]
    assert len(begun) == 3 and begun[0] == 0 < begun[2]  # the first kill may be before all saving
