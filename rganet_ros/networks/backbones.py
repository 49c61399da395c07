"""Backbones: a picture in, feature maps of four scales out."""

from __future__ import annotations

from rganet_ros.networks.layers import ConvNorm
from torch import nn, Tensor

SLOPE = 0.01  # of the leaky ReLU in FANet's code, where the paper draws a ReLU


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut (He et al., 2016), with FANet's activations."""

    def __init__(self, cin: int, cout: int, stride: int):
        """Project the shortcut where the stride or the channels change."""
        super().__init__()
        self.first = ConvNorm(cin, cout, 3, stride, nn.LeakyReLU(SLOPE))
        self.second = ConvNorm(cout, cout, 3)
        same = stride == 1 and cin == cout
        self.shortcut = nn.Identity() if same else ConvNorm(cin, cout, 1, stride)
        self.activation = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:  # noqa: D102
        return self.activation(self.second(self.first(x)) + self.shortcut(x))


class ResNet(nn.Module):
    """
    ResNet-18 or -34 whose Res-1 has stride 2 as FANet reduces it: 1/8, 1/16, 1/32, 1/64.

    Takes (B, channels, H, W); returns four maps of 64, 128, 256 and 512 channels.
    """

    WIDTHS = (64, 128, 256, 512)

    def __init__(self, channels: int, blocks: tuple[int, int, int, int]):
        """Take how many channels the input has and how many blocks each stage."""
        super().__init__()
        self.stem = ConvNorm(channels, 64, 7, 2, nn.LeakyReLU(SLOPE))
        self.pool = nn.MaxPool2d(3, 2, 1)
        self.stages = nn.ModuleList()
        cin = 64
        for cout, count in zip(self.WIDTHS, blocks):
            inner = [BasicBlock(cout, cout, 1) for _ in range(count - 1)]
            self.stages.append(nn.Sequential(BasicBlock(cin, cout, 2), *inner))
            cin = cout

    def forward(self, x: Tensor) -> list[Tensor]:  # noqa: D102
        x = self.pool(self.stem(x))  # B 64 H/4 W/4
        maps = []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return maps
