"""From a frame to a detection: the whole idea on one screen."""

from __future__ import annotations

import time

import cv2
import numpy as np
from rganet_ros.candidates import CandidateOptions, find_candidates
from rganet_ros.predictor import open_predictor, Predictor, PredictorOptions
from rganet_ros.types import Detection, Frame


class Pipeline:
    """
    A predictor and what a candidate must be; options may be replaced between frames.

    warnings  sentences a person should read once
    """

    def __init__(self, predictor: Predictor, options: CandidateOptions | None = None):
        """Take an open predictor."""
        self.predictor = predictor
        self.options = options or CandidateOptions()

    def __call__(
        self,
        frame: Frame,
        inside: np.ndarray | None = None,
        workspace_pose: np.ndarray | None = None,
    ) -> Detection:
        """
        Find where the cup may hold in a frame; ValueError where the model cannot take it.

        inside          (H, W) bool, where candidates may be; None: everywhere
        workspace_pose  (4, 4), of the optical frame in that of options.workspace; None: the same
        """
        started = time.perf_counter()
        affordance, labels, ms = self.predictor.predict(frame)
        predicted = time.perf_counter()
        allowed = affordance if inside is None else cv2.copyTo(affordance, inside.view(np.uint8))
        candidates = find_candidates(
            allowed, frame.depth, frame.camera, self.options, workspace_pose
        )
        done = time.perf_counter()
        ms |= {'candidates': 1e3 * (done - predicted), 'total': 1e3 * (done - started)}
        return Detection(affordance, labels, candidates, ms)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is likely a mistake, a sentence each."""
        trained, asked = self.predictor.model.card['cup_radius'], self.options.cup_radius
        if abs(asked - trained) < 1e-6:
            return ()
        return (
            f'cup_radius is {1e3 * asked:g} mm, model {self.predictor.model.name} was trained for '
            f'{1e3 * trained:g} mm: its affordance is for that cup',
        )

    def reset(self) -> None:
        """Forget past frames."""
        self.predictor.reset()

    def close(self) -> None:
        """Free the engine."""
        self.predictor.close()


def open_pipeline(
    predictor: PredictorOptions | None = None, candidates: CandidateOptions | None = None
) -> Pipeline:
    """Load a model into an engine, warmed up, behind a pipeline."""
    return Pipeline(open_predictor(predictor or PredictorOptions()), candidates)
