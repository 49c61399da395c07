"""
DDRNet-23-slim: Hong et al., "Deep Dual-resolution Networks for ... Road Scenes", 2021, 2101.06085.

Two branches after 1/8: one stays there, one goes down to 1/64, and twice they add to each other.
At the bottom a pyramid of means (DAPPM) sees all of the picture. It is the fastest of RGANet's
Tables II and III.

Counted: 5.69 M parameters; 5.32 G multiply-adds at 480 x 640 (5.35 with norms), 36.3 G at
1024 x 2048 with 19 classes, as the paper has it.
"""

from __future__ import annotations

from dataclasses import dataclass

from rganet_ros.networks.layers import ConvNorm, Network, Pixels, resize
from rganet_ros.networks.variant import PROVEN, Variant
import torch
from torch import nn, Tensor
from torch.nn import functional

WIDTH = 32  # of the stem; 64 is DDRNet-23
HEAD = 64
POOLED = 128  # channels of each level of the pyramid, and of what it gives
POOLS = ((5, 2), (9, 4), (17, 8))  # kernel and stride of its levels


@dataclass(frozen=True)
class Config:
    """
    What may vary.

    classes  how many
    depth    whether there is a depth input beside the picture
    """

    classes: int = 3
    depth: bool = False


VARIANTS = {
    'ddrnet-23-slim': Variant(
        Config(), (480, 640), 3,
        '5.69 M; RGANet: FLOPs 1.07 = 5.35 G / 5, Jaccard 32.30; 77.4 mIoU on Cityscapes test',
        PROVEN,
    )
}  # fmt: skip


class Basic(nn.Module):
    """Two 3x3 convolutions and a shortcut, without the activation at the end."""

    def __init__(self, cin: int, cout: int, stride=1):
        """Project the shortcut where the stride or the channels change."""
        super().__init__()
        self.first, self.second = (
            ConvNorm(cin, cout, 3, stride, nn.ReLU()),
            ConvNorm(cout, cout, 3),
        )
        same = stride == 1 and cin == cout
        self.shortcut = nn.Identity() if same else ConvNorm(cin, cout, 1, stride)

    def forward(self, x: Tensor) -> Tensor:  # noqa: D102
        return self.second(self.first(x)) + self.shortcut(x)


class Bottleneck(nn.Module):
    """1x1, 3x3, and 1x1 to twice as many channels, without the activation at the end."""

    def __init__(self, channels: int, stride=1):
        """Take the channels of the input."""
        super().__init__()
        self.branch = nn.Sequential(
            ConvNorm(channels, channels, activation=nn.ReLU()),
            ConvNorm(channels, channels, 3, stride, nn.ReLU()),
            ConvNorm(channels, 2 * channels),
        )
        self.shortcut = ConvNorm(channels, 2 * channels, 1, stride)

    def forward(self, x: Tensor) -> Tensor:  # noqa: D102
        return self.branch(x) + self.shortcut(x)


class Pre(nn.Sequential):
    """Norm and activation, then a convolution without bias."""

    def __init__(self, cin: int, cout: int, kernel=1, bias=False):
        """Keep the size."""
        super().__init__()
        self.norm, self.activation = nn.BatchNorm2d(cin), nn.ReLU()
        self.conv = nn.Conv2d(cin, cout, kernel, padding=kernel // 2, bias=bias)


class Pyramid(nn.Module):
    """DAPPM: means over growing windows, one on another: (B, c, h, w) -> (B, 128, h, w)."""

    def __init__(self, channels: int):
        """Take the channels of the map."""
        super().__init__()
        self.scales = nn.ModuleList(Pre(channels, POOLED) for _ in range(2 + len(POOLS)))
        self.process = nn.ModuleList(Pre(POOLED, POOLED, 3) for _ in range(1 + len(POOLS)))
        self.compress = Pre((2 + len(POOLS)) * POOLED, POOLED)
        self.shortcut = Pre(channels, POOLED)

    def forward(self, x: Tensor) -> Tensor:  # noqa: D102
        pooled = [functional.avg_pool2d(x, kernel, step, kernel // 2) for kernel, step in POOLS]
        pooled.append(x.mean((2, 3), keepdim=True))
        first, *others = self.scales
        levels = [first(x)]
        for scale, process, each in zip(others, self.process, pooled):
            levels.append(process(resize(scale(each), x.shape[-2:], False) + levels[-1]))
        return self.compress(torch.cat(levels, 1)) + self.shortcut(x)


class DDRNet(Network):
    """The network; its contract is in the package's docstring."""

    def __init__(self, config: Config, weights: str | None = None):
        """Build with random weights; there are none for its backbone."""
        super().__init__(config)
        if weights is not None:
            raise ValueError(f'weights {weights!r}: there are none for DDRNet, expected None')
        self.pixels = Pixels(config.depth)
        c = WIDTH

        def conv(cin, cout, stride):
            return ConvNorm(cin, cout, 3, stride, nn.ReLU())

        def stage(cin, cout, stride):
            return nn.Sequential(Basic(cin, cout, stride), nn.ReLU(), Basic(cout, cout))

        self.stem = nn.Sequential(conv(self.pixels.channels, c, 2), conv(c, c, 2))
        self.stage4, self.stage8 = stage(c, c, 1), stage(c, 2 * c, 2)
        self.low16, self.high1 = stage(2 * c, 4 * c, 2), stage(2 * c, 2 * c, 1)
        self.down1, self.up1 = ConvNorm(2 * c, 4 * c, 3, 2), ConvNorm(4 * c, 2 * c)
        self.low32, self.high2 = stage(4 * c, 8 * c, 2), stage(2 * c, 2 * c, 1)
        self.down2 = nn.Sequential(conv(2 * c, 4 * c, 2), ConvNorm(4 * c, 8 * c, 3, 2))
        self.up2 = ConvNorm(8 * c, 2 * c)
        self.low64, self.high3 = Bottleneck(8 * c, 2), Bottleneck(2 * c)
        self.pyramid = Pyramid(16 * c)

        def head(cin):
            return nn.Sequential(Pre(cin, HEAD, 3), Pre(HEAD, config.classes, bias=True))

        self.head, self.aux = head(4 * c), head(2 * c)

    def forward(self, image: Tensor, depth: Tensor | None = None, **state) -> dict[str, Tensor]:
        """Run the network; see the package's contract."""

        def up(x):
            return resize(x, x8.shape[-2:], False)

        x8 = self.stage8(self.stage4(self.stem(self.pixels(image, depth))).relu()).relu()
        low, high = self.low16(x8), self.high1(x8)
        low, high = low + self.down1(high.relu()), high + up(self.up1(low.relu()))
        seen = high
        low, high = self.low32(low.relu()), self.high2(high.relu())
        low, high = low + self.down2(high.relu()), high + up(self.up2(low.relu()))
        low, high = self.low64(low.relu()), self.high3(high.relu())
        logits = {'logits': self.head(high + up(self.pyramid(low)))}
        if self.training:
            logits['aux'] = self.aux(seen)
        return {k: resize(x, image.shape[-2:], False) for k, x in logits.items()}
