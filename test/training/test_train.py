"""The command: recipes from arguments, minutes, several networks."""

import json

import pytest
from rganet_ros import cli, networks
from rganet_ros.training.config import Recipe
from rganet_ros.training.train import begun

TINY = '{blocks: [1, 1, 1, 1], reduced: 8}'
TEXT = f"""
batch: 2
crop: [64, 64]
precision: fp32
epochs: 2
networks:
  fanet18: {{config: {TINY}}}
  with-depth: {{network: fanet18, config: {{blocks: [1, 1, 1, 1], depth: true}}}}
  lost: {{network: fanet18, crop: [33, 33], batch: 512}}
  bare: {{network: fanet-lite0, weights: none.safetensors}}
  last: {{network: fanet18, config: {TINY}}}
"""


@pytest.fixture
def train(data, tmp_path, capsys):
    (tmp_path / 'recipe.yaml').write_text(TEXT)

    def run(out, *more):
        given = ['--recipe', tmp_path / 'recipe.yaml', '--data', data, '--out', out, *more]
        status = cli.main(['train', *map(str, given), '--accelerator', 'cpu'])
        return status, capsys.readouterr()

    return run


def test_several_networks_are_trained_one_after_another(train, tmp_path):
    out = tmp_path / 'zoo'
    status, said = train(out, '--network', 'all', '--seed', '3')
    assert status == 1 and 'lost: 4 frames do not fill a batch of 512' in said.err
    assert 'bare: No such file or directory: none.safetensors' in said.err
    assert sorted(path.parent.name for path in out.glob('*/network.safetensors')) == [
        'fanet18', 'last', 'with-depth',
    ]  # fmt: skip
    assert networks.restore(out / 'with-depth' / 'network.safetensors').config.depth
    made = networks.notes(out / 'fanet18' / 'network.safetensors')['made']
    assert made['recipe']['seed'] == 3 and made['data_card']
    assert made['command'].startswith('rganet train --recipe ')


def test_minutes_become_epochs_that_the_run_keeps(train, tmp_path):
    out = tmp_path / 'run'
    given = '--network', 'fanet18', '--minutes'
    status, said = train(out, *given, '0.15')
    assert status == 0 and 'epochs in 0.15 minutes' in said.out
    first = begun(out)
    assert first.epochs >= 1 and first.evaluate_every == -(-first.epochs // 2)
    status, said = train(out, *given, '60')
    assert status == 0 and 'epochs in' not in said.out and begun(out) == first
    assert len((out / 'log.jsonl').read_text().splitlines()) == first.epochs
    # What was run is what this recipe gives, measured or not.
    (tmp_path / 'recipe.yaml').write_text(
        json.dumps(json.loads((out / 'run.json').read_text())['recipe'] | {'epochs': 1})
    )
    assert train(tmp_path / 'again')[0] == 0
    lines = [(path / 'log.jsonl').read_text().splitlines() for path in (out, tmp_path / 'again')]
    assert json.loads(lines[0][0])['loss'] == json.loads(lines[1][0])['loss']


def test_no_run_has_begun_in_an_empty_folder(tmp_path):
    assert begun(tmp_path) is None


def test_an_argument_out_of_bounds_is_refused(train, tmp_path):
    status, said = train(tmp_path / 'run', '--batch', '0', '--network', 'fanet18')
    assert status == 2 and 'batch = 0 must be in 1..4096' in said.err
    assert Recipe().batch == 12
