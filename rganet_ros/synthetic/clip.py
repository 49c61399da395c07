"""
A clip: one camera drifts over one settled scene, which is emptied in the clip's second half.

As frames of a data set, with the sensor's full noise and true flow, or as a bag.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from rganet_ros import record
from rganet_ros.synthetic import flow, objects, render, view
from rganet_ros.synthetic.recipe import Recipe
from rganet_ros.synthetic.sample import photograph, Sample
from rganet_ros.synthetic.scene import Scene
from rganet_ros.types import Frame, SUCTIONABLE
from rich.progress import track

START = 1_750_000_000  # s, of the first frame
FRAME_ID = 'camera_color_optical_frame'
SWING = 0.12  # rad, to either side
QUIET = 0.25  # of a training frame's noise, for bags: what is noise does not compress
EVERY = 2  # frames between one thing taken away and the next


class SteadyCamera(np.random.Generator):
    """Draws the same numbers for every frame of a camera, but other fields: its noise."""

    def __init__(self, key: list[int], frame: int, noise: float = 1.0) -> None:
        super().__init__(np.random.PCG64(key))
        self._noise = np.random.default_rng([*key, frame])
        self._strength = noise

    def standard_normal(self, size=None, *more):
        """Draw as Generator does; fields, which have a shape, from the frame's own stream."""
        if isinstance(size, tuple):
            return self._strength * self._noise.standard_normal(size, *more)
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


def samples(
    recipe: Recipe, split: str, seed: int, index: int, count: int, noise: float = 1.0
) -> Iterator[Sample]:
    """
    Make `count` consecutive frames of the scene and the camera that frame `index` has.

    noise  of a training frame's; all but the first have the flow to the one before
    """
    number, at = divmod(index, recipe.views)
    key = [seed, objects.SPLITS.index(split), number]
    scene = Scene(np.random.default_rng(key), split, recipe)
    middle, before = np.array([0, 0, scene.container.height / 3]), None
    with render.Renderer(scene) as renderer:
        for frame in range(count):
            rng = SteadyCamera([*key, at], frame, noise)
            angle = -SWING * np.cos(np.pi * frame / max(count - 1, 1))
            seen = _swung(view.draw(rng, scene.container, recipe), middle, angle)
            sample = photograph(rng, scene, renderer, seen, recipe)
            now = _moment(scene, sample)
            yield sample._replace(flow=flow.backward(now, before) if before else None)
            before = now
            gone = frame + 1 - count // 2
            if gone >= 0 and gone % EVERY == 0 and (best := _best(sample)) is not None:
                scene.remove(best)
                scene.settle()


def _moment(scene: Scene, sample: Sample) -> flow.Moment:
    ids = scene.body_ids
    return flow.Moment(
        sample.true_depth, sample.instance, sample.camera, sample.pose,
        scene.data.xpos[ids].copy(), scene.data.xmat[ids].reshape(-1, 3, 3).copy(),
    )  # fmt: skip


def write_bag(
    path: Path, recipe: Recipe, split: str, seed: int, index: int, count: int, period: float
) -> None:
    """Write a clip as a camera's driver would publish it, `period` seconds between frames."""
    taken = samples(recipe, split, seed, index, count, QUIET)
    with record.Writer(path) as writer:
        for k, sample in enumerate(track(taken, 'frames', total=count)):
            stamp = START * 1_000_000_000 + round(k * period * 1e9)
            frame = Frame(sample.rgb, sample.depth, sample.camera, stamp, FRAME_ID)
            record.write_frame(writer, frame, sample.pose)
