"""The cache of built engines, with the real builder: TensorRT for RTX builds without a GPU."""

import json
import logging
import os
from pathlib import Path
import signal
import subprocess
import sys

import pytest
from rganet_ros import models
from rganet_ros.runtime import engine_cache
from rganet_ros.runtime import tensorrt_builder as builder
import tiny

TARGET = builder.Target('any', '8.6')
CHILD = """
import hashlib, logging, sys
from rganet_ros import models
from rganet_ros.runtime import tensorrt_builder as builder
logging.basicConfig(level=logging.INFO, format='%(message)s')
print('ready', file=sys.stderr, flush=True)
sys.stdin.readline()
target = builder.Target('any', '8.6')
_, data = builder.engine(models.find('fanet-lite0-temporal'), target, True, sys.argv[1])
print(hashlib.sha256(data).hexdigest())
"""


@pytest.fixture
def model(tmp_path):
    return models.find(tiny.write(tmp_path))


@pytest.fixture
def said(caplog):
    caplog.set_level(logging.INFO, logger='rganet_ros')
    return caplog


@pytest.fixture
def built(model, tmp_path):
    """Build an engine; returns its file."""
    name, data = builder.engine(model, TARGET, True, tmp_path / 'cache')
    path = tmp_path / 'cache' / f'{name}.engine'
    assert path.read_bytes() == data
    return path


def again(model, path, said, **changes):
    """Ask for it once more; returns what was said."""
    said.clear()
    builder.engine(model, TARGET, True, path.parent)
    return '\n'.join(record.getMessage() for record in said.records)


def test_an_engine_that_fits_is_read_and_nothing_is_said(model, built, said):
    before = built.stat().st_mtime_ns
    assert again(model, built, said) == ''
    assert built.stat().st_mtime_ns == before
    assert builder.engine(model, TARGET, False, built.parent)[1] == built.read_bytes()


def test_the_note_has_the_key_in_clear(model, built):
    key = json.loads(built.with_suffix('.json').read_text())['key']
    assert key == builder.key_of(model, TARGET)
    assert key['onnx_sha256'] == model.sha256 and key['compute_capability'] == '8.6'
    assert key['version'] == builder.trt.__version__ and key['precision'] == 'fp32'
    assert key['shapes'] == 'image 1x6x8x3'


@pytest.mark.parametrize(
    'part', ['onnx_sha256', 'version', 'gpu', 'compute_capability', 'precision', 'shapes', 'flags']
)
def test_promise_01_an_engine_of_anything_else_is_rebuilt_and_it_says_so(part, model, built, said):
    note = json.loads(built.with_suffix('.json').read_text())
    note['key'][part] = 'another'
    built.with_suffix('.json').write_text(json.dumps(note))
    with pytest.raises(ValueError, match=f'built for {part} .another.*set build_engine'):
        builder.engine(model, TARGET, False, built.parent)
    assert f"was built for {part} 'another'" in again(model, built, said)
    assert json.loads(built.with_suffix('.json').read_text())['key'] == builder.key_of(
        model, TARGET
    )
    assert again(model, built, said) == ''


def test_promise_02_a_broken_engine_is_rebuilt(model, built, said):
    whole = built.read_bytes()
    turned = bytes([whole[100] ^ 1])
    for broken in (whole[:-1], whole[:100] + turned + whole[101:], b''):
        built.write_bytes(broken)
        assert 'is truncated or damaged' in again(model, built, said)
    for note in ('', '[]', '{"key": 3}', '\0'):
        built.with_suffix('.json').write_text(note)
        assert 'no readable note' in again(model, built, said)
    built.unlink()
    assert 'there is none' in again(model, built, said)
    assert again(model, built, said) == ''


def test_promise_03_models_of_one_structure_have_engines_of_their_own(tmp_path):
    names = []
    for number, half in enumerate((0.5, 0.25)):
        made = tiny.graph()
        weight = next(each for each in made.graph.initializer if each.name == 'half')
        weight.CopyFrom(tiny.numpy_helper.from_array(tiny.np.float32(half), 'half'))
        (tmp_path / str(number)).mkdir()
        model = models.find(tiny.write(tmp_path / str(number), made))
        names.append(builder.engine(model, TARGET, True, tmp_path / 'cache')[0])
    assert names[0] != names[1]
    assert len(list((tmp_path / 'cache').glob('*.engine'))) == 2


def test_it_lies_where_this_users_caches_lie(monkeypatch, tmp_path):
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    assert engine_cache.folder_of() == tmp_path / 'rganet_ros' / 'engines'
    monkeypatch.delenv('XDG_CACHE_HOME')
    assert engine_cache.folder_of() == Path.home() / '.cache' / 'rganet_ros' / 'engines'
    assert engine_cache.folder_of('/elsewhere') == Path('/elsewhere')


def test_a_folder_that_cannot_be_written_does_not_stop_it(model, tmp_path, said):
    (tmp_path / 'file').write_text('no folder')
    _, data = builder.engine(model, TARGET, True, tmp_path / 'file')
    assert len(data) > 1000 and 'cannot be kept' in said.text


def child(folder):
    process = subprocess.Popen(
        [sys.executable, '-c', CHILD, str(folder)], stdin=subprocess.PIPE, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ,
    )  # fmt: skip
    assert process.stderr.readline() == 'ready\n'
    return process


def test_of_two_processes_one_builds_and_the_other_waits(tmp_path):
    both = [child(tmp_path), child(tmp_path)]
    for process in both:
        process.stdin.write('go\n')
        process.stdin.flush()
    ends = [process.communicate(timeout=120) for process in both]
    assert ends[0][0] == ends[1][0] != ''
    logs = ''.join(end[1] for end in ends)
    assert logs.count('built the engine') == 1
    assert logs.count('waiting for it') == 1
    assert not list(tmp_path.glob('*.part'))


def test_a_builder_that_is_killed_blocks_nothing(tmp_path, said):
    process = child(tmp_path)
    process.stdin.write('go\n')
    process.stdin.flush()
    assert 'building an engine' in process.stderr.readline()
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL and not list(tmp_path.glob('*.engine'))
    model = models.find('fanet-lite0-temporal')
    (tmp_path / f'{named(model)}.engine.part').write_bytes(b'half')  # of one killed while writing
    name, data = builder.engine(model, TARGET, True, tmp_path)
    assert 'waiting' not in said.text
    assert (tmp_path / f'{name}.engine').read_bytes() == data
    assert not list(tmp_path.glob('*.part'))


def named(model):
    return f'{model.name}-{model.sha256[:12]}-tensorrt_rtx-any-8.6'
