"""Xception39, the small backbone of BiSeNet (Yu et al., ECCV 2018), as in its authors' code."""

from __future__ import annotations

from rganet_ros.networks.layers import ConvNorm
from torch import nn, Tensor


class Separable(nn.Sequential):
    """A 3x3 convolution of each channel, then a 1x1 across them with batch norm."""

    def __init__(self, cin: int, cout: int, stride=1, activation: nn.Module | None = None):
        """Pad so that stride 1 keeps the size."""
        super().__init__(
            nn.Conv2d(cin, cin, 3, stride, 1, groups=cin, bias=False),
            ConvNorm(cin, cout, activation=activation),
        )


class Block(nn.Module):
    """Three separable convolutions and a shortcut: (B, c, h, w) -> (B, 4 inner, h/s, w/s)."""

    def __init__(self, cin: int, inner: int, stride: int):
        """Project the shortcut where the stride is not 1."""
        super().__init__()
        cout = 4 * inner
        self.branch = nn.Sequential(
            Separable(cin, inner, stride, nn.ReLU()),
            Separable(inner, inner, 1, nn.ReLU()),
            Separable(inner, cout),
        )
        self.shortcut = nn.Identity() if stride == 1 else Separable(cin, cout, stride)
        self.activation = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:  # noqa: D102
        return self.activation(self.branch(x) + self.shortcut(x))


class Xception39(nn.Module):
    """Takes (B, channels, H, W); returns four maps at 1/4, 1/8, 1/16 and 1/32."""

    widths = (8, 64, 128, 256)

    def __init__(self, channels: int):
        """Take how many channels the input has."""
        super().__init__()
        self.stem = ConvNorm(channels, 8, 3, 2, nn.ReLU())
        self.pool = nn.MaxPool2d(3, 2, 1)
        self.stages = nn.ModuleList()
        for cin, cout, count in zip(self.widths, self.widths[1:], (4, 8, 4)):
            inner = [Block(cout, cout // 4, 1) for _ in range(count - 1)]
            self.stages.append(nn.Sequential(Block(cin, cout // 4, 2), *inner))

    def forward(self, x: Tensor) -> list[Tensor]:  # noqa: D102
        maps = [self.pool(self.stem(x))]  # B 8 H/4 W/4
        for stage in self.stages:
            maps.append(stage(maps[-1]))
        return maps
