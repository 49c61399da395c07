"""
Say what is installed, what this machine can do, which engine would run a model, what is missing.

Each engine is tried with the model in a process of its own: what cannot be imported, or crashes,
says so and nothing else. The exit status is 0 where the model can run here. With --topics it looks
at the ROS 2 system that runs, and says what to change; the exit status is 0 where nothing is.
"""

from __future__ import annotations

import argparse
from importlib import import_module, metadata
from importlib.util import find_spec
import json
import os
from pathlib import Path
import platform
import shutil
import subprocess
import sys
import time
from typing import NamedTuple

from rganet_ros import models
from rganet_ros.runtime import BACKENDS, choose, gpus

PATIENCE = 120.0  # seconds for an engine to load a model and to run it once

# What it is for: the modules, and the names that their distributions have.
PARTS = {
    'needed': {
        'numpy': ('numpy',),
        'cv2': ('opencv-python-headless', 'opencv-python'),
        'PIL': ('pillow',),
        'yaml': ('PyYAML',),
        'rosbags': ('rosbags',),
        'mcap': ('mcap',),
        'rich': ('rich',),
    },
    'engines': {
        'onnxruntime': ('onnxruntime', 'onnxruntime-gpu'),
        'openvino': ('openvino',),
        'tensorrt': ('tensorrt', 'tensorrt-cu12', 'tensorrt-cu13'),
        'tensorrt_rtx': ('tensorrt-rtx-cu12', 'tensorrt-rtx-cu13'),
        'pycuda': ('pycuda',),
        'torch': ('torch',),
    },
    'ROS 2': {
        'rclpy': ('rclpy',),
        'sensor_msgs': ('sensor_msgs',),
        'tf2_ros': ('tf2_ros',),
        'launch_ros': ('launch_ros',),
    },
    'training': {
        'timm': ('timm',),
        'onnx': ('onnx',),
        'safetensors': ('safetensors',),
        'mujoco': ('mujoco',),
    },
}
PROFILES = ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE')
# Those of /proc/cpuinfo that make a difference to engines.
INSTRUCTIONS = ('avx2', 'avx512f', 'avx512_vnni', 'avx512_bf16', 'amx_bf16', 'asimdhp', 'bf16')


class Trial(NamedTuple):
    """An engine with the model: what runs, and milliseconds a frame; or why it does not."""

    about: dict[str, str]
    ms: float
    refusal: str = ''


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.description = __doc__
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        'model', nargs='?', default=models.RGBD, help=f'a name or an .onnx file ({models.RGBD})'
    )
    parser.add_argument('--topics', action='store_true', help='look at the running system instead')
    parser.add_argument('--seconds', type=float, default=5.0, help='to look at topics (5)')


def run(args: argparse.Namespace) -> int:
    """Say it; returns the exit status."""
    if args.topics:  # by name: it needs rclpy, and nothing else here does
        return import_module('rganet_ros.node.topics').look(args.seconds)
    found = {name: version(name, named) for part in PARTS.values() for name, named in part.items()}
    for part, modules in PARTS.items():
        _print(part, ', '.join(f'{name} {found[name] or "-"}' for name in modules))
    _print('ROS', ros_distribution() or 'not sourced, and no wheels of it')
    cards = graphics()
    _print('processor', processor())
    _print('GPU', '; '.join(cards) or 'no NVIDIA GPU that answers')
    chosen = choose('auto')
    try:
        path = str(models.find(args.model).onnx)
    except (OSError, ValueError) as error:
        print(f'\n{error}')
        return 1
    print(f'\n{args.model} ({path})')
    tried = {name: attempt(name, path) for name in BACKENDS if name != 'fake'}
    for name, trial in tried.items():
        _print(name, trial.refusal or _runs(trial) + ' (backend: auto)' * (name == chosen))
    print()
    for sentence in missing(found, cards, tried, chosen):
        print(sentence)
    return 1 if tried[chosen].refusal else 0


def version(module: str, distributions: tuple[str, ...]) -> str:
    """Say which version of a module is installed, without importing it; '' where none is."""
    if find_spec(module) is None:
        return ''
    for name in distributions:
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            pass
    return 'of the system'


def ros_distribution() -> str:
    """Name the ROS 2 distribution: the one that was sourced, or that of the wheels; or ''."""
    wheels = [
        f'{name} (wheels)'
        for name in ('humble', 'jazzy', 'kilted')
        if version('rclpy', (f'ros-{name}-rclpy',)) not in ('', 'of the system')
    ]
    return os.environ.get('ROS_DISTRO') or ', '.join(wheels)


def processor() -> str:
    """Name the processor, its cores that may be used, its instruction sets, and the board."""
    text = _read('/proc/cpuinfo')
    lines = dict(line.split(':', 1) for line in text.splitlines() if ':' in line)
    lines = {key.strip(): value.strip() for key, value in lines.items()}
    has = (lines.get('flags') or lines.get('Features') or '').split()
    name = _read('/proc/device-tree/model').strip('\0') or lines.get('model name', '')
    words = [platform.machine(), name, f'{len(os.sched_getaffinity(0))} cores']
    return ', '.join(filter(None, [*words, *(each for each in INSTRUCTIONS if each in has)]))


def _read(path: str) -> str:
    try:
        return Path(path).read_text(errors='replace')
    except OSError:
        return ''


def graphics() -> list[str]:
    """Name the NVIDIA GPUs, their drivers and memory, as far as nvidia-smi tells."""
    tool = shutil.which('nvidia-smi')
    if tool is None:  # as on a Jetson
        return [f'{count} known to CUDA'] if (count := gpus()) else []
    query = ['--query-gpu=name,driver_version,memory.total', '--format=csv,noheader']
    try:
        done = subprocess.run([tool, *query], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [line.strip() for line in done.stdout.splitlines()] if done.returncode == 0 else []


def attempt(backend: str, model: str, patience: float = PATIENCE) -> Trial:
    """Try an engine with a model file in another process."""
    command = [sys.executable, '-m', 'rganet_ros.doctor', backend, model]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=patience)
    except subprocess.TimeoutExpired:
        return Trial({}, 0.0, f'backend {backend} was not ready within {patience:g} s')
    lines = done.stdout.splitlines()
    if done.returncode or not lines:
        last = [line for line in done.stderr.splitlines() if line.strip()][-1:]
        why = last[0] if last else 'no word'
        return Trial({}, 0.0, f'backend {backend} ended with status {done.returncode}: {why}')
    return Trial(*json.loads(lines[-1]))


def _try(backend: str, model: str) -> Trial:
    # Here, in the other process, anything may be imported.
    from rganet_ros.predictor import open_predictor, PredictorOptions

    try:
        predictor = open_predictor(PredictorOptions(model=model, backend=backend))
    except (OSError, ValueError) as error:
        return Trial({}, 0.0, str(error))
    began = time.perf_counter()
    predictor.warm_up()  # the second time: nothing is loaded any more
    return Trial(predictor.backend.describe(), round(1e3 * (time.perf_counter() - began), 1))


def _runs(trial: Trial) -> str:
    words = ', '.join(f'{key} {value}' for key, value in trial.about.items() if key != 'backend')
    return f'runs: {words}, a frame in {trial.ms:g} ms'


def missing(
    found: dict[str, str], cards: list[str], tried: dict[str, Trial], chosen: str
) -> list[str]:
    """Say what is missing and what to do, a sentence each; the first is whether it can run."""
    able = [name for name, trial in tried.items() if not trial.refusal]
    if chosen in able:
        said = [f'It runs here: backend auto takes {chosen}, which a written order decides.']
    else:
        instead = f': set backend to {able[0]}, or mend it' if able else ': no engine runs it'
        said = [f'It does not run here: backend auto takes {chosen}, which cannot{instead}.']
    for name in PARTS['needed']:
        if not found[name]:
            said.append(f'{name} is needed: pip install {PARTS["needed"][name][0]}.')
    if not found['rclpy'] or not found['sensor_msgs']:
        said.append("The node needs ROS 2: source its setup.bash or pip install '.[ros-jazzy]'.")
    elif not found['tf2_ros']:
        said.append('tf2_ros is not there: target_frame and workspace_frame must stay empty.')
    if found['rclpy'] and not any(map(os.environ.get, PROFILES)):
        said.append(
            f'{" and ".join(PROFILES)} are not set: the launch files set them for the node, the '
            f"camera's process needs them too ({_profile()})."
        )
    devices = {tried[name].about.get('device', 'CPU') for name in able}
    if cards and able and devices == {'CPU'}:
        said.append('There is a GPU, and no engine that runs the model uses it.')
    if not all(found[name] for name in ('torch', *PARTS['training'])):
        said.append("Training and export need more: pip install '.[train,sim]'.")
    return said


def _profile() -> str:
    try:
        return str(models.share('config') / 'fastdds.xml')
    except FileNotFoundError as error:
        return str(error)


def _print(name: str, value: str) -> None:
    print(f'{name:<12}{value}')


if __name__ == '__main__':
    print(json.dumps(_try(*sys.argv[1:])))
