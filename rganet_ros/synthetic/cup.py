"""The cups that a label may be made for: all constants of the label, with units and reasons."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Cup:
    """The cup, the arm behind it, and what it forgives: another cup is another Cup."""

    radius: float = 0.015  # m, of the lip
    lip_points: int = 16  # around the lip
    inner_points: int = 8  # around half the radius
    least_share: float = 0.93  # of the lip on the object: below it the score is 0, above it linear
    lip_tolerance: float = 0.0020  # m, residual to the plane at which the seal is at one half
    cone_free: float = 0.0035  # m, mean height of the lip over the centre that the bellows take up
    cone_range: float = 0.0020  # m, beyond that until nothing seals
    inner_free: float = 0.0015  # m, roughness under the cup that does not matter
    inner_range: float = 0.0015  # m, beyond that until nothing seals
    reach_full: float = np.radians(35)  # rad from the way out of the container: no loss
    reach_none: float = np.radians(60)  # rad: the arm cannot get there
    clearance_radii: tuple[float, ...] = (0.020, 0.027)  # m, of the cup's holder above the lip
    clearance_points: int = 12
    clearance_height: float = 0.008  # m above the tangent plane: what stands higher is in the way
    clearance_share: float = 0.17  # of a ring blocked: no room
    pressure: float = 35e3  # Pa, what a small ejector reaches on packaging
    porous_pressure: float = 0.0  # Pa, what is left where air comes through cloth; 0: it is lost
    friction: float = 0.5  # rubber on packaging
    gravity: float = 9.81  # m/s2
    stride: int = 2  # px, of the grid on which the score is worked out
    smoothing: float = 1.2  # px, Gaussian over the score
    threshold: float = 0.30  # passes cylinders of radius 24 mm and more
    least_area: int = 60  # px, of a suctionable region

    def force(self, porous: np.ndarray | bool = False) -> np.ndarray:
        """Newtons that hold the lip on: where porous and where not."""
        return np.where(porous, self.porous_pressure, self.pressure) * np.pi * self.radius**2


# 'strong' is the cup of those who annotated Zeng's set: a wide bellows on a strong pump, which
# takes cloth, film and rougher places, and which was given the benefit of doubt. On what is closed
# it holds as the rigid one does: with less pressure everywhere it would not lift a heavy carton.
CUPS = {
    'rigid': Cup(),
    'strong': Cup(
        least_share=0.8,  # the pump outruns a small gap under the lip
        lip_tolerance=0.0035,  # a soft lip follows cloth, film and cylinders of radius 18 mm
        cone_free=0.005, cone_range=0.003,  # two bellows
        inner_free=0.003, inner_range=0.003,  # folds drawn up into the cup close it
        porous_pressure=15e3,  # what is left at a high flow
    ),
}  # fmt: skip
