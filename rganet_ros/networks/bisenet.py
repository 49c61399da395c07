"""
BiSeNet: Yu et al., "BiSeNet: Bilateral Segmentation Network ...", ECCV 2018, 1808.00897.

Two paths: a wide and shallow one keeps detail (spatial), a deep and narrow one sees far (context).
Attention weighs channels by their means: m = mean of x over the picture, then x sigmoid(N(W m))
where context is refined, and x + x sigmoid(W2 relu(W1 m)) where the paths are fused.

The layers are those of the authors' code: a 7x7 convolution first in the spatial path, where the
paper draws three 3x3, and a second 3x3 wherever context has been resized. The depth-wise BiSeNet
is of Y. Cheng's AAFF paper (see aaff.py): the spatial path in separable convolutions.

Counted at 640 x 800 with 12 classes, without auxiliary heads: 1.542 M parameters and 6.77 G
multiply-adds, depth-wise 1.469 M and 4.50 G, with ResNet-18 12.894 M and 25.32 G. For the last one
RGANet's Table II has 23.08 M, which no reading of the authors' code gives.
"""

from __future__ import annotations

from dataclasses import dataclass

from rganet_ros.networks.backbones import encoder
from rganet_ros.networks.choices import one_of
from rganet_ros.networks.layers import ConvNorm, Network, Pixels, resize
from rganet_ros.networks.variant import AUTHORS, OURS, Variant
from rganet_ros.networks.xception39 import Separable, Xception39
import torch
from torch import nn, Tensor

CONTEXTS = {'xception39': 128, 'resnet18': 256}  # backbone: inner channels of auxiliary heads
SPATIAL = ('full', 'depthwise')
WIDTH = 128  # channels of each path


@dataclass(frozen=True)
class Config:
    """
    What may vary.

    classes  how many
    depth    whether there is a depth input beside the picture
    context  backbone of the context path: 'xception39' or 'resnet18'
    spatial  'full' or 'depthwise' convolutions
    """

    classes: int = 3
    depth: bool = False
    context: str = 'xception39'
    spatial: str = 'full'


VARIANTS = {
    'bisenet-x39': Variant(
        Config(), (640, 800), 12, '68.4 mIoU on Cityscapes test; 25 fps at 640x800 on a 840M',
        AUTHORS,
    ),
    'bisenet-r18': Variant(
        Config(context='resnet18'), (640, 800), 12, '74.7 mIoU on Cityscapes test', AUTHORS
    ),
    'bisenet-dw': Variant(
        Config(spatial='depthwise'), (640, 800), 12, '35 fps at 640x800 on a 840M', OURS
    ),
}  # fmt: skip


def mean(x: Tensor) -> Tensor:
    """Average each channel over the picture: (B, c, h, w) -> (B, c, 1, 1)."""
    return x.mean((2, 3), keepdim=True)


class SpatialPath(nn.Sequential):
    """Detail: (B, channels, H, W) -> (B, 128, H/8, W/8)."""

    def __init__(self, channels: int, kind: str):
        """Take one of SPATIAL."""
        if kind == 'full':
            first = ConvNorm(channels, 64, 7, 2, nn.ReLU())
            second, third = (ConvNorm(64, 64, 3, 2, nn.ReLU()) for _ in range(2))
        else:
            first = ConvNorm(channels, 64, 3, 2, nn.ReLU())
            second, third = (Separable(64, 64, 2, nn.ReLU()) for _ in range(2))
        super().__init__(first, second, third, ConvNorm(64, WIDTH, activation=nn.ReLU()))


class AttentionRefinement(nn.Module):
    """A convolution whose channels are weighed: (B, cin, h, w) -> (B, 128, h, w)."""

    def __init__(self, cin: int):
        """Take the channels of the map."""
        super().__init__()
        self.conv = ConvNorm(cin, WIDTH, 3, activation=nn.ReLU())
        self.weigh = ConvNorm(WIDTH, WIDTH, activation=nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:  # noqa: D102
        x = self.conv(x)
        return x * self.weigh(mean(x))


class FeatureFusion(nn.Module):
    """Join the two paths: 2 x (B, 128, h, w) -> (B, 256, h, w)."""

    def __init__(self):
        """Take nothing: both paths are 128 wide."""
        super().__init__()
        width = 2 * WIDTH
        self.conv = ConvNorm(width, width, activation=nn.ReLU())
        self.weigh = nn.Sequential(
            nn.Conv2d(width, width, 1, bias=False), nn.ReLU(),
            nn.Conv2d(width, width, 1, bias=False), nn.Sigmoid(),
        )  # fmt: skip

    def forward(self, spatial: Tensor, context: Tensor) -> Tensor:  # noqa: D102
        x = self.conv(torch.cat([spatial, context], 1))
        return x + x * self.weigh(mean(x))


class ContextPath(nn.Module):
    """What is far: four maps of a backbone -> (B, 128, h, w) at 1/16 and at 1/8, refined."""

    def __init__(self, widths: tuple[int, ...]):
        """Take the channels of the four maps."""
        super().__init__()
        _, _, c16, c32 = widths
        self.whole = ConvNorm(c32, WIDTH, activation=nn.ReLU())
        self.attend32, self.attend16 = AttentionRefinement(c32), AttentionRefinement(c16)
        self.refine32, self.refine16 = (
            ConvNorm(WIDTH, WIDTH, 3, activation=nn.ReLU()) for _ in range(2)
        )

    def forward(self, maps: list[Tensor]) -> tuple[Tensor, Tensor]:  # noqa: D102
        _, x8, x16, x32 = maps
        x = self.attend32(x32) + self.whole(mean(x32))
        at16 = self.refine32(resize(x, x16.shape[-2:]))
        x = self.attend16(x16) + at16
        return at16, self.refine16(resize(x, x8.shape[-2:]))


def head(cin: int, inner: int, classes: int) -> nn.Sequential:
    """Build what turns a map into classes."""
    return nn.Sequential(
        ConvNorm(cin, inner, 3, activation=nn.ReLU()), nn.Conv2d(inner, classes, 1)
    )


def backbone(name: str, channels: int, weights: str | None) -> nn.Module:
    """Build the context path's backbone; weights are for ResNet-18 alone."""
    if name == 'resnet18':
        return encoder(name, channels, weights)
    if weights is not None:
        raise ValueError(f'weights {weights!r}: there are none for {name}, expected None')
    return Xception39(channels)


class BiSeNet(Network):
    """The network; its contract is in the package's docstring."""

    def __init__(self, config: Config, weights: str | None = None):
        """Build; weights are of the context path's backbone."""
        super().__init__(config)
        one_of(config, context=CONTEXTS, spatial=SPATIAL)
        self.pixels = Pixels(config.depth)
        self.spatial = SpatialPath(self.pixels.channels, config.spatial)
        self.backbone = backbone(config.context, self.pixels.channels, weights)
        self.context = ContextPath(self.backbone.widths)
        self.fuse = FeatureFusion()
        self.head = head(2 * WIDTH, 64, config.classes)
        self.aux16, self.aux8 = (
            head(WIDTH, CONTEXTS[config.context], config.classes) for _ in range(2)
        )

    def forward(self, image: Tensor, depth: Tensor | None = None, **state) -> dict[str, Tensor]:
        """Run the network; see the package's contract."""
        x = self.pixels(image, depth)
        at16, at8 = self.context(self.backbone(x))  # B 128 h w
        logits = {'logits': self.head(self.fuse(self.spatial(x), at8))}
        if self.training:
            logits |= {'aux16': self.aux16(at16), 'aux8': self.aux8(at8)}
        return {name: resize(x, image.shape[-2:]) for name, x in logits.items()}
