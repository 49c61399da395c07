"""What the node would have published, into a bag: the same messages, with the input's stamps."""

from __future__ import annotations

from rganet_ros import messages, record, viz
from rganet_ros.types import Detection, Frame


def write(
    writer: record.Writer, prefix: str, frame: Frame, detection: Detection, radius: float,
    cloud: bool = False,
) -> None:  # fmt: skip
    """
    Append all that the node publishes for a frame below a prefix.

    radius  of the cup, metres
    cloud   whether the depth in the picture's colours is wanted: it is most of the bag then
    """
    head = messages.header(frame.stamp, frame.frame_id)
    found = messages.poses(head, detection.candidates)
    made = {
        'affordance': messages.picture(head, detection.affordance, '32FC1'),
        'labels': messages.picture(head, detection.labels, 'mono8'),
        'overlay': messages.picture(head, viz.overlay(frame.rgb, detection), 'rgb8'),
        'candidates': messages.cloud(head, detection.candidates),
        'poses': found,
        'markers': messages.markers(head, found, radius),
    }
    if found.poses:
        made['best'] = messages.STAMPED(head, found.poses[0])
    if cloud and frame.depth is not None and frame.camera is not None:
        made['cloud'] = messages.coloured(head, frame)
    for name, message in made.items():
        record.write_message(writer, f'{prefix}/{name}', frame.stamp, message)
