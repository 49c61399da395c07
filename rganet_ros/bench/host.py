"""Where figures come from: the machine and the versions, for the JSON of a bench."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
import os
from pathlib import Path
import platform

from rganet_ros.doctor import graphics, ros_distribution

PACKAGES = ('numpy', 'opencv-python-headless', 'onnxruntime', 'openvino', 'torch', 'tensorrt')
FLAGS = ('avx2', 'avx512f', 'avx512_vnni', 'avx512_bf16', 'avx_vnni', 'amx_bf16', 'amx_int8')


def host() -> dict:
    """Give system, processor (name, cores that may be used, flags), GPUs, ROS, load, versions."""
    try:
        lines = Path('/proc/cpuinfo').read_text(encoding='utf-8').splitlines()
    except OSError:
        lines = []
    said = {name.strip(): value.strip() for name, _, value in (x.partition(':') for x in lines)}
    return {
        'system': platform.platform(),
        'python': platform.python_version(),
        'processor': said.get('model name', platform.machine()),
        'cores': len(os.sched_getaffinity(0)),
        'flags': [flag for flag in FLAGS if flag in said.get('flags', '').split()],
        'gpus': graphics(),
        'ros': ros_distribution(),
        'middleware': os.environ.get('RMW_IMPLEMENTATION', 'of the distribution'),
        'load': os.getloadavg()[0],
        'versions': {name: found for name in PACKAGES if (found := _version(name))},
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ''
