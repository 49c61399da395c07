"""Which messages belong together, and which sets may go on; without ROS."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
import time
from typing import NamedTuple

from rganet_ros.predictor import JUMP_BACK

WAITING = 8  # messages of one input that wait for their partner
PATIENCE = 0.5  # seconds that a set waits for its camera_info


class Set(NamedTuple):
    """
    Messages of one moment.

    stamp     of the colour picture, nanoseconds
    arrived   when the set was complete, seconds of time.perf_counter
    """

    image: object
    depth: object | None
    info: object | None
    stamp: int
    arrived: float
    depth_info: object | None = None


@dataclass
class Pairing:
    """
    Puts together colour, depth and camera_info of one stamp; the newest complete set wins.

    Where camera_info does not come with every picture, the last one is taken, or none: then a
    set does not wait for it. Of the depth camera's own, the last one is always taken.

    with_depth  whether a set needs depth, and camera_info; else every picture is a set
    tolerance   largest difference of stamps, seconds
    with_info   whether a set without depth needs camera_info
    received    messages by input: image, depth, camera_info, depth_camera_info
    unpaired    pictures that were given up because no depth came
    """

    with_depth: bool
    tolerance: float
    with_info: bool = False
    received: Counter[str] = field(default_factory=Counter)
    unpaired: int = 0

    def __post_init__(self):
        self._images, self._depths = deque(maxlen=WAITING), deque(maxlen=WAITING)
        self._infos = deque(maxlen=WAITING)
        self._info_follows = True  # whether a set without its camera_info waits for that
        self._depth_info = None
        self._waiting: Set | None = None
        self._last: int | None = None  # stamp of the last set

    def image(self, stamp: int, message) -> Set | None:
        """Take a colour picture; returns the set that it completes."""
        self.received['image'] += 1
        if not self.with_depth:
            alone = Set(message, None, None, stamp, time.perf_counter())
            return self._with_info(alone) if self.with_info else alone
        self.unpaired += len(self._images) == WAITING
        self._images.append((stamp, message))
        return self._match()

    def depth(self, stamp: int, message) -> Set | None:
        """Take a depth picture; returns the set that it completes."""
        self.received['depth'] += 1
        self._depths.append((stamp, message))
        return self._match()

    def camera_info(self, stamp: int, message) -> Set | None:
        """Take intrinsics; returns the set that they complete."""
        self.received['camera_info'] += 1
        self._infos.append((stamp, message))
        if self._last is not None and self._near(stamp, self._last):
            self._info_follows = True
        if self._waiting is not None and self._near(stamp, self._waiting.stamp):
            return self._release(message)
        return None

    def depth_camera_info(self, stamp: int, message) -> None:
        """Take the intrinsics of the depth camera, where it has its own."""
        self.received['depth_camera_info'] += 1
        self._depth_info = message

    def forget(self) -> None:
        """Let go of what waits for its partner: the next set is of what comes from now on."""
        self.unpaired += len(self._images) + (self._waiting is not None)
        self._images.clear()
        self._depths.clear()
        self._waiting = None

    def overdue(self) -> Set | None:
        """Give up waiting for the camera_info of a set; to be called now and then."""
        if self._waiting is None or time.perf_counter() - self._waiting.arrived < PATIENCE:
            return None
        return self._with_last_info()

    def stuck(self) -> str:
        """Say that both come and none belong together; '' otherwise."""
        if len(self._images) < WAITING or not self._depths:
            return ''
        apart = min(abs(mine - other) for mine, _ in self._images for other, _ in self._depths)
        return (
            f'colour and depth come, but their stamps are {apart / 1e9:.3f} s apart or more and '
            f'parameter tolerance is {self.tolerance:g} s: synchronise them, or raise it'
        )

    def _near(self, stamp: int, other: int) -> bool:
        return abs(stamp - other) <= self.tolerance * 1e9

    def _nearest(self, queue: deque, stamp: int) -> int | None:
        """Index of what is nearest in time, the newest of equals; None where nothing is near."""
        near = [
            (abs(other - stamp), -index)
            for index, (other, _) in enumerate(queue)
            if self._near(other, stamp)
        ]
        return -min(near)[1] if near else None

    def _match(self) -> Set | None:
        """Find the newest picture that has a depth."""
        for row, (stamp, image) in reversed(list(enumerate(self._images))):
            column = self._nearest(self._depths, stamp)
            if column is not None:
                depth = self._depths[column][1]
                # What arrived before its partner did finds no other: sets go on in order.
                self.unpaired += row
                _forget(self._images, row + 1)
                _forget(self._depths, column + 1)
                return self._with_info(Set(image, depth, None, stamp, time.perf_counter()))
        return None

    def _with_info(self, pair: Set) -> Set | None:
        overtaken, self._waiting = self._waiting, pair
        self.unpaired += overtaken is not None
        index = self._nearest(self._infos, pair.stamp)
        if index is not None:
            self._info_follows = True
            return self._release(self._infos[index][1])
        if self._info_follows and overtaken is None:
            return None
        return self._with_last_info()

    def _with_last_info(self) -> Set:
        """Wait no more for the camera_info of each set: the last one goes with it, or none."""
        self._info_follows = False
        return self._release(self._infos[-1][1] if self._infos else None)

    def _release(self, info) -> Set:
        complete = self._waiting._replace(info=info, depth_info=self._depth_info)
        self._waiting = None
        self._last = complete.stamp
        return complete


def _forget(queue: deque, count: int) -> None:
    for _ in range(count):
        queue.popleft()


@dataclass
class Gate:
    """
    Refuses pictures that come out of order.

    A stamp a little older than the last is a late one; far older, a looped bag or a new clock.
    A stamp of zero says nothing.
    """

    last: int = 0

    def late(self, stamp: int) -> bool:
        """Whether a picture is to be dropped; else it becomes the last."""
        if stamp and self.last - JUMP_BACK <= stamp < self.last:
            return True
        self.last = stamp
        return False
