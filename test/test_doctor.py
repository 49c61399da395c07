"""What is said of this machine: by processes, with engines that are whole, broken and absent."""

import os
import subprocess
import sys

import pytest
from rganet_ros import doctor
from rganet_ros.runtime import BACKENDS, choose
import tiny

ENGINE = choose('auto')


def rganet(*words, code=None):
    command = ['-c', code] if code else ['-m', 'rganet_ros.cli']
    words = [sys.executable, *command, 'doctor', *map(str, words)]
    return subprocess.run(words, capture_output=True, text=True)


@pytest.fixture
def model(tmp_path):
    return tiny.write(tmp_path)


def lines(done):
    return {line.split()[0]: line for line in done.stdout.splitlines() if line.split()}


def test_a_model_that_runs_is_tried_in_every_engine_without_torch_and_ros(model):
    code = (
        'import sys; from rganet_ros import cli; status = cli.main(sys.argv[1:]); '
        'print(sorted({"torch", "rclpy", "onnxruntime", "openvino"} & set(sys.modules))); '
        'sys.exit(status)'
    )
    done = rganet(model, code=code)
    assert done.returncode == 0, done.stdout + done.stderr
    said = lines(done)
    assert done.stdout.splitlines()[-1] == '[]'  # whatever was tried, here nothing was imported
    assert set(BACKENDS) - {'fake'} <= set(said)
    assert 'runs: ' in said[ENGINE] and 'backend: auto' in said[ENGINE]
    assert 'runs: ' in said['onnxruntime']
    assert 'safetensors' in said['torch']  # that it does not have: the engine's own refusal
    assert f'It runs here: backend auto takes {ENGINE}' in done.stdout
    for name in ('numpy', 'rclpy'):
        assert name in done.stdout
    assert 'cores' in said['processor']
    seen = [line for line in done.stdout.splitlines() if line.split()[:1] == ['sees']]
    assert any('CPUExecutionProvider' in line for line in seen)
    assert any('CPU (' in line and 'FP32' in line for line in seen) or ENGINE != 'openvino'
    assert 'TensorRT cannot run, for want of' in done.stdout or ENGINE == 'tensorrt'


def broken(monkeypatch, tmp_path, text, name=ENGINE):
    """Put an engine of this text before the one that is installed, for other processes."""
    (tmp_path / 'broken').mkdir()
    (tmp_path / 'broken' / f'{name}.py').write_text(text)
    monkeypatch.setenv('PYTHONPATH', f'{tmp_path / "broken"}:{os.environ.get("PYTHONPATH", "")}')


def test_an_engine_that_cannot_is_explained_and_another_is_named(model, monkeypatch, tmp_path):
    broken(monkeypatch, tmp_path, f'raise ModuleNotFoundError("no", name="{ENGINE}")')
    done = rganet(model)
    assert done.returncode == 1, done.stdout + done.stderr
    assert f'needs the Python package {ENGINE}' in lines(done)[ENGINE]
    assert 'It does not run here' in done.stdout
    assert 'set backend to onnxruntime' in done.stdout or ENGINE == 'onnxruntime'
    assert 'Traceback' not in done.stdout + done.stderr


def test_it_speaks_where_even_opencv_is_missing(model, monkeypatch, tmp_path):
    broken(monkeypatch, tmp_path, 'raise ModuleNotFoundError("no cv2 here")', 'cv2')
    done = rganet(model)
    assert done.returncode == 1 and 'It does not run here' in done.stdout
    assert 'no cv2 here' in lines(done)[ENGINE] and 'Traceback' not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ('text', 'words'),
    [
        ('import os; os.abort()', 'ended with status -6'),
        ('raise RuntimeError("of another processor")', 'of another processor'),
    ],
)
def test_an_engine_that_crashes_takes_nobody_with_it(model, monkeypatch, tmp_path, text, words):
    broken(monkeypatch, tmp_path, text)
    assert words in doctor.attempt(ENGINE, str(model)).refusal


def test_a_model_that_is_not_there_or_not_whole(model):
    done = rganet('nonesuch')
    assert done.returncode == 1
    assert "no model 'nonesuch'" in done.stdout
    model.write_bytes(model.read_bytes()[:-9])
    done = rganet(model)
    assert done.returncode == 1
    assert 'is not the file its card describes' in done.stdout


def test_an_engine_that_never_answers_is_given_up(model):
    assert 'not ready within 0.01 s' in doctor.attempt('onnxruntime', str(model), 0.01).refusal


RUNS, NOT = doctor.Trial({'device': 'CPU'}, 1.0), doctor.Trial({}, 0.0, 'no')
ALL = {name: '1' for part in doctor.PARTS.values() for name in part}


@pytest.mark.parametrize(
    ('found', 'gpus', 'tried', 'words'),
    [
        ({'rclpy': ''}, [], {'a': RUNS}, "pip install '.[ros-jazzy]'"),
        ({'tf2_ros': ''}, [], {'a': RUNS}, 'target_frame and workspace_frame must stay empty'),
        ({'cv2': ''}, [], {'a': NOT}, 'cv2 is needed: pip install opencv-python-headless'),
        ({'timm': ''}, [], {'a': RUNS}, "pip install '.[train,sim]'"),
        ({}, ['H200'], {'a': RUNS}, 'no engine that runs the model uses it'),
        ({}, [], {'a': NOT, 'b': NOT}, 'no engine runs it'),
        ({}, [], {'a': NOT, 'b': RUNS}, 'set backend to b, or mend it'),
    ],
)
def test_what_is_missing_is_said_with_what_to_do(found, gpus, tried, words):
    assert any(words in each for each in doctor.missing(ALL | found, gpus, tried, 'a'))


def seen(*sees):
    return RUNS._replace(sees=sees)


NVIDIA = ['H200, 570, 141 GiB']


@pytest.mark.parametrize(
    ('found', 'gpus', 'tried', 'words'),
    [
        ({'pycuda': ''}, NVIDIA, {}, 'pycuda is missing: pip install pycuda'),
        (dict.fromkeys(doctor.TENSORRT, ''), NVIDIA, {}, 'its library is missing: it comes with'),
        ({}, NVIDIA, {'onnxruntime': seen('CUDAExecutionProvider')}, 'device cuda:0 uses the GPU'),
        (
            {},
            NVIDIA,
            {'onnxruntime': seen('CPUExecutionProvider')},
            'onnxruntime-gpu in its place',
        ),
        ({}, NVIDIA, {'torch': seen('CPU', 'cuda:0 (H200)')}, 'backend torch with device cuda:0'),
        ({}, [], {'openvino': seen('CPU (EPYC: FP32)', 'GPU (Arc: FP16)')}, 'with device gpu'),
    ],
)
def test_a_device_that_nobody_uses_is_named_with_what_to_do(found, gpus, tried, words):
    assert any(
        words in each for each in doctor.missing(ALL | found, gpus, {'a': RUNS} | tried, 'a')
    )
    nothing = doctor.missing(ALL, [], {'a': RUNS, 'openvino': seen('CPU (EPYC: FP32)')}, 'a')
    assert not any(words in each for each in nothing)


@pytest.mark.parametrize(
    ('chosen', 'found', 'gpus', 'words'),
    [
        ('tensorrt', {}, NVIDIA, 'pycuda and a GPU are there'),
        ('openvino', {}, [], 'for want of an NVIDIA GPU'),
        ('openvino', {'pycuda': ''}, NVIDIA, 'for want of pycuda'),
        ('openvino', {'pycuda': ''}, [], 'for want of pycuda and an NVIDIA GPU'),
        ('openvino', {}, NVIDIA, "for want of a GPU that CUDA's driver knows"),
    ],
)
def test_why_an_engine_is_chosen_is_said(chosen, found, gpus, words):
    assert words in doctor.why(chosen, ALL | found, gpus)


def test_nothing_is_missing(monkeypatch):
    for name in doctor.PROFILES:
        monkeypatch.setenv(name, '/somewhere.xml')
    [sentence] = doctor.missing(ALL, [], {'a': RUNS}, 'a')
    assert 'runs here' in sentence


def test_a_version_is_told_without_importing(tmp_path, monkeypatch):
    (tmp_path / 'planted_part.py').write_text('raise SystemExit("imported")')
    monkeypatch.syspath_prepend(tmp_path)
    assert doctor.version('planted_part', ('no-such-distribution',)) == 'of the system'
    assert doctor.version('no_such_module', ()) == ''
    assert doctor.version('pytest', ('pytest',)) == pytest.__version__
