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
import os
from pathlib import Path
import platform
import shutil
import subprocess

from rganet_ros import models
from rganet_ros.runtime import ADVICE, BACKENDS, choose, gpus, TENSORRT
from rganet_ros.trial import attempt, Trial

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
        'tensorrt_rtx_bindings': ('tensorrt-rtx-cu12-bindings', 'tensorrt-rtx-cu13-bindings'),
        'pycuda': ('pycuda',),
        'cuda': ('cuda-python', 'cuda-bindings'),  # for CUDA graphs
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
    tried: dict[str, Trial] = {}
    for name in BACKENDS:
        if name == 'fake':
            continue
        trial = tried[name] = attempt(name, path)
        _print(name, trial.refusal or _runs(trial) + ' (backend: auto)' * (name == chosen))
        if trial.sees:
            _print('', f'sees {", ".join(trial.sees)}')
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


def _runs(trial: Trial) -> str:
    words = ', '.join(f'{key} {value}' for key, value in trial.about.items() if key != 'backend')
    return f'runs: {words}, a frame in {trial.ms:g} ms'


def missing(
    found: dict[str, str], cards: list[str], tried: dict[str, Trial], chosen: str
) -> list[str]:
    """Say what is missing and what to do, a sentence each; the first is whether it can run."""
    able = [name for name, trial in tried.items() if not trial.refusal]
    if chosen in able:
        said = [f'It runs here: backend auto takes {chosen}, {why(chosen, found, cards)}.']
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
    said += _unused(found, cards, tried)
    if not all(found[name] for name in ('torch', *PARTS['training'])):
        said.append("Training and export need more: pip install '.[train,sim]'.")
    return said


def why(chosen: str, found: dict[str, str], cards: list[str]) -> str:
    """Say in half a sentence how the written order came to an engine."""
    if chosen == 'tensorrt':
        return 'as its library, pycuda and a GPU are there'
    there = {
        'its library': any(found[name] for name in TENSORRT),
        'pycuda': found['pycuda'],
        'an NVIDIA GPU': cards,
    }
    lacks = [name for name, has in there.items() if not has] or ["a GPU that CUDA's driver knows"]
    machine = platform.machine()
    return f'first on {machine} where TensorRT cannot run, for want of {" and ".join(lacks)}'


def _unused(found: dict[str, str], cards: list[str], tried: dict[str, Trial]) -> list[str]:
    """Name devices that are there and could be used, and what to do, a sentence each."""
    said = []
    sees = {name: ' '.join(trial.sees) for name, trial in tried.items()}
    if 'GPU' in sees.get('openvino', '').split():
        said.append("OpenVINO sees Intel's GPU: backend openvino with device gpu uses it.")
    if not cards:
        return said
    if not any(found[name] for name in TENSORRT):
        said.append(f'For TensorRT its library is missing: {ADVICE["tensorrt"]}.')
    if not found['pycuda']:
        said.append(f'For TensorRT pycuda is missing: {ADVICE["pycuda"]}.')
    if 'CUDAExecutionProvider' in sees.get('onnxruntime', ''):
        said.append('ONNX Runtime has CUDA: backend onnxruntime with device cuda:0 uses the GPU.')
    elif found['onnxruntime']:
        said.append('ONNX Runtime has no CUDA here: onnxruntime-gpu in its place has.')
    if 'cuda:0' in sees.get('torch', ''):
        said.append('torch sees the GPU: backend torch with device cuda:0 uses it.')
    return said


def _profile() -> str:
    try:
        return str(models.share('config') / 'fastdds.xml')
    except FileNotFoundError as error:
        return str(error)


def _print(name: str, value: str) -> None:
    print(f'{name:<12}{value}', flush=True)
