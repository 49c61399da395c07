import json

import pytest
from rganet_ros.cli import main
import tiny


def test_bench_candidates_prints_every_case_once(capsys):
    assert main(['bench', 'candidates', '--repeats', '1', '--limit', '7']) == 0
    lines = capsys.readouterr().out.splitlines()
    for case in ('320x240 depth', '640x480 depth', '640x480 no depth', '1280x720 depth'):
        (line,) = (line for line in lines if f'{case} ' in line)
        assert int(line.split('│')[3]) == 7
    (line,) = (line for line in lines if 'all low' in line)
    assert int(line.split('│')[3]) == 0


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
    rows = {(row['backend'], row['precision']): row for row in said['rows']}
    assert ('torch', 'fp32') not in rows  # there are no weights beside it
    for backend in ('onnxruntime', 'openvino'):
        row = rows[backend, 'fp32']
        assert row['p99_ms'] >= row['median_ms'] >= row['least_ms'] > 0
        assert row['engine']['threads'] and len(row['model_sha256']) == 64
        assert row['largest_difference'] < 1e-6 and row['equal_labels'] == 1
    assert rows['onnxruntime', 'fp32']['ratio'] == 1


def test_bench_metrics_agrees_with_its_plain_loop(tmp_path, capsys):
    out = tmp_path / 'found.json'
    given = ['--pictures', '3', '--repeats', '1', '--out', str(out)]
    assert main(['bench', 'metrics', *given]) == 0
    rows = {row['score']: row for row in json.loads(out.read_text())}
    assert rows['MGRID']['ratio'] == 1 and rows['MGRID, a plain double loop']['ratio'] > 1
    said = ' '.join(capsys.readouterr().out.split())
    assert float(said.partition('differ by ')[2].split()[0]) < 1e-12


def test_bench_frame_has_every_stage(tmp_path):
    out = tmp_path / 'found.json'
    assert main(['bench', 'frame', '--frames', '1', '--repeats', '2', '--out', str(out)]) == 0
    rows = {row['stage']: row for row in json.loads(out.read_text())['rows']}
    assert list(rows) == ['decode', 'letterbox', 'undo', 'candidates', 'encode', 'all']
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
    rows = json.loads(out.read_text())
    found = [(row['engine'], row['frames'], row['memory_kb']) for row in rows]
    kilobytes = (2 * 32 * (24 + 40 + 112 + 320) + 1) * 4 / 1e3
    assert found == [
        (engine, frames, frames // 3 * kilobytes)
        for engine in ('onnxruntime', 'openvino')
        for frames in (1, 3)
    ]
    assert all(row['longest_ms'] >= row['p95_ms'] >= row['median_ms'] > 0 for row in rows)
    assert [row['ratio'] for row in rows if row['frames'] == 1] == [1, 1]


@pytest.mark.slow
def test_bench_networks_compares_each_engine_with_torch(tmp_path):
    out = tmp_path / 'found.json'
    assert main(['bench', 'networks', 'aaff', '--repeats', '2', '--out', str(out)]) == 0
    rows = {row['engine']: row for row in json.loads(out.read_text())}
    assert list(rows) == ['torch, published form', 'torch, folded', 'onnxruntime', 'openvino']
    assert rows['torch, published form']['ratio'] == 1
    assert all(row['median_ms'] >= row['least_ms'] > 0 for row in rows.values())
