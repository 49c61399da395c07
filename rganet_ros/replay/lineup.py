"""The models that answer in a replay: an engine for each, a memory for each camera."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rganet_ros import models
from rganet_ros.candidates import CandidateOptions
from rganet_ros.options import make
from rganet_ros.pipeline import open_pipeline, Pipeline
from rganet_ros.predictor import Predictor, PredictorOptions
from rganet_ros.types import Frame


class Lineup:
    """
    Pipelines by model and camera, opened when they are first needed.

    labels  what each open model is called: its name, and what tells it from another of that name
    """

    def __init__(
        self,
        options: dict,
        compared: Sequence[str],
        candidates: CandidateOptions,
        say: Callable[[str], None],
    ):
        """Take plain predictor options (without a model in them the frames decide) and others."""
        self._options, self._compared, self._candidates = options, compared, candidates
        self._say = say
        self._pipelines: dict[tuple[str, str], Pipeline] = {}
        self._first: dict[str, Pipeline] = {}  # by model: it owns the engine
        self.labels: dict[str, str] = {}

    def of(self, frame: Frame, camera: str) -> list[tuple[str, Pipeline]]:
        """Give what is to answer a frame of a camera, by label; the first is the one asked for."""
        default = models.RGB if frame.depth is None else models.RGBD
        asked = dict.fromkeys([self._options.get('model') or default, *self._compared])
        return [(self._label(model), self._pipeline(model, camera)) for model in asked]

    def _label(self, model: str) -> str:
        if model not in self._first:
            self._open(model)
        return self.labels[model]

    def _open(self, model: str) -> None:
        options = {**self._options, 'model': model}
        if 'fake' in (model, options.get('backend')) and model in self._compared:
            options['backend'] = 'fake' if model == 'fake' else 'auto'
        pipeline = open_pipeline(make(PredictorOptions, options), self._candidates)
        self._first[model] = pipeline
        about = pipeline.predictor.model
        taken = about.name in self.labels.values()
        self.labels[model] = f'{about.name}-{about.sha256[:8]}' if taken else about.name
        engine = ', '.join(f'{k} {v}' for k, v in pipeline.predictor.backend.describe().items())
        self._say(f'model {self.labels[model]}: {engine}')
        for warning in pipeline.warnings:
            self._say(f'warning: {warning}')

    def _pipeline(self, model: str, camera: str) -> Pipeline:
        key = model, camera
        if key not in self._pipelines:
            first = self._first[model].predictor
            own = Predictor(first.model, first.backend, first.state_gap, first.scene_cut)
            self._pipelines[key] = Pipeline(own, self._candidates)
        return self._pipelines[key]

    def reset(self) -> None:
        """Forget past frames: another input begins."""
        self._pipelines.clear()

    def describe(self) -> dict[str, dict]:
        """Say by label which file answers, in which engine."""
        return {
            self.labels[model]: {
                'sha256': pipeline.predictor.model.sha256,
                **pipeline.predictor.backend.describe(),
            }
            for model, pipeline in self._first.items()
        }

    def close(self) -> None:
        """Free the engines."""
        for pipeline in self._first.values():
            pipeline.close()
