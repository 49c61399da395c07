"""What becomes of a set of messages, in the worker's thread: decoded, detected, published."""

from __future__ import annotations

import time
import traceback

from rganet_ros import decode
from rganet_ros.node.diagnostics import Notices, Tally
from rganet_ros.node.outputs import Outputs
from rganet_ros.node.pairing import Set
from rganet_ros.node.parameters import Parameters
from rganet_ros.pipeline import Pipeline
from rganet_ros.types import Detection, Frame


class Frames:
    """
    A pipeline between messages in and messages out.

    parameters are read anew with each frame, so that live ones act at once.
    """

    def __init__(
        self, node, pipeline: Pipeline, outputs: Outputs, parameters: Parameters, tally: Tally
    ):
        """Take what is open already; the node gives its clock and its logger."""
        self.pipeline, self.outputs = pipeline, outputs
        self._parameters, self._tally = parameters, tally
        self._clock, self._logger = node.get_clock(), node.get_logger()
        self._warn = Notices(self._logger.warning)
        self._last_header = None

    def __call__(self, messages: Set) -> None:
        """Handle a set; raises what the engine, or publishing, raised twice."""
        taken = time.perf_counter()
        options = self._parameters.node
        if self._is_old(messages.stamp, options.max_age):
            return
        try:
            frame = decode.frame(messages.image, messages.depth, messages.info)
        except decode.Undecodable as error:
            self.drop(error.reason, f'a frame cannot be used: {error}')
            return
        decoded = time.perf_counter()
        found = self._detect(frame)
        detected = time.perf_counter()
        if self._is_old(messages.stamp, options.max_age):  # by now
            return
        self._last_header = messages.image.header
        radius = self._parameters.candidates.cup_radius
        self.outputs.publish(self._last_header, frame, found, options.output_scale, radius)
        done = time.perf_counter()
        seconds = {
            'wait': taken - messages.arrived, 'decode': decoded - taken,
            'publish': done - detected, 'all': done - messages.arrived,
        }  # fmt: skip
        times = found.ms | {name: 1e3 * value for name, value in seconds.items()}
        if messages.stamp:
            times['age'] = 1e3 * self._age(messages.stamp)
        self._tally.frame(times)

    def drop(self, reason: str, sentence: str) -> None:
        """Count what is not published, and say why, not too often."""
        self._tally.drop(reason)
        self._warn(reason, sentence)

    def end(self) -> None:
        """Publish that there is nothing to pick any more, and forget past frames."""
        self.pipeline.predictor.reset('deactivated')
        header, self._last_header = self._last_header, None
        if header is not None:
            self.outputs.publish_end(header)

    def _is_old(self, stamp: int, most: float) -> bool:
        """Drop what is older than may be published."""
        old = bool(most and stamp and self._age(stamp) > most)
        if old:
            self.drop('old', f'a picture is older than max_age, {most:g} s: dropped')
        return old

    def _age(self, stamp: int) -> float:
        """Seconds since a stamp, by the node's clock."""
        return 1e-9 * (self._clock.now().nanoseconds - stamp)

    def _detect(self, frame: Frame) -> Detection:
        try:
            return self.pipeline(frame)
        except Exception:
            self._logger.error(f'the engine failed, trying once more: {traceback.format_exc()}')
            self.pipeline.predictor.reset('failure')
            return self.pipeline(frame)
