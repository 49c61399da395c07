"""A frame to affordance and labels, through an engine; the only memory of past frames."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
import time
from typing import Annotated, NamedTuple

import numpy as np
from rganet_ros import models
from rganet_ros.letterbox import model_inputs, undo
from rganet_ros.models import Model
from rganet_ros.options import OneOf, Range
from rganet_ros.runtime import Backend, BACKENDS, load, MIXED, PRECISIONS, Settings
from rganet_ros.types import Camera, CLASSES, Frame

JUMP_BACK = 500_000_000  # ns; a stamp further back is a looped bag or a new clock


@dataclass(frozen=True)
class PredictorOptions:
    """Which model runs, in which engine, and how long it remembers."""

    model: Annotated[
        str, 'name of a shipped model, or the path of an .onnx file; fake with backend fake'
    ] = models.RGBD
    backend: Annotated[
        str,
        OneOf(('auto', *BACKENDS)),
        'engine; auto is tensorrt where it and a GPU are, openvino on x86, else onnxruntime',
    ] = 'auto'
    precision: Annotated[
        str,
        OneOf(('model', *PRECISIONS, MIXED)),
        'of arithmetic; model: that of the model file; openvino runs files in fp32 in bf16 too, '
        'and files in int8 in int8+bf16',
    ] = 'model'
    device: Annotated[
        str, 'auto, cpu, gpu or cuda:0; onnxruntime takes several, in order of choice: cuda:0,cpu'
    ] = 'auto'
    build_engine: Annotated[
        str,
        OneOf(('never', 'if_missing')),
        'tensorrt: whether loading builds an engine that is missing, which takes minutes',
    ] = 'never'
    cache: Annotated[str, "folder of built engines; '': in that of the user's caches"] = ''
    compiled: Annotated[
        bool,
        'torch: compile the network at the start, a minute or more; on a GPU with CUDA graphs',
    ] = False
    threads: Annotated[
        int,
        Range(0, 256),
        'of the engine on the CPU, and in the node of OpenCV too; 0: the engine chooses, in the '
        'node one for each core, 4 at most',
    ] = 0
    state_gap: Annotated[
        float, Range(0, 3600), 'gap of stamps after which past frames are forgotten, seconds'
    ] = 1.0
    scene_cut: Annotated[
        float, Range(0, 1), 'mean change of the picture (1: black to white) above which past '
        'frames are forgotten; 0: never',
    ] = 0.0  # fmt: skip


class Prediction(NamedTuple):
    """
    What a model says of a frame.

    affordance  (H, W) float32 in 0..1, on the frame's own pixels
    labels      (H, W) uint8 class ids
    ms          milliseconds: letterbox, infer, undo
    """

    affordance: np.ndarray
    labels: np.ndarray
    ms: dict[str, float]


class _Seen(NamedTuple):
    """What must be known of the last frame; of its picture a few pixels are kept."""

    shape: tuple[int, ...]
    frame_id: str
    camera: Camera | None
    stamp: int
    look: np.ndarray

    @classmethod
    def of(cls, frame: Frame) -> _Seen:
        look = frame.rgb[::16, ::16, 1].astype(np.float32) / 255
        return cls(frame.rgb.shape, frame.frame_id, frame.camera, frame.stamp, look)


class Predictor:
    """
    A model in an engine, and what it remembers of one camera.

    resets      how often the memory was dropped, by reason: gap, jump_back, size, camera, cut,
                asked
    remembered  how many past frames the next one will be told of
    window      how many that may be: 0 for a model without memory
    """

    def __init__(
        self, model: Model, backend: Backend, state_gap: float = 1.0, scene_cut: float = 0.0
    ):
        """Take a loaded backend; state_gap and scene_cut as in PredictorOptions."""
        self.model, self.backend = model, backend
        self.state_gap, self.scene_cut = state_gap, scene_cut
        self.window = model.card.get('config', {}).get('frames', 1) - 1
        self.remembered = 0
        self.size = tuple(model.card['size'])
        self.takes_depth = bool(model.card['depth'])
        self.resets: Counter[str] = Counter()
        self._state = backend.new_state()
        self._last: _Seen | None = None

    def warm_up(self) -> None:
        """Run once on black, so that the first frame is as fast as the others; forget it."""
        zeros = {
            name: np.zeros(spec.shape, spec.dtype) for name, spec in self.backend.inputs.items()
        }
        self.backend.run(zeros, self.backend.new_state())

    def reset(self, reason: str = 'asked') -> None:
        """Forget past frames."""
        self._state, self._last = self.backend.new_state(), None
        self.remembered = 0
        self.resets[reason] += 1

    def predict(self, frame: Frame) -> Prediction:
        """Run the model on a frame; ValueError where it takes depth and the frame has none."""
        if self.takes_depth and frame.depth is None:
            raise ValueError(
                f'model {self.model.name} takes depth and the frame has none: '
                f'bring depth, or choose a model for colour only ({models.RGB})'
            )
        now = _Seen.of(frame)
        reason = self._break(now)
        if reason:
            self.reset(reason)
        started = time.perf_counter()
        depth = frame.depth if self.takes_depth else None
        arrays, spot = model_inputs(frame.rgb, depth, self.size)
        placed = time.perf_counter()
        out = self.backend.run(arrays, self._state)
        self._last, self.remembered = now, min(self.remembered + 1, self.window)
        ran = time.perf_counter()
        affordance = undo(out['affordance'][0], spot)
        labels = undo(out['labels'][0], spot, nearest=True)
        done = time.perf_counter()
        ms = {'letterbox': placed - started, 'infer': ran - placed, 'undo': done - ran}
        return Prediction(affordance, labels, {stage: 1e3 * s for stage, s in ms.items()})

    def _break(self, now: _Seen) -> str:
        """Say why the frame does not continue what is remembered, or ''."""
        last = self._last
        if last is None:
            return ''
        if now.shape != last.shape:
            return 'size'
        if (now.frame_id, now.camera) != (last.frame_id, last.camera):
            return 'camera'
        if now.stamp < last.stamp - JUMP_BACK:
            return 'jump_back'
        if now.stamp > last.stamp + self.state_gap * 1e9:
            return 'gap'
        if self.scene_cut and np.abs(now.look - last.look).mean() > self.scene_cut:
            return 'cut'
        return ''

    def close(self) -> None:
        """Free the engine."""
        self.backend.close()


def open_predictor(options: PredictorOptions, classes: Sequence[str] = CLASSES) -> Predictor:
    """Find the model, load it and warm it up; ValueError where it tells other classes."""
    if options.backend == 'fake' or options.model == 'fake':
        if (options.backend, options.model) != ('fake', 'fake'):
            raise ValueError(
                f'model {options.model!r}, backend {options.backend!r}: fake goes with fake only'
            )
        from rganet_ros.runtime.fake_backend import MODEL as model
    else:
        model = models.find(options.model)
    if (told := model.card['classes']) != list(classes):
        raise ValueError(
            f'model {model.name} tells {", ".join(told)}; expected are {", ".join(classes)}: '
            'choose a model that was trained on those'
        )
    settings = {name: getattr(options, name) for name in Settings._fields}
    backend = load(options.backend, model, **settings)
    predictor = Predictor(model, backend, options.state_gap, options.scene_cut)
    predictor.warm_up()
    return predictor
