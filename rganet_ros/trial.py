"""
An engine tried with a model, in a process of its own: what crashes there takes nobody with it.

    python -m rganet_ros.trial openvino fanet18-rgbd
"""

from __future__ import annotations

from importlib import import_module
import json
import subprocess
import sys
import time
from typing import NamedTuple

from rganet_ros.runtime import BACKENDS

PATIENCE = 120.0  # seconds for an engine to load a model and to run it once


class Trial(NamedTuple):
    """
    An engine with the model: what runs, and milliseconds a frame; or why it does not.

    sees  the devices (OpenVINO, torch), providers (ONNX Runtime) or library (TensorRT) it has
    """

    about: dict[str, str]
    ms: float
    refusal: str = ''
    sees: tuple[str, ...] = ()


def attempt(backend: str, model: str, patience: float = PATIENCE) -> Trial:
    """Try an engine with a model file in another process."""
    command = [sys.executable, '-m', 'rganet_ros.trial', backend, model]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=patience)
    except subprocess.TimeoutExpired:
        return Trial({}, 0.0, f'backend {backend} was not ready within {patience:g} s')
    lines = done.stdout.splitlines()
    if done.returncode or not lines:
        last = [line for line in done.stderr.splitlines() if line.strip()][-1:]
        why = last[0] if last else 'no word'
        return Trial({}, 0.0, f'backend {backend} ended with status {done.returncode}: {why}')
    *rest, sees = json.loads(lines[-1])
    return Trial(*rest, tuple(sees))


def _try(backend: str, model: str) -> Trial:
    # Here, in the other process, anything may be imported; where OpenCV is missing, it is not.
    from rganet_ros.predictor import open_predictor, PredictorOptions

    try:
        sees = tuple(_sees(backend))
    except Exception:  # whatever a library that is not whole raises: the refusal says it
        sees = ()
    try:
        predictor = open_predictor(PredictorOptions(model=model, backend=backend))
    except (OSError, ValueError) as error:
        return Trial({}, 0.0, str(error), sees)
    began = time.perf_counter()
    predictor.warm_up()  # the second time: nothing is loaded any more
    ms = round(1e3 * (time.perf_counter() - began), 1)
    return Trial(predictor.backend.describe(), ms, '', sees)


def _sees(backend: str) -> list[str]:
    """List the devices an engine could use, or what it has for them; imports the engine."""
    if backend == 'tensorrt':  # builds engines where there is no GPU, and no pycuda, too
        library = import_module('rganet_ros.runtime.tensorrt_builder').trt
        return [f'{library.__name__} {library.__version__}']
    module = import_module(BACKENDS[backend].partition(':')[0])
    if backend == 'openvino':
        core = module.core()
        return [
            f'{name} ({core.get_property(name, "FULL_DEVICE_NAME").strip()}: '
            f'{" ".join(core.get_property(name, "OPTIMIZATION_CAPABILITIES"))})'
            for name in core.available_devices
        ]
    if backend == 'onnxruntime':
        return module.onnxruntime.get_available_providers()
    cuda = module.torch.cuda
    return ['CPU', *(f'cuda:{n} ({cuda.get_device_name(n)})' for n in range(cuda.device_count()))]


if __name__ == '__main__':
    print(json.dumps(_try(*sys.argv[1:])))
