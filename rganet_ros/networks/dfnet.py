"""DF1 and DF2, the searched backbones of Li et al., "Partial Order Pruning", CVPR 2019."""

from __future__ import annotations

from rganet_ros.networks.layers import ConvNorm
from torch import nn, Tensor
from torchvision.models.resnet import BasicBlock

# Of each stage, (channels, blocks) in their order; the first block halves the map.
DF1 = (((64, 3),), ((128, 3),), ((256, 3), (512, 1)))
DF2 = (((64, 2), (128, 1)), ((128, 10), (256, 1)), ((256, 4), (512, 2)))


class DFNet(nn.Module):
    """Takes (B, channels, H, W); returns four maps at 1/4, 1/8, 1/16 and 1/32."""

    def __init__(self, channels: int, stages: tuple):
        """Take how many channels the input has, and DF1 or DF2."""
        super().__init__()
        self.stem = nn.Sequential(
            ConvNorm(channels, 32, 3, 2, nn.ReLU()), ConvNorm(32, 64, 3, 2, nn.ReLU())
        )
        self.widths = (64, *(stage[-1][0] for stage in stages))
        self.stages = nn.ModuleList()
        cin = 64
        for stage in stages:
            blocks, stride = [], 2
            for cout, count in stage:
                for _ in range(count):
                    same = stride == 1 and cin == cout
                    shortcut = None if same else ConvNorm(cin, cout, 1, stride)
                    blocks.append(BasicBlock(cin, cout, stride, shortcut))
                    cin, stride = cout, 1
            self.stages.append(nn.Sequential(*blocks))

    def forward(self, x: Tensor) -> list[Tensor]:  # noqa: D102
        maps = [self.stem(x)]  # B 64 H/4 W/4
        for stage in self.stages:
            maps.append(stage(maps[-1]))
        return maps
