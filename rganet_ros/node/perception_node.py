r"""
The life-cycle node: a camera's pictures in, suction candidates out.

    ros2 run rganet_ros perception --ros-args -r image:=/camera/color/image_raw \
        -r depth:=/camera/aligned_depth_to_color/image_raw \
        -r camera_info:=/camera/color/camera_info

configure loads and warms up the model; activate subscribes; deactivate unsubscribes and forgets;
cleanup frees. Parameters: `ros2 param list` and `ros2 param describe`, or config/perception.yaml.
"""

from __future__ import annotations

import dataclasses
import sys
import traceback

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.clock import Clock, ClockType
from rclpy.lifecycle import LifecycleNode
from rganet_ros import decode
from rganet_ros.node import diagnostics, process
from rganet_ros.node.answers import Answers
from rganet_ros.node.frames import Frames, open_frames
from rganet_ros.node.inputs import Input
from rganet_ros.node.lifecycle import (
    ERROR,
    FAILURE,
    refuse_invalid_transitions,
    SUCCESS,
    transition,
)
from rganet_ros.node.logs import Forward
from rganet_ros.node.pairing import Gate, Pairing, Set
from rganet_ros.node.parameters import Parameters
from rganet_ros.node.saving import Memory
from rganet_ros.node.services import Services
from rganet_ros.node.triggers import Triggers
from rganet_ros.node.worker import Worker
from sensor_msgs.msg import CameraInfo, CompressedImage, Image


class PerceptionNode(LifecycleNode):
    """Wires parameters, inputs, worker and frames; this is all run by the executor's thread."""

    def __init__(self):
        super().__init__('perception')
        self._frames: Frames | None = None  # while configured
        self._inputs: dict[str, Input] = {}  # while active
        self._pairing, self._gate = Pairing(True, 0.0), Gate()
        self._failure = ''  # of the engine, a sentence
        self._log = Forward(self.get_logger())
        self.memory = Memory()
        answers = Answers(self)
        self._triggers = Triggers(self, answers)
        Services(self, answers, self._triggers)
        self.parameters = Parameters(self, lambda: self._frames is not None, self._on_changed)
        self._tally = diagnostics.Tally()
        self._warn = diagnostics.Notices(self.get_logger().warning)
        self._diagnostics = self.create_publisher(DiagnosticArray, '/diagnostics', 10)
        self._alarm = self.create_guard_condition(self._on_failure)
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(1.0, self._on_second, clock=steady)
        refuse_invalid_transitions(self)
        self._worker = Worker(self._process)

    @transition(FAILURE)
    def on_configure(self, state):
        """Load the model and warm it up, in the worker."""
        self._failure = ''
        self._frames = open_frames(
            self, self._worker, self.parameters, self._tally, self._remember
        )
        predictor = self._frames.pipeline.predictor
        model = predictor.model
        engine = ', '.join(f'{k} {v}' for k, v in predictor.backend.describe().items())
        self.get_logger().info(f'model {model.name} ({model.sha256[:12]}) runs in: {engine}')
        self._on_changed()
        return SUCCESS

    @transition(FAILURE)
    def on_activate(self, state):
        """Subscribe."""
        options = self.parameters.node
        rectify = self.parameters.lens.rectify
        self._pairing = dataclasses.replace(  # its counts go on
            self._pairing, with_depth=options.depth, tolerance=options.tolerance, with_info=rectify
        )
        self._gate = Gate()
        super().on_activate(state)
        self._worker.open()
        try:
            self._listen('image', Image, options.image_transport)
            if options.depth:
                self._listen('depth', Image, options.depth_transport)
                self._listen('depth_camera_info', CameraInfo)
            if options.depth or rectify:
                self._listen('camera_info', CameraInfo)
            if options.workspace_mask:
                mask = Input(self, Image, 'workspace_mask', self._on_mask, latched=True)
                self._inputs['workspace_mask'] = mask
        except Exception:
            self._stop(state)
            raise
        self.get_logger().info(
            f'active: {", ".join(each.topic for each in self._inputs.values())}'
        )
        return SUCCESS

    @transition(ERROR)
    def on_deactivate(self, state):
        """Unsubscribe, publish that there is nothing to pick any more, forget past frames."""
        self._stop(state)
        return ERROR if self._failure else SUCCESS

    @transition(ERROR)
    def on_cleanup(self, state):
        """Free the engine."""
        self._free()
        return SUCCESS

    @transition(ERROR)
    def on_shutdown(self, state):
        """Stop and free, from any state."""
        self._stop(state)
        self._free()
        return SUCCESS

    @transition(FAILURE)
    def on_error(self, state):
        """Free everything, so that the node can be configured again."""
        self._stop(state)
        self._free()
        return SUCCESS

    def _stop(self, state) -> None:
        self._worker.close()
        for each in self._inputs.values():
            each.close()
        self._inputs = {}
        self._pairing.forget()
        self._triggers.refuse('the node was deactivated')
        if self._frames is not None:
            # The job runs after the frame in work: nothing is published after the empty one.
            self._worker.call(self._frames.end)
        super().on_deactivate(state)

    def _free(self) -> None:
        frames, self._frames = self._frames, None
        if frames is not None:
            frames.close()
            self._worker.call(frames.pipeline.close)

    def close(self) -> None:
        """End in order, from any state."""
        try:
            if self._frames is not None:
                self.trigger_shutdown()
        finally:
            self._worker.stop()
            self._log.close()
            self.destroy_node()

    def _listen(self, name: str, kind: type, transport: str = 'raw') -> None:
        """Subscribe to one of pairing's inputs."""
        take = getattr(self._pairing, name)

        def on_message(message):
            self._remember(heard.topic, message)
            self._offer(take(decode.stamp(message.header), message))

        kind = kind if transport == 'raw' else CompressedImage
        heard = self._inputs[name] = Input(self, kind, name, on_message, transport)

    def _on_mask(self, message) -> None:
        try:
            self._frames.mask = decode.mask(message)
        except decode.Undecodable as error:
            self._warn('workspace_mask', f'workspace_mask cannot be used: {error}')

    def _remember(self, topic: str, message) -> None:
        self.memory.add(topic, message, self.parameters.save)

    def _offer(self, complete: Set | None) -> None:
        if complete is None:
            return
        if self._gate.late(complete.stamp):
            self._frames.drop('late', 'a picture is older than the one before it: dropped')
        elif (askers := self._triggers.admit(self.parameters.node.mode)) is None:
            self._tally.drop('not_asked_for')
        elif self._worker.offer((complete, askers)):
            self._tally.drop('replaced')

    def _process(self, item: tuple[Set, tuple]) -> None:
        """Handle a set, in the worker's thread; on failure the executor deactivates the node."""
        complete, askers = item
        try:
            count, trouble = self._frames(complete)
        except Exception as error:
            self._tally.drop('failure')
            self._failure = f'{type(error).__name__}: {error}'
            self.get_logger().error(f'failed, deactivating: {traceback.format_exc()}')
            self._worker.close()
            self._alarm.trigger()
            return
        if count is None:
            self._triggers.failed(trouble)
        else:
            self._triggers.done(askers, count)

    def _on_failure(self) -> None:
        if self._inputs:  # else it was deactivated meanwhile
            self.trigger_deactivate()

    def _on_changed(self) -> None:
        """Take live parameters."""
        self._pairing.tolerance = self.parameters.node.tolerance
        if self._frames is not None:
            pipeline = self._frames.pipeline
            pipeline.options = self.parameters.candidates
            for sentence in pipeline.warnings:
                self._warn(sentence, sentence)

    def forget(self) -> bool:
        """Forget past frames; false while there is nothing that could."""
        if self._frames is not None:
            self._worker.call(self._frames.pipeline.reset)
        return self._frames is not None

    def expect(self) -> bool:
        """Take for ~/trigger only what comes from now on; false while nothing can come."""
        if self._inputs and self.parameters.node.mode == 'triggered':
            self._pairing.forget()  # what was taken before the arm stood still
        return bool(self._inputs)

    def _on_second(self) -> None:
        """Warn of silence and publish diagnostics."""
        if self._inputs:
            self._offer(self._pairing.overdue())
        level, text = DiagnosticStatus.OK, self._state_machine.current_state[1]
        if self._inputs and self._tally.candidates == 0:
            text = f'{text}: nothing to pick'
        optional = ('depth_camera_info', 'workspace_mask')
        troubles = {k: each.silence() for k, each in self._inputs.items() if k not in optional}
        troubles['pairs'] = self._pairing.stuck() if self._inputs else ''
        for kind, sentence in troubles.items():
            if sentence:
                self._warn(kind, sentence)
                level, text = DiagnosticStatus.WARN, sentence
        if self._failure:
            level, text = DiagnosticStatus.ERROR, f'failed and deactivated: {self._failure}'
        shown = diagnostics.values(self._tally, self._pairing)
        if self._frames is not None:
            shown = diagnostics.describe(self._frames.pipeline.predictor) | shown
        now, name = self.get_clock().now().to_msg(), self.get_fully_qualified_name()
        self._diagnostics.publish(diagnostics.message(now, name, level, text, shown))


def main(argv: list[str] | None = None) -> int:
    """Run the node until SIGINT or SIGTERM; returns the exit status."""
    return process.run(PerceptionNode, sys.argv if argv is None else argv, __doc__)


if __name__ == '__main__':
    sys.exit(main())
