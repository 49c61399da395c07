"""TensorRT's executing half: its types against TensorRT's, and its logic on a stand-in."""

import gc
import logging
from pathlib import Path
import re
import shutil
import subprocess
import sys
import threading

import numpy as np
import pytest
from rganet_ros import models, runtime
from rganet_ros.predictor import Predictor
from stand_in_gpu import installed, Memory
import tiny

RUNTIME = Path(runtime.__file__).parent
CHECKED = ('tensorrt_builder', 'tensorrt_backend', 'cuda_graph', 'engine_cache')
BLACK = np.zeros((1, *tiny.SIZE, 3), np.uint8)


@pytest.fixture(scope='module')
def stubs(tmp_path_factory):
    """Copy TensorRT's types; two things in them are no Python, which mypy would stop at."""
    # Beside the environment and not in it: a folder of the name is no library.
    source, folder = Path(sys.prefix) / 'stubs', tmp_path_factory.mktemp('types') / 'stubs'
    shutil.copytree(source, folder)
    path = folder / 'tensorrt_bindings/tensorrt.pyi'
    text = re.sub(r'\bin: list', 'in_: list', path.read_text())
    text = text.replace(
        'channel_axis: int) -> IScaleLayer', 'channel_axis: int = 0) -> IScaleLayer'
    )
    path.write_text(text)
    return folder


def faults(files, stubs):
    """Type-check files of the package; returns what is wrong in them."""
    done = subprocess.run(
        [sys.executable, '-m', 'mypy', '--follow-imports=silent', '--ignore-missing-imports',
         '--check-untyped-defs', '--cache-dir', str(stubs.parent / 'cache'), *map(str, files)],
        env={'MYPYPATH': f'{stubs}:{RUNTIME.parent.parent}'}, capture_output=True, text=True,
        cwd=RUNTIME.parent.parent,
    )  # fmt: skip
    assert 'checked' in done.stdout, done.stdout + done.stderr  # and not stopped before
    names = tuple(path.name for path in files)
    return [line for line in done.stdout.splitlines() if line.partition(':')[0].endswith(names)]


def test_the_code_fits_tensorrts_own_types(stubs):
    assert faults([RUNTIME / f'{name}.py' for name in CHECKED], stubs) == []


def test_a_planted_fault_is_found(stubs, tmp_path):
    text = (RUNTIME / 'tensorrt_backend.py').read_text()
    for right, wrong in (
        ('.execute_async_v3(', '.execute_async_v2('),
        ("self._execution.set_tensor_address(f'next", "self._engine.set_tensor_address(f'next"),
        ('trt.TensorIOMode.INPUT', 'trt.TensorMode.INPUT'),
    ):
        assert right in text
        text = text.replace(right, wrong)
    (tmp_path / 'planted.py').write_text(text)
    assert len(faults([tmp_path / 'planted.py'], stubs)) >= 3


@pytest.fixture
def model(tmp_path):
    return models.find(tiny.write(tmp_path))


def open_backend(model, tmp_path, **settings):
    settings = {'build_engine': 'if_missing', 'cache': str(tmp_path / 'cache')} | settings
    return runtime.load('tensorrt', model, **settings)


def image(red):
    picture = BLACK.copy()
    picture[..., 0] = red
    return {'image': picture}


@pytest.mark.parametrize('graphs', [True, False])
def test_memory_takes_turns_as_in_any_engine(graphs, model, tmp_path, monkeypatch):
    other = runtime.load('onnxruntime', model)
    with installed(monkeypatch, model.onnx, graphs=graphs) as gpu:
        backend = open_backend(model, tmp_path)
        assert backend.inputs == other.inputs and backend.outputs == other.outputs
        cameras = [backend.new_state(), backend.new_state()]
        states = [other.new_state(), other.new_state()]
        for frame, red in enumerate((51, 255, 0, 102, 7, 255, 80)):
            camera = frame % 3 // 2
            found = backend.run(image(red), cameras[camera])
            expected = other.run(image(red), states[camera])
            for name in expected:
                np.testing.assert_array_equal(found[name], expected[name])
        assert backend.describe()['cuda_graph'] == ('yes' if graphs else 'no')
        assert (gpu.captures > 0 and gpu.plain == 1) if graphs else gpu.captures == 0
        before = gpu.captures
        for _ in range(6):
            backend.run(image(9), cameras[0])
        assert gpu.captures == before  # what is recorded is replayed
        assert gpu.pushed == 0
        backend.close()


def test_an_answer_is_the_callers_own(model, tmp_path, monkeypatch):
    with installed(monkeypatch, model.onnx):
        backend = open_backend(model, tmp_path)
        state = backend.new_state()
        first = backend.run(image(51), state)['affordance']
        backend.run(image(255), state)
        np.testing.assert_allclose(first, 0.2, rtol=1e-6)
        backend.close()


def test_promise_10_a_graph_that_cannot_be_captured_does_not_stop_it(
    model, tmp_path, monkeypatch, caplog
):
    caplog.set_level(logging.INFO, logger='rganet_ros')
    with installed(monkeypatch, model.onnx, refuse=0) as gpu:
        backend = open_backend(model, tmp_path)
        state = backend.new_state()
        for count in (1, 2, 3):
            found = backend.run(image(51), state)['affordance']
            np.testing.assert_allclose(found, 0.2 * count, rtol=1e-6)
        assert backend.describe()['cuda_graph'] == 'no'
        assert gpu.captures == gpu.replays == 0 and gpu.recording is None
        backend.close()
    assert caplog.text.count('no CUDA graph can be had') == 1


def test_what_is_recorded_is_replayed_after_a_capture_that_failed(model, tmp_path, monkeypatch):
    other = runtime.load('onnxruntime', model)
    with installed(monkeypatch, model.onnx, refuse=4) as gpu:
        backend = open_backend(model, tmp_path)  # has recorded two
        cameras = [backend.new_state(), backend.new_state()]
        states = [other.new_state(), other.new_state()]
        for frame, red in enumerate((51, 255, 0, 102, 7, 255, 80)):
            camera = frame in (3, 4)
            found = backend.run(image(red), cameras[camera])
            expected = other.run(image(red), states[camera])
            for name in expected:
                np.testing.assert_array_equal(found[name], expected[name])
        assert gpu.captures == 4 and gpu.replays > 6 and gpu.plain == 3
        backend.close()


def test_a_gpu_that_is_full_is_said_in_a_sentence(model, tmp_path, monkeypatch):
    said = pytest.raises(ValueError, match='cannot run .*: the GPU says out of memory$')
    with installed(monkeypatch, model.onnx, full=True), said:
        open_backend(model, tmp_path)
    with installed(monkeypatch, model.onnx) as gpu:
        backend = open_backend(model, tmp_path)
        gpu.full = True
        with pytest.raises(RuntimeError, match='the GPU says out of memory'):
            backend.new_state()
        gpu.full = False
        assert backend.run(image(51), backend.new_state())
        assert gpu.pushed == 0
        backend.close()
    with installed(monkeypatch, model.onnx) as gpu:
        monkeypatch.setattr(gpu, 'execution', lambda: None)
        with pytest.raises(ValueError, match='cannot run .* no memory left'):
            open_backend(model, tmp_path)


def test_promise_07_another_thread_is_refused(model, tmp_path, monkeypatch):
    with installed(monkeypatch, model.onnx):
        backend, said = open_backend(model, tmp_path), []

        def use():
            try:
                backend.run(image(1), backend.new_state())
            except RuntimeError as error:
                said.append(str(error))

        thread = threading.Thread(target=use)
        thread.start()
        thread.join()
        assert said == ['this TensorRT backend belongs to the thread that loaded it']
        backend.close()


def test_memory_on_the_gpu_is_given_back(model, tmp_path, monkeypatch):
    with installed(monkeypatch, model.onnx):
        gc.collect()
        before = Memory.alive
        predictor = Predictor(model, open_backend(model, tmp_path))
        predictor.warm_up()
        there = Memory.alive
        for _ in range(20):
            predictor.reset()
            predictor.warm_up()
        gc.collect()
        assert Memory.alive == there > before
        predictor.close()  # it still holds its state
        gc.collect()
        assert Memory.alive == before


def test_an_engine_that_does_not_load_is_built_again(model, tmp_path, monkeypatch, caplog):
    caplog.set_level(logging.INFO, logger='rganet_ros')
    with installed(monkeypatch, model.onnx, engines=0):
        open_backend(model, tmp_path).close()
    assert caplog.text.count('cannot be loaded here') == 1
    assert caplog.text.count('built the engine') == 2


def test_an_engine_that_may_not_be_built_again_stays(model, tmp_path, monkeypatch):
    with installed(monkeypatch, model.onnx):
        open_backend(model, tmp_path).close()
    with installed(monkeypatch, model.onnx, engines=0):  # for once
        with pytest.raises(ValueError, match='engine .* cannot be loaded here'):
            open_backend(model, tmp_path, build_engine='never')
        open_backend(model, tmp_path, build_engine='never').close()


def test_what_cannot_be_is_refused_in_a_sentence(model, tmp_path, monkeypatch):
    with installed(monkeypatch, model.onnx):
        for device in ('cpu', 'cuda:x', 'cuda1', 'tpu'):
            with pytest.raises(ValueError, match=f"cannot run on '{device}': ask for auto, gpu"):
                open_backend(model, tmp_path, device=device)
        with pytest.raises(ValueError, match='finds no GPU 3 here'):
            open_backend(model, tmp_path, device='cuda:3')
        with pytest.raises(ValueError, match='set build_engine: if_missing'):
            open_backend(model, tmp_path, build_engine='never')
        with pytest.raises(ValueError, match="in 'bf16' here: ask for fp32"):
            open_backend(model, tmp_path, precision='bf16')


def test_promise_06_what_is_missing_is_named(model, monkeypatch):
    monkeypatch.setitem(sys.modules, 'pycuda', None)
    monkeypatch.delitem(sys.modules, 'rganet_ros.runtime.tensorrt_backend', raising=False)
    with pytest.raises(ValueError, match='needs the Python package pycuda.*CUDA toolkit'):
        runtime.load('tensorrt', model)
    monkeypatch.setattr(runtime, 'gpus', lambda: 0)
    assert runtime.choose('auto') in ('openvino', 'onnxruntime')
