"""Pictures of a scene, without a window: colour, depth along z, and whose each pixel is."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from typing import NamedTuple

import mujoco
import numpy as np
from rganet_ros.synthetic.builder import HIDDEN
from rganet_ros.synthetic.scene import Scene
from rganet_ros.synthetic.view import View

log = logging.getLogger(__name__)


class Shot(NamedTuple):
    """
    What the renderer gives, without noise.

    rgb      (H, W, 3) uint8
    depth    (H, W) float32 metres along the optical frame's z
    surface  (H, W) int32: -1 container, 0 surroundings, k + 1 the thing k
    """

    rgb: np.ndarray
    depth: np.ndarray
    surface: np.ndarray


class Renderer:
    """Renders one scene; use as a context, the graphics memory is freed at its end."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        visual = scene.model.vis.global_
        self._renderer = mujoco.Renderer(scene.model, visual.offheight, visual.offwidth)
        self._option = mujoco.MjvOption()
        self._option.geomgroup[HIDDEN] = 0
        self._surface = np.append(scene.surface_of_geoms(), 0)

    def __enter__(self) -> Renderer:
        return self

    def __exit__(self, *_) -> None:
        self._renderer.close()

    def _draw(self) -> np.ndarray:
        self._renderer.update_scene(self._scene.data, 'camera', self._option)
        return self._renderer.render().copy()

    def shoot(self, view: View) -> Shot:
        """Render a view."""
        model = self._scene.model
        model.cam_fovy[0] = np.degrees(view.fovy)
        model.cam_pos[0] = view.position
        axes = view.rotation * [1, -1, -1]  # OpenGL's camera: y up, looking along -z
        mujoco.mju_mat2Quat(model.cam_quat[0], axes.ravel())
        mujoco.mj_forward(model, self._scene.data)
        rgb = self._draw()
        self._renderer.enable_depth_rendering()
        depth = self._draw()
        self._renderer.disable_depth_rendering()
        self._renderer.enable_segmentation_rendering()
        ids = self._draw()
        self._renderer.disable_segmentation_rendering()
        geom = np.where(ids[..., 1] == int(mujoco.mjtObj.mjOBJ_GEOM), ids[..., 0], -1)
        return Shot(rgb, depth.astype(np.float32), self._surface[geom].astype(np.int32))


def backend() -> str:
    """Choose EGL, or OSMesa where EGL does not start, before the first picture, and name it."""
    for name in dict.fromkeys((os.environ['MUJOCO_GL'], 'osmesa')):
        if _starts(name):
            os.environ['MUJOCO_GL'] = name
            log.info('rendering with %s', name)
            return name
    raise ValueError(
        'no off-screen renderer starts: install libegl1 and libgl1-mesa-dri, or libosmesa6'
    )


def _starts(name: str) -> bool:
    probe = 'import mujoco; mujoco.GLContext(64, 64).free()'
    environment = {**os.environ, 'MUJOCO_GL': name}
    return not subprocess.run(
        [sys.executable, '-c', probe], env=environment, capture_output=True
    ).returncode
