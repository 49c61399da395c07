"""Layers that networks share: the network itself, convolution with batch norm, depth."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
import copy
import math

from rganet_ros.networks.folding import fold_norms, pair_pixels
import torch
from torch import nn, Tensor
from torch.nn import functional

FEW = 4  # channels that are resized by matrices
_for_engines: ContextVar[bool] = ContextVar('_for_engines', default=False)
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet, as pretrained weights want


class Network(nn.Module):
    """
    What every network is: a module with a Config, which has memory only if it says so.

    temperature  what logits are divided by to be probabilities that mean what they say; it changes
                 no label (`rganet calibrate`)
    """

    temperature = 1.0

    def __init__(self, config):
        """Take the frozen Config."""
        super().__init__()
        self.config = config

    def state_shapes(self, batch: int) -> dict[str, tuple[int, ...]]:
        """Give the shapes of the memory of past frames, by name: none."""
        return {}

    def new_state(self, batch: int, device=None) -> dict[str, Tensor]:
        """Make the memory of nothing: zeros, float32, by name."""
        shapes = self.state_shapes(batch).items()
        return {name: torch.zeros(shape, device=device) for name, shape in shapes}

    def for_inference(self) -> nn.Module:
        """Return an equal network, evaluating, in the form that engines run best."""
        return pair_pixels(fold_norms(copy.deepcopy(self).eval()))


class ConvNorm(nn.Sequential):
    """Convolution without bias, batch norm, and an activation where one is given."""

    def __init__(
        self,
        cin: int,
        cout: int,
        kernel=1,
        stride=1,
        activation: nn.Module | None = None,
        groups=1,
        dilation=1,
        convolution: type[nn.Conv2d] = nn.Conv2d,
    ):
        """Pad so that stride 1 keeps the size."""
        super().__init__()
        padding = kernel // 2 * dilation
        self.conv = convolution(cin, cout, kernel, stride, padding, dilation, groups, bias=False)
        self.norm = nn.BatchNorm2d(cout)
        if activation is not None:
            self.activation = activation


def resize(x: Tensor, size, align_corners=True) -> Tensor:
    """
    Resize bilinearly to (height, width).

    In a graph for engines maps of few channels, the logits, are multiplied by matrices: the same
    numbers, and less work for an engine than to interpolate.
    """
    if _for_engines.get() and x.shape[1] <= FEW:
        down, across = (
            interpolation(before, after, align_corners, x)
            for before, after in zip(x.shape[-2:], size)
        )
        return down @ (x @ across.mT)
    return functional.interpolate(x, size, mode='bilinear', align_corners=align_corners)


@contextmanager
def graph_for_engines() -> Iterator[None]:
    """Trace, while this is open, what engines do fast; see `resize`."""
    token = _for_engines.set(True)
    try:
        yield
    finally:
        _for_engines.reset(token)


def interpolation(before: int, after: int, align_corners: bool, like: Tensor) -> Tensor:
    """
    Give the matrix (after, before) that interpolates a line of pixels linearly.

    like  has its type and device; places are computed in fp32 at least
    """
    dtype = torch.promote_types(like.dtype, torch.float32)
    places, pixels = (
        torch.arange(count, dtype=dtype, device=like.device) for count in (after, before)
    )
    if align_corners:
        places = places * ((before - 1) / max(after - 1, 1))
    else:
        places = ((places + 0.5) * (before / after) - 0.5).clamp(0, before - 1)
    return (1 - (places[:, None] - pixels).abs()).clamp(min=0).to(like.dtype)


class Pixels(nn.Module):
    """
    What the first layer of a network sees: (B, 3, H, W) in 0..1 -> (B, channels, H, W).

    The picture, less its mean and over its deviation, and the channels of depth where there is
    one: (B, 1, H, W) metres, 0 unknown.
    """

    def __init__(self, depth: bool, mean: tuple | None = MEAN, std: tuple = STD, blur=0):
        """Take whether there is depth; without a mean the picture stays as it is, but blurred."""
        super().__init__()
        self.channels = 3 + DepthChannels.COUNT * depth
        self.normalise, self.blur = mean is not None, blur
        if self.normalise:
            self.register_buffer('mean', torch.tensor(mean), persistent=False)
            self.register_buffer('std', torch.tensor(std), persistent=False)
        self.depth = DepthChannels() if depth else None

    def forward(self, image: Tensor, depth: Tensor | None) -> Tensor:  # noqa: D102
        x = blurred(image, self.blur)
        if self.depth is not None:
            return torch.cat([self._normalised(x, (3, 1, 1)), self.depth(depth)], 1)
        # A picture alone stays as cameras give it, channels last, which engines go on with.
        return self._normalised(x.permute(0, 2, 3, 1), (3,)).permute(0, 3, 1, 2)

    def _normalised(self, x: Tensor, shape: tuple[int, ...]) -> Tensor:
        if not self.normalise:
            return x
        return (x - self.mean.view(shape)) / self.std.view(shape)


def blurred(image: Tensor, times: int) -> Tensor:
    """Blur (B, C, H, W) so many times by (1, 2, 1) / 4 along both axes; edges are repeated."""
    if not times:
        return image
    taps = [math.comb(2 * times, k) / 4**times for k in range(2 * times + 1)]
    for axis, pad in ((3, (times, times, 0, 0)), (2, (0, 0, times, times))):
        padded, length = functional.pad(image, pad, mode='replicate'), image.shape[axis]
        image = sum(tap * padded.narrow(axis, k, length) for k, tap in enumerate(taps))
    return image


class DepthChannels(nn.Module):
    """
    What the stem sees of depth: (B, 1, H, W) metres, 0 unknown -> (B, 5, H, W), each in -1..1.

    0     1 where the depth is known, else 0 (then the four others are 0 as well)
    1     height over the surroundings: mean depth of about 72 x 72 pixels minus depth, 1 = 5 cm
    2, 3  slope to the right and down: change of depth over distance across, 1 = 45 degrees
    4     nearness, 0.25 m / depth: how large the cup is in pixels

    Only pooling, shifts and arithmetic, which every engine has; no medians, no sorting, no
    intrinsics. `FOCAL` stands for those: a camera that sees some 55 degrees with 640 pixels.
    """

    COUNT = 5
    FOCAL = 600.0
    CELL, CELLS = 8, 9

    def forward(self, depth: Tensor) -> Tensor:  # noqa: D102
        known = (depth > 0).to(depth.dtype)
        height = known * (self._surroundings(depth, known) - depth) / 0.05
        near = known * 0.25 / depth.clamp(min=0.05)
        right = self._difference(depth, known, 3) * near * (self.FOCAL / 0.25)
        down = self._difference(depth, known, 2) * near * (self.FOCAL / 0.25)
        return torch.cat([known, height, right, down, near], 1).clamp(-1, 1)

    def _surroundings(self, depth: Tensor, known: Tensor) -> Tensor:
        # In two steps, cells and then windows of cells: a stride-1 pool of 72 pixels is slow.
        def pool(x):
            x = functional.avg_pool2d(x, self.CELL, ceil_mode=True)
            return functional.avg_pool2d(x, self.CELLS, 1, self.CELLS // 2)

        mean = pool(depth * known) / pool(known).clamp(min=1e-4)
        return resize(mean, depth.shape[-2:], align_corners=False)

    @staticmethod
    def _difference(depth: Tensor, known: Tensor, axis: int) -> Tensor:
        # Over four pixels, to tame the sensor's noise; per pixel; 0 where any end is unknown.
        length = depth.shape[axis]
        pad = (2, 2, 0, 0) if axis == 3 else (0, 0, 2, 2)
        after = depth.narrow(axis, 4, length - 4) - depth.narrow(axis, 0, length - 4)
        both = known.narrow(axis, 4, length - 4) * known.narrow(axis, 0, length - 4)
        return functional.pad(after * both, pad) * known / 4
