"""The node's ROS parameters: declared, described and checked from options dataclasses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)
from rganet_ros.candidates import CandidateOptions
from rganet_ros.node.saving import SaveOptions
from rganet_ros.options import make, OneOf, Option, options_of, Range
from rganet_ros.predictor import PredictorOptions
from rganet_ros.rectify import LensOptions
from rganet_ros.region import RegionOptions


@dataclass(frozen=True)
class NodeOptions:
    """What comes in and how it goes out."""

    mode: Annotated[
        str,
        OneOf(('stream', 'triggered')),
        'stream: every frame; triggered: one for each call of ~/trigger',
    ] = 'stream'
    trigger_timeout: Annotated[
        float, Range(0.1, 600), '~/trigger gives up without a frame, seconds'
    ] = 5.0
    depth: Annotated[
        bool, 'true (on): colour and depth in pairs; false (off): colour only, no poses'
    ] = True
    image_transport: Annotated[
        str,
        OneOf(('raw', 'compressed')),
        'compressed: JPEG or PNG on <image>/compressed',
    ] = 'raw'
    depth_transport: Annotated[
        str,
        OneOf(('raw', 'compressedDepth', 'compressed')),
        'compressedDepth, compressed: PNG on <depth>/compressedDepth or <depth>/compressed',
    ] = 'raw'
    autostart: Annotated[
        bool, 'configure and activate at start; false under an external life-cycle manager'
    ] = True
    tolerance: Annotated[
        float, Range(0, 1), 'largest difference of the stamps of colour and depth, seconds'
    ] = 0.02
    max_age: Annotated[
        float, Range(0, 3600), 'older pictures are dropped, seconds; 0: none is too old'
    ] = 0.0
    workspace_mask: Annotated[
        bool, 'true: candidates only where the picture on topic workspace_mask (mono8) is not 0'
    ] = False
    workspace_frame: Annotated[
        str, "frame of the box workspace, by tf2; '': the optical frame"
    ] = ''
    target_frame: Annotated[str, "frame of ~/poses and ~/best, by tf2; '': the optical frame"] = ''
    output_scale: Annotated[
        float, Range(0.05, 1), 'size of the published pictures, 1 is that of the camera'
    ] = 1.0


GROUPS = (
    PredictorOptions, CandidateOptions, RegionOptions, LensOptions, NodeOptions, SaveOptions
)  # fmt: skip
# What only a new configure can change; the rest is live.
FIXED = {
    *options_of(PredictorOptions), 'depth', 'image_transport', 'depth_transport', 'autostart',
    'background_depth', 'rectify', 'register_depth', 'workspace_mask',
    'workspace_frame', 'target_frame',
}  # fmt: skip


def descriptor(option: Option) -> ParameterDescriptor:
    """Describe an option to ROS: text, range, accepted values."""
    said = ParameterDescriptor(name=option.name, description=option.text)
    if isinstance(option.bounds, OneOf):
        said.additional_constraints = f'one of {", ".join(option.bounds.values)}'
    elif isinstance(option.bounds, Range):
        low, high = option.bounds
        if option.type is float:
            said.floating_point_range = [
                FloatingPointRange(from_value=float(low), to_value=float(high), step=0.0)
            ]
        elif option.type is int:
            said.integer_range = [IntegerRange(from_value=int(low), to_value=int(high), step=1)]
        else:
            said.additional_constraints = f'each number in {low:g}..{high:g}'
    return said


class Parameters:
    """
    The options as they stand, kept equal to the ROS parameters.

    predictor   PredictorOptions
    candidates  CandidateOptions
    region      RegionOptions
    lens        LensOptions
    node        NodeOptions
    save        SaveOptions
    """

    def __init__(self, node, configured: Callable[[], bool], changed: Callable[[], None]):
        """
        Declare all parameters; ValueError, or rclpy's own errors, on a value that cannot be.

        configured  whether the node is, so that FIXED ones cannot change
        changed     called after live ones did
        """
        self._configured, self._changed = configured, changed
        self._values = {}
        for option in (option for group in GROUPS for option in options_of(group).values()):
            default = list(option.default) if option.type is tuple else option.default
            declared = node.declare_parameter(option.name, default, descriptor(option))
            self._values[option.name] = declared.value
        self._take(self._values)
        unknown = sorted(set(node._parameter_overrides) - set(self._values) - {'use_sim_time'})
        if unknown := [name for name in unknown if not name.startswith('qos_overrides.')]:
            node.get_logger().warning(f'no such parameter, it does nothing: {", ".join(unknown)}')
        node.add_on_set_parameters_callback(self._on_set)

    def _take(self, values: dict) -> None:
        """Check all values as a set, then take them; ValueError, and no change, if wrong."""
        self.predictor, self.candidates, self.region, self.lens, self.node, self.save = [
            make(group, {name: values[name] for name in options_of(group)}) for group in GROUPS
        ]
        self._values = values

    def _on_set(self, parameters) -> SetParametersResult:
        new = {p.name: p.value for p in parameters if p.name in self._values}
        if not new:  # use_sim_time, QoS
            return SetParametersResult(successful=True)
        fixed = sorted(
            name for name in FIXED & set(new) if new[name] != self._values[name]
        )  # the same value again is no change
        if fixed and self._configured():
            reason = f'{", ".join(fixed)} can only be set while unconfigured: clean up first'
            return SetParametersResult(successful=False, reason=reason)
        try:
            self._take(self._values | new)
        except ValueError as error:
            return SetParametersResult(successful=False, reason=str(error))
        self._changed()
        return SetParametersResult(successful=True)
