"""
FANet: Hu et al., "Real-time Semantic Segmentation with Fast Attention", RA-L 2020, 2007.03815.

Fast attention (equations 2 and 3): with queries and keys of unit length the softmax may go, and
Q (K^T V) costs n c' c instead of n^2 (c' + c). Where the authors' code and the paper differ, this
follows the code: leaky ReLU instead of ReLU, no 1/n in equation 3 (`scale_by_n` brings it back;
half precision needs it, as the sums reach n), the finest map is 1/8. Not taken over: the padding
of 1 around the code's 1x1 up convolutions, which grows the map by two pixels, and two convolutions
nobody reads.

Counted at 19 classes, without the auxiliary heads: 13.670 M parameters for FANet-18, 23.778 M for
FANet-34; multiply-adds at 1024 x 2048: 47.4 and 66.7 G, published 49 and 65.
"""

from __future__ import annotations

from dataclasses import dataclass

from rganet_ros.networks.backbones import ResNet, SLOPE
from rganet_ros.networks.layers import ConvNorm, Network, Pixels, resize
from rganet_ros.networks.variant import AUTHORS, Variant
import torch
from torch import nn, Tensor
from torch.nn import functional


@dataclass(frozen=True)
class Config:
    """
    What may vary.

    classes     how many
    depth       whether there is a depth input beside the picture
    blocks      of the four stages: (2, 2, 2, 2) is FANet-18, (3, 4, 6, 3) FANet-34
    reduced     channels c' of queries and keys
    l2          normalise queries and keys
    scale_by_n  divide by the number of positions, as equation 3 does
    """

    classes: int = 3
    depth: bool = False
    blocks: tuple[int, int, int, int] = (2, 2, 2, 2)
    reduced: int = 32
    l2: bool = True
    scale_by_n: bool = False


VARIANTS = {
    'fanet18': Variant(
        Config(), (1024, 2048), 19, '49 G multiply-adds, 75.0 mIoU on Cityscapes', AUTHORS
    ),
    'fanet34': Variant(
        Config(blocks=(3, 4, 6, 3)),
        (1024, 2048), 19, '65 G multiply-adds, 76.3 mIoU on Cityscapes', AUTHORS,
    ),
}  # fmt: skip


class FastAttention(nn.Module):
    """Equation 3 and a residual: (B, c, h, w) -> (B, c, h, w)."""

    def __init__(self, channels: int, config: Config):
        """Take the channels of the map."""
        super().__init__()
        self.query = ConvNorm(channels, config.reduced)
        self.key = ConvNorm(channels, config.reduced)
        self.value = ConvNorm(channels, channels, activation=nn.LeakyReLU(SLOPE))
        self.out = ConvNorm(channels, channels, activation=nn.LeakyReLU(SLOPE))
        self.l2, self.scale_by_n = config.l2, config.scale_by_n

    def forward(self, x: Tensor) -> Tensor:  # noqa: D102
        query, key = self.query(x).flatten(2), self.key(x).flatten(2)  # B c' n
        value = self.value(x).flatten(2)  # B c n
        if self.l2:
            query, key = functional.normalize(query, dim=1), functional.normalize(key, dim=1)
        if self.scale_by_n:
            value = value / value.shape[-1]
        context = value @ key.transpose(1, 2)  # B c c', the paper's (K^T V)^T
        return x + self.out((context @ query).view(x.shape))


class FANet(Network):
    """The network; its contract is in the package's docstring."""

    def __init__(self, config: Config, weights: str | None = None):
        """Build with random weights."""
        super().__init__(config)
        self.pixels = Pixels(config.depth)
        self.backbone = ResNet(self.pixels.channels, config.blocks)

        def conv(cin, cout, kernel):
            return ConvNorm(cin, cout, kernel, activation=nn.LeakyReLU(SLOPE))

        c8, c16, c32, c64 = ResNet.WIDTHS
        self.attention = nn.ModuleList(FastAttention(c, config) for c in ResNet.WIDTHS)
        self.up16, self.up32, self.up64 = conv(c16, c8, 1), conv(c32, c16, 1), conv(c64, c32, 1)
        self.smooth8, self.smooth32, self.smooth64 = (conv(c, 128, 3) for c in (c8, c32, c64))

        def head(cin, inner):
            return nn.Sequential(
                conv(cin, inner, 3), nn.Conv2d(inner, config.classes, 1, bias=False)
            )

        self.head, self.aux32, self.aux64 = head(256, 256), head(128, 64), head(128, 64)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, SLOPE, nonlinearity='leaky_relu')

    def forward(self, image: Tensor, depth: Tensor | None = None, **state) -> dict[str, Tensor]:
        """Run the network; see the package's contract."""
        maps = self.backbone(self.pixels(image, depth))  # B c h w at 1/8, 1/16, 1/32, 1/64
        x8, x16, x32, x64 = (attend(x) for attend, x in zip(self.attention, maps))
        x32 = x32 + resize(self.up64(x64), x32.shape[-2:])
        x16 = x16 + resize(self.up32(x32), x16.shape[-2:])
        x8 = x8 + resize(self.up16(x16), x8.shape[-2:])
        smooth32 = self.smooth32(x32)
        joined = torch.cat([resize(smooth32, x8.shape[-2:]), self.smooth8(x8)], 1)
        logits = {'logits': self.head(joined)}
        if self.training:
            logits |= {'aux32': self.aux32(smooth32), 'aux64': self.aux64(self.smooth64(x64))}
        return {name: resize(x, image.shape[-2:]) for name, x in logits.items()}
