"""
AttaNet: Song, Mei & Huang, "AttaNet: Attention-Augmented Network ...", AAAI 2021, 2103.05930.

Strip attention (SAM, equations 1 and 2): every pixel attends to the W columns of the map, whose
keys and values are means over the height, so that it costs n W and not n^2. Attention fusion (AFM,
equations 3 and 4) weighs the maps of two scales against each other, by channel:
out = (1 - a) low + up(a high).

Where paper and authors' code differ, this follows the code: nearest upsampling inside (the paper
has bilinear), auxiliary heads on the 1/8 map and on the weighed high branch, softmax over the
columns. The code is of ResNet-18 and light alone. Of Table 4 only the differences can be had, not
the absolutes, which contradict each other: for ResNet-50 and -101 they fit an AFM of 512 channels,
and strip attention at 128.

Counted with 19 classes: ResNet-18 12.639 M parameters (12.790 with auxiliary heads) and 22.9 G
multiply-adds at 512 x 1024 (23.6 with them); at 1024 x 1024 SAM adds 0.185 G, AFM or concatenation
0.336, non-local attention 3.355, as published. Concatenation fits only if the convolution of the
high map is counted, which then nothing but an auxiliary head reads: engines leave it out.
"""

from __future__ import annotations

from dataclasses import dataclass

from rganet_ros.networks.backbones import encoder
from rganet_ros.networks.choices import one_of
from rganet_ros.networks.dfnet import DF1, DF2, DFNet
from rganet_ros.networks.layers import ConvNorm, Network, Pixels, resize
from rganet_ros.networks.variant import AUTHORS, INFERRED, LOST, PROVEN, Variant
import torch
from torch import nn, Tensor
from torch.nn import functional

# Backbone: channels of the fusion, and of what follows.
WIDTHS = {
    'light': (64, 64),
    'resnet18': (128, 128),
    'resnet50': (512, 128),
    'resnet101': (512, 128),
    'df1': (128, 128),
    'df2': (128, 128),
    'shufflenet_v2': (128, 128),
}
ATTENTIONS = ('vertical', 'horizontal', 'nonlocal', 'none')
FUSIONS = ('attention', 'addition', 'concatenation')
UPSAMPLINGS = ('nearest', 'bilinear')


@dataclass(frozen=True)
class Config:
    """
    What may vary.

    classes     how many
    depth       whether there is a depth input beside the picture
    backbone    of WIDTHS
    attention   'vertical' strips (means over the height), 'horizontal', 'nonlocal' or 'none'
    fusion      'attention', 'addition' or 'concatenation'
    upsampling  between scales: 'nearest' or 'bilinear'
    """

    classes: int = 3
    depth: bool = False
    backbone: str = 'resnet18'
    attention: str = 'vertical'
    fusion: str = 'attention'
    upsampling: str = 'nearest'

    def __post_init__(self):
        """Refuse what cannot be built."""
        one_of(self, backbone=WIDTHS, attention=ATTENTIONS, fusion=FUSIONS, upsampling=UPSAMPLINGS)


def _row(published: str, status: str, size=(1024, 1024), **config) -> Variant:
    return Variant(Config(**config), size, 19, published, status)


VARIANTS = {
    'attanet-r18': _row('78.5 mIoU on Cityscapes test at 130 fps', AUTHORS, (512, 1024)),
    'attanet-light': _row(
        '70.1 mIoU on Cityscapes test at 180 fps', AUTHORS, (512, 1024), backbone='light'
    ),
    'attanet-r18-base': _row(
        'mIoU 72.8 (Cityscapes val)', AUTHORS, attention='none', fusion='addition'
    ),
    'attanet-r18-sam': _row('+0.185 G over base; mIoU 77.1', PROVEN, fusion='addition'),
    'attanet-r18-horizontal': _row(
        'mIoU 76.9', AUTHORS, attention='horizontal', fusion='addition'
    ),
    'attanet-r18-nonlocal': _row(
        '+3.357 G over base; mIoU 78.1', PROVEN, attention='nonlocal', fusion='addition'
    ),
    'attanet-r18-afm': _row('+0.336 G over base; mIoU 77.3', PROVEN, attention='none'),
    'attanet-r18-concatenation': _row(
        '+0.336 G over base; mIoU 73.7', INFERRED, attention='none', fusion='concatenation'
    ),
    'attanet-r18-bilinear': _row('as drawn in the paper', AUTHORS, upsampling='bilinear'),
    'attanet-r50': _row('53.62 M; 176.91 G, +5.55 over base', LOST, backbone='resnet50'),
    'attanet-r101': _row('78.96 M; 329.91 G', LOST, backbone='resnet101'),
    'attanet-df1': _row('10.43 M; 26.44 G, +0.52 over base', INFERRED, backbone='df1'),
    'attanet-df2': _row('20.08 M; 49.23 G, +0.49 over base; 79.9 mIoU', INFERRED, backbone='df2'),
    'attanet-shufflenet': _row('3.31 M; 12.59 G, +0.49 over base', LOST, backbone='shufflenet_v2'),
}


def conv(cin: int, cout: int, kernel: int, stride=1) -> ConvNorm:
    """Build a convolution with norm and ReLU, as there are so many here."""
    return ConvNorm(cin, cout, kernel, stride, nn.ReLU())


class LightBackbone(nn.Module):
    """Eight convolutions: (B, channels, H, W) -> maps at 1/8 and 1/16."""

    widths = (64, 128)

    def __init__(self, channels: int):
        """Take how many channels the input has."""
        super().__init__()
        self.down8 = nn.Sequential(
            conv(channels, 32, 7, 2), conv(32, 64, 3, 2), conv(64, 64, 3, 2),
            conv(64, 64, 3), conv(64, 64, 3),
        )  # fmt: skip
        self.down16 = nn.Sequential(conv(64, 128, 3, 2), conv(128, 128, 3), conv(128, 128, 3))

    def forward(self, x: Tensor) -> list[Tensor]:  # noqa: D102
        x = self.down8(x)
        return [x, self.down16(x)]


class Strip(nn.Module):
    """Equations 1 and 2, with a shortcut: (B, c, h, w) -> (B, c, h, w)."""

    def __init__(self, channels: int, kind: str):
        """Take one of ATTENTIONS but 'none'."""
        super().__init__()
        self.query, self.key = conv(channels, 64, 1), conv(channels, 64, 1)
        self.value = conv(channels, channels, 1)
        self.kind = kind

    def forward(self, x: Tensor) -> Tensor:  # noqa: D102
        query, key, value = self.query(x).flatten(2), self.key(x), self.value(x)
        if self.kind == 'nonlocal':
            key, value = key.flatten(2), value.flatten(2)
        else:
            axis = 2 if self.kind == 'vertical' else 3
            key, value = key.mean(axis), value.mean(axis)  # B c s, s columns or rows
        weights = (query.mT @ key).softmax(-1)  # B n s
        return x + (value @ weights.mT).view(x.shape)


class Mask(nn.Sequential):
    """Channel weights of two maps, joined: (B, c, h, w) -> (B, m, 1, 1) in 0..1."""

    def __init__(self, cin: int, width: int, kernel: int):
        """Take the channels of the joined maps and of the mask."""
        super().__init__()
        self.join = conv(cin, width, kernel)
        self.weigh = ConvNorm(width, width, activation=nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:  # noqa: D102
        return self.weigh(self.join(x).mean((2, 3), keepdim=True))


class Fusion(nn.Module):
    """
    Merge the map of a scale with the one below it.

    low (B, c, h, w), high (B, C, h/2, w/2) -> merged (B, m, h, w), and what came up (B, m, h, w)
    """

    def __init__(self, low: int, high: int, width: int, config: Config):
        """Take the channels of both maps and the width m."""
        super().__init__()
        self.kind, self.mode = config.fusion, config.upsampling
        self.light = config.backbone == 'light'
        self.low, self.high = conv(low, width, 3), conv(high, width, 3)
        if self.light:  # looks at both maps after these convolutions, the others before
            high = width
            self.low2, self.high2 = conv(width, width, 3), conv(width, width, 3)
        if self.kind == 'attention':
            self.mask = Mask(width + high, width, 3 if self.light else 1)
        elif self.kind == 'concatenation':
            self.join = conv(width + high, width, 1)

    def forward(self, low: Tensor, high: Tensor) -> tuple[Tensor, Tensor]:  # noqa: D102
        size = low.shape[-2:]
        low, up = self.low(low), self.high(high)
        if self.kind == 'attention':
            seen = enlarge(up if self.light else high, size, self.mode)
            mask = self.mask(torch.cat([low, seen], 1))
        if self.light:
            low, up = self.low2(low), self.high2(up)
        if self.kind == 'attention':
            low, up = low * (1 - mask), up * mask
        up = enlarge(up, size, self.mode)
        if self.kind == 'concatenation':
            seen = up if self.light else enlarge(high, size, self.mode)
            return self.join(torch.cat([low, seen], 1)), up
        return low + up, up


def enlarge(x: Tensor, size, mode: str) -> Tensor:
    """Resize to (height, width): one of UPSAMPLINGS."""
    return resize(x, size) if mode == 'bilinear' else functional.interpolate(x, size)


class AttaNet(Network):
    """The network; its contract is in the package's docstring."""

    def __init__(self, config: Config, weights: str | None = None):
        """Build with random weights, but for the backbone's where they are given."""
        super().__init__(config)
        self.pixels = Pixels(config.depth)
        self.backbone = _backbone(config.backbone, self.pixels.channels, weights)
        *_, fine, low, high = (0, *self.backbone.widths)
        light = config.backbone == 'light'
        fused, width = WIDTHS[config.backbone]
        self.fusion = Fusion(low, high, fused, config)
        self.smooth = conv(fused, width, 3)
        if config.attention != 'none':
            self.attention = Strip(width, config.attention)
        self.refine = conv(width, width, 3)

        def head(cin, inner):
            layers = [conv(cin, inner, 3), nn.Conv2d(inner, config.classes, 1, bias=False)]
            return nn.Sequential(*layers if light else (layers[0], nn.Dropout2d(0.1), layers[1]))

        self.head = head(width, width)
        self.aux_fused, self.aux_fine = head(fused, 64), head(high if light else fine, 64)

    def forward(self, image: Tensor, depth: Tensor | None = None, **state) -> dict[str, Tensor]:
        """Run the network; see the package's contract."""
        maps = self.backbone(self.pixels(image, depth))
        x, up = self.fusion(*maps[-2:])  # B m, at 1/16; light: at 1/8
        x = self.smooth(x)
        if self.config.attention != 'none':
            x = self.attention(x)
        if self.config.backbone != 'light':
            x = enlarge(x, maps[-3].shape[-2:], self.config.upsampling)
        logits = {'logits': self.head(self.refine(x))}
        if self.training:
            fine = maps[-1] if self.config.backbone == 'light' else maps[-3]
            logits |= {'aux_fused': self.aux_fused(up), 'aux_fine': self.aux_fine(fine)}
        return {name: resize(x, image.shape[-2:]) for name, x in logits.items()}


def _backbone(name: str, channels: int, weights: str | None) -> nn.Module:
    if name not in ('light', 'df1', 'df2'):
        return encoder(name, channels, weights)
    if weights is not None:
        raise ValueError(f'weights {weights!r}: there are none for {name}, expected None')
    if name == 'light':
        return LightBackbone(channels)
    return DFNet(channels, DF1 if name == 'df1' else DF2)
