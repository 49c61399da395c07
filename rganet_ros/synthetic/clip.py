"""A clip: one camera drifts over one settled scene, which is emptied in the clip's second half."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from rganet_ros.synthetic import objects, render, view
from rganet_ros.synthetic.recipe import Recipe
from rganet_ros.synthetic.sample import photograph, Sample
from rganet_ros.synthetic.scene import Scene
from rganet_ros.types import Frame, SUCTIONABLE

START = 1_750_000_000  # s, of the first frame
SWING = 0.12  # rad, to either side
QUIET = 0.25  # of a training frame's noise: what is noise does not compress
EVERY = 2  # frames between one thing taken away and the next


class SteadyCamera(np.random.Generator):
    """Draws the same numbers for every frame of a camera, but other fields: its noise."""

    def __init__(self, key: list[int], frame: int) -> None:
        super().__init__(np.random.PCG64(key))
        self._noise = np.random.default_rng([*key, frame])

    def standard_normal(self, size=None, *more):
        """Draw as Generator does; fields, which have a shape, from the frame's own stream."""
        if isinstance(size, tuple):
            return QUIET * self._noise.standard_normal(size, *more)
        return super().standard_normal(size, *more)

    def random(self, size=None, *more):
        """Draw as Generator does; fields, which have a shape, from the frame's own stream."""
        return (self._noise.random if isinstance(size, tuple) else super().random)(size, *more)


def _swung(seen: view.View, middle: np.ndarray, angle: float) -> view.View:
    """Go around `middle` (3,), sideways in the picture, by this angle, rad."""
    turn = cv2.Rodrigues(seen.rotation[:, 1] * angle)[0]
    return seen._replace(
        position=middle + turn @ (seen.position - middle), rotation=turn @ seen.rotation
    )


def _best(sample: Sample) -> int | None:
    """Return the number of the thing with the most suctionable pixels; None without any."""
    area = np.bincount(sample.instance[sample.label == SUCTIONABLE])
    return int(area.argmax()) - 1 if area.size else None


def samples(recipe: Recipe, split: str, seed: int, index: int, count: int) -> Iterator[Sample]:
    """Make `count` consecutive frames of the scene and the camera that frame `index` has."""
    number, at = divmod(index, recipe.views)
    key = [seed, objects.SPLITS.index(split), number]
    scene = Scene(np.random.default_rng(key), split, recipe)
    middle = np.array([0, 0, scene.container.height / 3])
    with render.Renderer(scene) as renderer:
        for frame in range(count):
            rng = SteadyCamera([*key, at], frame)
            angle = -SWING * np.cos(np.pi * frame / max(count - 1, 1))
            seen = _swung(view.draw(rng, scene.container), middle, angle)
            sample = photograph(rng, scene, renderer, seen, recipe)
            yield sample
            gone = frame + 1 - count // 2
            if gone >= 0 and gone % EVERY == 0 and (best := _best(sample)) is not None:
                scene.remove(best)
                scene.settle()


def frames(
    recipe: Recipe, split: str, seed: int, index: int, count: int, period: float
) -> Iterator[Frame]:
    """Make the frames of a clip as a camera's driver gives them, `period` seconds apart."""
    for k, sample in enumerate(samples(recipe, split, seed, index, count)):
        stamp = START * 1_000_000_000 + round(k * period * 1e9)
        yield Frame(sample.rgb, sample.depth, sample.camera, stamp, 'camera_color_optical_frame')
