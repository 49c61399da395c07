"""Synthetic clutter: things settled in totes and shelves, pictured, labelled for suction."""

from importlib.util import find_spec
import os
import subprocess
import sys

RENDERERS = ('egl', 'osmesa')


def _starts(renderer: str) -> bool:
    """Tell whether MuJoCo draws with this; in a process of its own, it cannot choose again."""
    probe = 'import mujoco; mujoco.GLContext(64, 64).free()'
    environment = {**os.environ, 'MUJOCO_GL': renderer}
    return not subprocess.run(
        [sys.executable, '-c', probe], env=environment, capture_output=True
    ).returncode


def _renderer() -> str:
    """Choose EGL, or OSMesa where EGL does not start."""
    for renderer in RENDERERS:
        if _starts(renderer):
            return renderer
    raise ValueError(
        'no off-screen renderer starts: install libegl1 and libgl1-mesa-dri, or libosmesa6'
    )


# MuJoCo reads these at its first import, so the choice is made before that. Both renderers are
# software on a machine without a GPU: more threads for one picture only take them from the other
# workers, which inherit the choice. One that is asked for is not replaced.
if 'MUJOCO_GL' not in os.environ and find_spec('mujoco') is not None:
    os.environ['MUJOCO_GL'] = _renderer()
if os.environ.get('MUJOCO_GL', 'egl') not in RENDERERS:
    raise ValueError(f'MUJOCO_GL = {os.environ["MUJOCO_GL"]!r} must be {" or ".join(RENDERERS)}')
os.environ.setdefault('LP_NUM_THREADS', '1')
