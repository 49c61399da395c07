"""What becomes of a set of messages, in the worker's thread: decoded, detected, published."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
import dataclasses
import os
import time
import traceback

import cv2
import numpy as np
from rganet_ros import decode, models, region
from rganet_ros.node.diagnostics import Notices, Tally
from rganet_ros.node.encode import Target
from rganet_ros.node.lens import distorts
from rganet_ros.node.outputs import Outputs
from rganet_ros.node.pairing import Set
from rganet_ros.node.parameters import Parameters
from rganet_ros.node.transforms import Transforms
from rganet_ros.node.worker import Worker
from rganet_ros.pipeline import open_pipeline, Pipeline
from rganet_ros.predictor import Predictor
from rganet_ros.registration import apart
from rganet_ros.types import Detection, Frame


class Frames:
    """
    A pipeline between messages in and messages out.

    parameters are read anew with each frame, so that live ones act at once.

    mask  (h, w) bool, where candidates may be; the last one that came
    """

    def __init__(
        self, node, pipeline: Pipeline, outputs: Outputs, parameters: Parameters, tally: Tally,
        transforms: Transforms | None, background: np.ndarray | None,
    ):  # fmt: skip
        """
        Take what is open already; the node gives its clock and its logger.

        transforms  where parameters ask for other frames
        background  (H, W) metres, the depth of the empty tote
        """
        self.pipeline, self.outputs = pipeline, outputs
        self.mask: np.ndarray | None = None
        self._transforms, self._background = transforms, background
        self._lens = b''  # of which was said how far it distorts
        self._parameters, self._tally = parameters, tally
        self._clock, self._logger = node.get_clock(), node.get_logger()
        self._warn = Notices(self._logger.warning)
        self._last_header = None

    def __call__(self, messages: Set) -> tuple[int | None, str]:
        """
        Handle a set; raises what the engine, or publishing, raised twice.

        Returns how many candidates were published; None, and why, where the set cannot be used.
        """
        taken = time.perf_counter()
        options = self._parameters.node
        if why := self._too_old(messages.stamp, options.max_age):
            return None, why
        try:
            frame = decode.frame(
                *messages[:3],
                messages.depth_info,
                self._parameters.lens.rectify,
                self._depth_pose(messages),
            )
            inside = self._inside(frame)
            workspace = self._pose(options.workspace_frame, frame)
            target = self._pose(options.target_frame, frame)
        except decode.Undecodable as error:
            return None, self.drop(error.reason, f'a frame cannot be used: {error}')
        if not self._parameters.lens.rectify:
            self._look_at_lens(messages.info)
        decoded = time.perf_counter()
        found = self._detect(frame, inside, workspace)
        detected = time.perf_counter()
        if why := self._too_old(messages.stamp, options.max_age):  # by now
            return None, why
        self._last_header = messages.image.header
        self.outputs.publish(
            self._last_header, frame, found, options.output_scale,
            self._parameters.candidates.cup_radius,
            None if target is None else Target(options.target_frame, target),
        )  # fmt: skip
        done = time.perf_counter()
        seconds = {
            'wait': taken - messages.arrived, 'decode': decoded - taken,
            'publish': done - detected, 'all': done - messages.arrived,
        }  # fmt: skip
        times = found.ms | {name: 1e3 * value for name, value in seconds.items()}
        if messages.stamp:
            times['age'] = 1e3 * self._age(messages.stamp)
        self._tally.frame(times, len(found.candidates))
        return len(found.candidates), ''

    def _inside(self, frame: Frame) -> np.ndarray | None:
        """Find where candidates may be, (H, W) bool; None where nothing limits that."""
        mask = self.mask if self._parameters.node.workspace_mask else None
        if mask is None and self._parameters.node.workspace_mask:
            raise decode.Undecodable(
                'workspace_mask',
                'parameter workspace_mask is true and no mask came: publish one (mono8, 0 '
                'outside) on topic workspace_mask, or set it to false',
            )
        change = self._parameters.region.background_change
        return region.Region(mask, self._background, change).inside(frame)

    def _pose(self, frame_id: str, frame: Frame) -> np.ndarray | None:
        """Find the pose of the optical frame in another; None where none is asked for."""
        if not frame_id or self._transforms is None:
            return None
        return self._transforms.pose(frame_id, frame.frame_id, frame.stamp)

    def _depth_pose(self, messages: Set) -> np.ndarray | None:
        """Find where depth was taken, from where colour was; None where it is not to be asked."""
        if messages.depth is None or not self._parameters.lens.register_depth:
            return None
        frames = messages.image.header.frame_id, messages.depth.header.frame_id
        return self._transforms.pose(*frames, messages.stamp) if apart(*frames) else None

    def _look_at_lens(self, info) -> None:
        """Say once for each lens by how much a raw picture would be wrong."""
        lens = b'' if info is None else np.concatenate([info.d, info.k, info.p]).tobytes()
        if lens == self._lens:
            return
        self._lens = lens
        if info is not None and (why := distorts('camera_info', info)):
            self._logger.warning(why)

    def drop(self, reason: str, sentence: str) -> str:
        """Count what is not published, and say why, not too often; returns the sentence."""
        self._tally.drop(reason)
        self._warn(reason, sentence)
        return sentence

    def end(self) -> None:
        """Publish that there is nothing to pick any more; forget past frames and the mask."""
        self.mask = None  # who published it may be gone: it comes again, or there is none
        self.pipeline.predictor.reset('deactivated')
        self._tally.candidates = None
        header, self._last_header = self._last_header, None
        if header is not None:
            self.outputs.publish_end(header)

    def _too_old(self, stamp: int, most: float) -> str:
        """Drop what is older than may be published; returns why, '' where it is not."""
        if not (most and stamp and self._age(stamp) > most):
            return ''
        return self.drop('old', f'a picture is older than max_age, {most:g} s: dropped')

    def _age(self, stamp: int) -> float:
        """Seconds since a stamp, by the node's clock."""
        return 1e-9 * (self._clock.now().nanoseconds - stamp)

    def _detect(self, frame: Frame, inside, workspace_pose) -> Detection:
        try:
            return self.pipeline(frame, inside, workspace_pose)
        except Exception:
            self._logger.error(f'the engine failed, trying once more: {traceback.format_exc()}')
            self.pipeline.predictor.reset('failure')
            return self.pipeline(frame, inside, workspace_pose)

    def close(self) -> None:
        """Let go of publishers and transforms; the pipeline is closed in the worker."""
        self.outputs.close()
        if self._transforms is not None:
            self._transforms.close()


def open_frames(
    node, worker: Worker, parameters: Parameters, tally: Tally, remember: Callable
) -> Frames:
    """Open all that the parameters ask for, the engine in the worker; ValueError if it fails."""
    options = parameters.predictor
    # One figure for every pool; BLAS has one thread (see the package).
    threads = options.threads or min(4, len(os.sched_getaffinity(0)))
    cv2.setNumThreads(threads)
    options = dataclasses.replace(options, threads=threads)
    background = region.read_background(parameters.region.background_depth)
    need_tf2 = {
        'target_frame': parameters.node.target_frame,
        'workspace_frame': parameters.node.workspace_frame,
        'register_depth': parameters.lens.register_depth,
    }
    asked = [name for name, value in need_tf2.items() if value]
    transforms = Transforms(node, asked[0]) if asked else None
    with ExitStack() as opened:  # what is open is closed again where the rest fails
        if transforms is not None:
            opened.callback(transforms.close)
        pipeline = worker.call(open_pipeline, options, parameters.candidates)
        opened.callback(worker.call, pipeline.close)
        _check_depth(pipeline.predictor, parameters)
        outputs = Outputs(node, remember)
        opened.pop_all()
    return Frames(node, pipeline, outputs, parameters, tally, transforms, background)


def _check_depth(predictor: Predictor, parameters: Parameters) -> None:
    """Refuse what needs depth where there is none."""
    if parameters.node.depth:
        return
    if predictor.takes_depth:
        raise ValueError(
            f'model {predictor.model.name} takes depth and parameter depth is false: '
            f'set it to true, or choose a model for colour only ({models.RGB})'
        )
    if parameters.region.background_depth:
        raise ValueError('background_depth needs depth and parameter depth is false: set one')
