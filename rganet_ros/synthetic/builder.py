"""Puts things, walls and lights into a MuJoCo specification; what is seen, what collides."""

from __future__ import annotations

import mujoco
import numpy as np
from rganet_ros.synthetic.thing import Thing, WHITE

# Groups of geoms: in the picture and in depth; wires, in the picture alone; what stands for wires
# in depth, and see-through parts, which are added to the picture later; only collided with.
VISIBLE, FINE, CLEAR, HIDDEN = range(4)


class Builder:
    """Adds meshes, pictures and geoms to a MuJoCo specification, inventing names."""

    def __init__(self) -> None:
        self.spec = mujoco.MjSpec()
        self._count = 0
        self._looks: list[list[tuple[str, str, int]]] = []  # of each thing: mesh, material, group

    def _name(self) -> str:
        self._count += 1
        return f'n{self._count}'

    def material(self, picture=None, rgba=WHITE, specular=0.3, shininess=0.4, repeat=1.0):
        """Add a material, with a picture (H, W, 3) uint8 RGB if given; returns its name."""
        name = self._name()
        material = self.spec.add_material(
            name=name, rgba=rgba, specular=specular, shininess=shininess
        )
        if picture is not None:
            texture = self.spec.add_texture(name=name, type=mujoco.mjtTexture.mjTEXTURE_2D)
            texture.height, texture.width, texture.nchannel = picture.shape
            texture.data = picture.tobytes()
            material.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = name
            material.texrepeat = [repeat, repeat]
        return name

    def mesh(self, body, mesh, material: str, position=(0, 0, 0), group: int = VISIBLE) -> str:
        """
        Add a mesh that is seen, at a position in the body's frame; it collides with nothing.

        Returns its name.
        """
        name = self._name()
        faces = np.ascontiguousarray(mesh.faces, int).ravel()
        self.spec.add_mesh(
            name=name, uservert=mesh.vertices.ravel(), usertexcoord=mesh.uv.ravel(),
            userface=faces, userfacetexcoord=faces,
            inertia=mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL,
        )  # fmt: skip
        self._show(body, name, material, position, group)
        return name

    def _show(self, body, mesh: str, material: str, position, group: int) -> None:
        body.add_geom(
            type=mujoco.mjtGeom.mjGEOM_MESH, meshname=mesh, material=material, pos=position,
            contype=0, conaffinity=0, mass=0, group=group,
        )  # fmt: skip

    def box(self, body, half, position, *, material=None, euler=None, **more) -> None:
        """Add a box, hidden without a material: half sizes and position (3,) m, euler degrees."""
        geom = body.add_geom(
            type=mujoco.mjtGeom.mjGEOM_BOX, size=half, pos=position,
            group=HIDDEN if material is None else VISIBLE, **more,
        )  # fmt: skip
        if material is not None:
            geom.material = material
        if euler is not None:
            geom.alt.euler = euler

    def thing(self, thing: Thing, scale: float, position, quaternion) -> None:
        """Add a thing as a free body: position (3,) m and turn (4,), w x y z, in the world."""
        body = self.spec.worldbody.add_body(pos=position, quat=quaternion)
        body.add_freejoint()
        self._looks.append([])
        for part in thing.parts:
            material = self.material(part.texture, part.rgba, part.specular, part.shininess)
            group = FINE if part.fine else CLEAR if part.rgba[3] < 1 else VISIBLE
            mesh = part.mesh._replace(vertices=part.mesh.vertices * scale)
            name = self.mesh(body, mesh, material, group=group)
            self._looks[-1].append((name, material, group))
        for collider in thing.colliders:
            size = np.asarray(collider.size, float) * scale
            place = {'pos': np.array(collider.position) * scale}
            place.update(density=thing.density, group=HIDDEN)
            if collider.shape == 'hull':
                name = self._name()
                convex = mujoco.mjtMeshInertia.mjMESH_INERTIA_CONVEX
                self.spec.add_mesh(name=name, uservert=size.ravel(), inertia=convex)
                body.add_geom(type=mujoco.mjtGeom.mjGEOM_MESH, meshname=name, **place)
            elif collider.shape == 'sphere':
                body.add_geom(type=mujoco.mjtGeom.mjGEOM_SPHERE, size=[*size, 0, 0], **place)
            else:
                body.add_geom(type=mujoco.mjtGeom.mjGEOM_BOX, size=size, **place)

    def copy(self, number: int) -> None:
        """Add a body that looks like the thing of this number, and that nothing moves or meets."""
        body = self.spec.worldbody.add_body()
        for mesh, material, group in self._looks[number]:
            self._show(body, mesh, material, (0, 0, 0), group)

    def light(self, position, target, diffuse, shadow: bool) -> None:
        """Add a spot light: position and target (3,), m in the world; diffuse (3,) RGB, 1 full."""
        self.spec.worldbody.add_light(
            pos=position, dir=np.asarray(target) - position, diffuse=diffuse,
            specular=0.5 * np.asarray(diffuse), castshadow=shadow, cutoff=80, exponent=1,
        )  # fmt: skip

    def compile(self) -> mujoco.MjModel:
        """Compile; no file is touched."""
        return self.spec.compile()
