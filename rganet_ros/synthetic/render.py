"""Pictures of a scene, without a window: colour, depth along z, and whose each pixel is."""

from __future__ import annotations

import atexit
from functools import cache
import os
from typing import NamedTuple

import mujoco
import numpy as np
from rganet_ros.synthetic.builder import CLEAR, FINE, VISIBLE
from rganet_ros.synthetic.scene import Scene
from rganet_ros.synthetic.view import View

# A picture is the mean of as many as there are rows: x and y within a pixel (px), which smooths
# edges, and where in the lamp the light comes from (share of its radius), which softens shadows.
JITTER = (
    (-0.33, -0.17, 1.0, 0.0), (0.17, -0.33, -0.5, 0.87), (0.16, 0.5, -0.5, -0.87),
)  # fmt: skip


class Shot(NamedTuple):
    """
    What the renderer gives, without noise.

    rgb      (H, W, 3) float32, 0..1, without what is see-through
    depth    (H, W) float32 metres along the optical frame's z, also of what is see-through
    surface  (H, W) int32: -1 container, 0 surroundings, k + 1 the thing k
    rgba     (H, W, 4) float32 0..1, the material's colour; the last is below 1 where see-through
    """

    rgb: np.ndarray
    depth: np.ndarray
    surface: np.ndarray
    rgba: np.ndarray


@cache
def _context() -> mujoco.GLContext:
    """Make the context of this process: shaders are compiled for it once, not for each scene."""
    context = mujoco.GLContext(64, 64)  # the size of pictures is the model's
    atexit.register(context.free)  # later the interpreter lacks what freeing it needs
    return context


def _metres(raw: np.ndarray, model: mujoco.MjModel) -> np.ndarray:
    """Depth buffer (H, W), 1 at the near plane and 0 at the far one, to metres."""
    near, far = (model.stat.extent * edge for edge in (model.vis.map.znear, model.vis.map.zfar))
    return near * far / (near + raw.astype(np.float64) * (far - near))


class Renderer:
    """Renders one scene; use as a context, the graphics memory is freed at its end."""

    def __init__(self, scene: Scene) -> None:
        self._scene, model = scene, scene.model
        visual = model.vis.global_
        self._rect = mujoco.MjrRect(0, 0, visual.offwidth, visual.offheight)
        self._drawn = mujoco.MjvScene(model, maxgeom=model.ngeom + 8)
        _context().make_current()
        self._memory = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_50)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, self._memory)
        self._memory.readDepthMap = mujoco.mjtDepthMap.mjDEPTH_ZEROFAR
        self._surface = np.append(scene.surface_of_geoms(), 0).astype(np.int32)
        rgba = np.where(model.geom_matid[:, None] < 0, 1, model.mat_rgba[model.geom_matid])
        self._rgba = np.append(rgba, np.ones((1, 4)), 0).astype(np.float32)

    def __enter__(self) -> Renderer:
        return self

    def __exit__(self, *_) -> None:
        self._memory.free()

    def _update(self, groups: tuple[int, ...]) -> None:
        option, camera = mujoco.MjvOption(), mujoco.MjvCamera()
        option.geomgroup[:] = np.isin(np.arange(len(option.geomgroup)), groups)
        camera.type, camera.fixedcamid = mujoco.mjtCamera.mjCAMERA_FIXED, 0
        mujoco.mjv_updateScene(
            self._scene.model, self._scene.data, option, None, camera,
            mujoco.mjtCatBit.mjCAT_ALL, self._drawn,
        )  # fmt: skip

    def _read(self, depth: np.ndarray | None = None) -> np.ndarray:
        picture = np.empty((self._rect.height, self._rect.width, 3), np.uint8)
        mujoco.mjr_render(self._rect, self._drawn, self._memory)
        mujoco.mjr_readPixels(picture, depth, self._rect, self._memory)
        return picture[::-1]

    def _colour(self) -> np.ndarray:
        """Draw (H, W, 3) float32, 0..1, smoothed by JITTER."""
        total = np.zeros((self._rect.height, self._rect.width, 3), np.float32)
        for right, down, *lamp in JITTER:
            self._update((VISIBLE, FINE))
            for camera in (self._drawn.camera[0], self._drawn.camera[1]):  # it uses their mean
                pixel = (camera.frustum_top - camera.frustum_bottom) / self._rect.height
                camera.frustum_center += right * pixel
                camera.frustum_top -= down * pixel
                camera.frustum_bottom -= down * pixel
            for light in self._drawn.lights[: self._drawn.nlight]:
                if not light.headlight:
                    light.pos[:2] += self._scene.lamp_radius * np.array(lamp)
            total += self._read()
        return total / (255 * len(JITTER))

    def _identify(self) -> tuple[np.ndarray, np.ndarray]:
        """Draw geom ids (H, W), -1 nothing, and depth (H, W) float32 metres."""
        self._update((VISIBLE, CLEAR))
        flags = (mujoco.mjtRndFlag.mjRND_SEGMENT, mujoco.mjtRndFlag.mjRND_IDCOLOR)
        raw = np.empty((self._rect.height, self._rect.width), np.float32)
        for flag in flags:
            self._drawn.flags[flag] = 1
        code = self._read(raw) @ np.array([1, 1 << 8, 1 << 16])
        for flag in flags:
            self._drawn.flags[flag] = 0
        geom_of_code = np.full(self._drawn.ngeom + 1, -1)  # 0 is nothing
        for geom in self._drawn.geoms[: self._drawn.ngeom]:
            if geom.segid >= 0 and geom.objtype == mujoco.mjtObj.mjOBJ_GEOM:
                geom_of_code[geom.segid + 1] = geom.objid
        depth = _metres(raw[::-1], self._scene.model)
        return geom_of_code[code], depth.astype(np.float32)

    def shoot(self, view: View) -> Shot:
        """Render a view."""
        model, data = self._scene.model, self._scene.data
        model.cam_fovy[0] = np.degrees(view.fovy)
        model.cam_pos[0] = view.position
        axes = view.rotation * [1, -1, -1]  # OpenGL's camera: y up, looking along -z
        mujoco.mju_mat2Quat(model.cam_quat[0], axes.ravel())
        if self._scene.intruder is not None:
            self._scene.intruder.follow(view, model)
        mujoco.mj_kinematics(model, data)
        mujoco.mj_camlight(model, data)
        geom, depth = self._identify()
        return Shot(self._colour(), depth, self._surface[geom], self._rgba[geom])


def backend() -> str:
    """Name what draws; it was chosen when the package was imported."""
    return os.environ['MUJOCO_GL']
