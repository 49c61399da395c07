from argparse import Namespace
import json

import numpy as np
import pytest
from rganet_ros import models
from rganet_ros.bench import networks, turns
from rganet_ros.cli import main
from rganet_ros.runtime import choose, tensorrt_builder
from rganet_ros.runtime.onnxruntime_backend import OnnxRuntimeBackend
import small_models
import tiny
import torch


def test_bench_candidates_prints_every_case_once(tmp_path, capsys):
    out = tmp_path / 'found.json'
    given = ['--repeats', '1', '--limit', '7', '--out', str(out)]
    assert main(['bench', 'candidates', *given]) == 0
    lines = capsys.readouterr().out.splitlines()
    for case in ('320x240 depth', '640x480 depth', '640x480 no depth', '1280x720 depth'):
        (line,) = (line for line in lines if f'{case} ' in line)
        assert int(line.split('│')[3]) == 7
    (line,) = (line for line in lines if 'all low' in line)
    assert int(line.split('│')[3]) == 0
    said = json.loads(out.read_text())
    assert said['host']['versions']['numpy'] and said['command'].startswith('rganet bench')
    rows = {row['case']: row for row in said['rows']}
    assert rows['640x480 depth']['candidates'] == 7 and rows['640x480 depth']['p99_ms'] > 0


def test_bench_refuses_what_cannot_be(capsys):
    assert main(['bench', 'candidates', '--repeats', '0']) == 2
    assert '--repeats' in capsys.readouterr().err
    with pytest.raises(SystemExit) as stop:
        main(['bench', 'nothing'])
    assert stop.value.code == 2


def test_bench_engines_says_how_far_they_agree(tmp_path):
    path = tiny.write(tmp_path)
    out = tmp_path / 'found.json'
    assert main(['bench', 'engines', str(path), '--repeats', '2', '--out', str(out)]) == 0
    said = json.loads(out.read_text())
    assert said['host']['cores'] >= 1 and said['host']['versions']['onnxruntime']
    rows = {(row['engine'], row['precision']): row for row in said['rows']}
    assert ('torch', 'fp32') not in rows  # there are no weights beside it
    first = rows['onnxruntime', 'fp32']
    for engine in ('onnxruntime', 'openvino'):
        row = rows[engine, 'fp32']
        assert row['p99_ms'] >= row['median_ms'] >= row['least_ms'] > 0
        assert row['threads'] and row['described']['version'] and len(row['model_sha256']) == 64
        assert row['largest_difference'] < 1e-6 and row['equal_labels'] == 1
        assert row['against'] == {name: first[name] for name in row['against']}
        assert row['ratio'] == pytest.approx(row['median_ms'] / first['median_ms'], abs=1e-3)
    assert first['ratio'] == 1


def test_bench_engines_runs_what_is_asked_for_or_says_why_not(tmp_path, capsys):
    path = str(tiny.write(tmp_path))
    out = tmp_path / 'found.json'
    words = ['bench', 'engines', path, '--repeats', '1', '--out', str(out), '--engine']
    assert main([*words, 'openvino:fp32', 'onnxruntime']) == 0
    rows = json.loads(out.read_text())['rows']
    assert [row['engine'] for row in rows] == ['openvino', 'onnxruntime']
    assert [row['against']['engine'] for row in rows] == ['openvino', 'openvino']
    for asked, sentence in (
        ('onnxruntime:bf16', "cannot run tiny, a file in fp32, in 'bf16' here"),
        ('onnxruntime:fast', "no precision 'fast'"),
        ('steam', "unknown backend 'steam'"),
        ('torch', 'tiny.safetensors'),
    ):
        assert main([*words, 'onnxruntime', asked]) == 2
        assert sentence in capsys.readouterr().err


def test_what_is_timed_makes_no_memory(tmp_path, monkeypatch):
    made, new_state = [], OnnxRuntimeBackend.new_state
    monkeypatch.setattr(
        OnnxRuntimeBackend, 'new_state', lambda self: made.append(self) or new_state(self)
    )
    words = ['--repeats', '3', '--engine', 'onnxruntime']
    assert main(['bench', 'engines', str(tiny.write(tmp_path)), *words]) == 0
    assert len(made) == 1
    assert main(['bench', 'networks', 'bisenet-dw', '--size', '64', '96', *words]) == 0
    assert len(made) == 2


@pytest.mark.skipif(choose('auto') == 'tensorrt', reason='TensorRT runs here: make test-gpu')
def test_bench_engines_refuses_tensorrt_where_it_cannot_run(tmp_path, capsys):
    path = str(tiny.write(tmp_path))
    assert main(['bench', 'engines', path, '--repeats', '1', '--engine', 'tensorrt']) == 2
    said = capsys.readouterr().err
    assert 'backend tensorrt' in said and len(said.splitlines()) == 1


def test_bench_metrics_agrees_with_its_plain_loop(tmp_path, capsys):
    out = tmp_path / 'found.json'
    given = ['--pictures', '3', '--repeats', '1', '--out', str(out)]
    assert main(['bench', 'metrics', *given]) == 0
    rows = {row['score']: row for row in json.loads(out.read_text())['rows']}
    assert rows['MGRID']['ratio'] == 1 and rows['MGRID, a plain double loop']['ratio'] > 1
    said = ' '.join(capsys.readouterr().out.split())
    assert float(said.partition('differ by ')[2].split()[0]) < 1e-12


def test_bench_frame_has_every_stage(tmp_path):
    out = tmp_path / 'found.json'
    assert main(['bench', 'frame', '--frames', '1', '--repeats', '2', '--out', str(out)]) == 0
    rows = {row['stage']: row for row in json.loads(out.read_text())['rows']}
    assert list(rows) == ['decode', 'letterbox', 'undo', 'candidates', 'encode', 'all', 'markers']
    assert all(row['p99_ms'] >= row['p50_ms'] > 0 for row in rows.values())
    assert rows['all']['processor_ms'] > rows['candidates']['processor_ms'] > 0


@pytest.mark.slow
def test_bench_memory_shows_what_each_window_takes(tmp_path):
    out = tmp_path / 'found.json'
    given = [
        '--network',
        'fanet-lite0',
        '--size',
        '64',
        '96',
        '--frames',
        '1',
        '3',
        '--repeats',
        '3',
    ]
    assert main(['bench', 'memory', *given, '--out', str(out)]) == 0
    rows = json.loads(out.read_text())['rows']
    found = [(row['engine'], row['frames'], row['memory_kb']) for row in rows]
    kilobytes = (2 * 32 * (24 + 40 + 112 + 320) + 1) * 4 / 1e3
    assert found == [
        (engine, frames, frames // 3 * kilobytes)
        for engine in ('onnxruntime', 'openvino')
        for frames in (1, 3)
    ]
    assert all(row['longest_ms'] >= row['p95_ms'] >= row['median_ms'] > 0 for row in rows)
    assert [row['ratio'] for row in rows if row['frames'] == 1] == [1, 1]


def test_a_network_that_is_bound_to_a_size_is_built_for_the_one_asked_for():
    assert networks.built('rganet5-nb', (64, 96)).config.size == (64, 96)
    assert networks.built('aaff', (64, 96)).name == 'aaff'


def test_int8_of_networks_is_as_each_engine_wants_it(tmp_path, monkeypatch):
    model, loaded = models.find(small_models.write(tmp_path, 'bisenet-dw')), []
    monkeypatch.setattr(turns, 'load', lambda *given: loaded.append(given) or given)
    engines = ['openvino:int8', 'tensorrt:int8', 'onnxruntime:int8']
    frame = {'image': np.full((1, *small_models.SIZE, 3), 90, np.uint8)}
    list(networks._backends(model, frame, Namespace(engine=engines, threads=0)))
    files = [given[1] for given in loaded]
    # None is left in the user's folder of engines.
    assert [given[-1] for given in loaded] == ['', str(tmp_path), '']
    assert [each.name for each in files] == [
        'bisenet-dw-int8',
        'bisenet-dw-int8-about-zero',
        'bisenet-dw-int8',
    ]
    built = tensorrt_builder.build_engine(files[1], tensorrt_builder.Target('any', '8.6'))
    assert len(built) > 1e5


@pytest.fixture
def torch_threads():
    """Leave torch with as many threads as it had."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def test_bench_networks_compares_each_form_with_torch_as_published(tmp_path, torch_threads):
    out = tmp_path / 'found.json'
    words = ['--size', '64', '96', '--repeats', '2', '--threads', '1', '--out', str(out)]
    given = ['aaff', 'bisenet-dw', *words, '--engine']
    given += ['onnxruntime', 'openvino:fp32', 'openvino:int8']
    assert main(['bench', 'networks', *given]) == 0
    said = json.loads(out.read_text())
    assert said['host']['versions']['torch'] and said['size'] == [64, 96]
    assert [row['network'] for row in said['rows']] == ['aaff'] * 5 + ['bisenet-dw'] * 5
    for rows in (said['rows'][:5], said['rows'][5:]):
        assert [(row['engine'], row['formulation'], row['precision']) for row in rows] == [
            ('torch', 'published', 'fp32'), ('torch', 'folded', 'fp32'),
            ('onnxruntime', 'folded', 'fp32'), ('openvino', 'folded', 'fp32'),
            ('openvino', 'folded', 'int8'),
        ]  # fmt: skip
        first = rows[0]
        assert first['ratio'] == 1
        for row in rows:
            assert int(row['threads']) == 1
            assert row['p99_ms'] >= row['p95_ms'] >= row['median_ms'] >= row['least_ms'] > 0
            assert row['against'] == {name: first[name] for name in row['against']}
            assert row['against']['formulation'] == 'published'
