"""
FANet: Hu et al., "Real-time Semantic Segmentation with Fast Attention", RA-L 2020, 2007.03815.

Fast attention (equations 2 and 3): with queries and keys of unit length the softmax may go, and
Q (K^T V) costs n c' c instead of n^2 (c' + c). Where the authors' code and the paper differ, this
follows the code: leaky ReLU instead of ReLU, no 1/n in equation 3 (`scale_by_n` brings it back;
half precision needs it, as the sums reach n), the finest map is 1/8. Not taken over: the padding
of 1 around the code's 1x1 up convolutions, which grows the map by two pixels, and two convolutions
nobody reads.

Memory (III-D, equations 4 to 6): the context K^T V of the last frames - 1 frames is kept and added
to the present one's before Q reads it. `temporal` is the paper's sum, or the mean over the frames
that are there, which keeps the magnitude while the window fills.

Counted at 1024 x 2048 with 19 classes: 47.1 G multiply-adds for FANet-18 and 66.4 for FANet-34,
published 49 and 65 (0.3 G more with the smoothing of the 1/64 map, which only an auxiliary head
reads). The published 121 G of self-attention are not to be had: one 1/8 map costs 103 G alone, by
the paper's own Table I.
"""

from __future__ import annotations

from dataclasses import dataclass

from rganet_ros.networks import backbones
from rganet_ros.networks.backbones import ResNet, SLOPE
from rganet_ros.networks.choices import one_of
from rganet_ros.networks.coarse import CoarseConv, JoinedConv
from rganet_ros.networks.layers import ConvNorm, Network, Pixels, resize
from rganet_ros.networks.variant import AUTHORS, LOST, OURS, Variant
import torch
from torch import nn, Tensor
from torch.nn import functional

ENCODERS = ('resnet', 'efficientnet_lite0')
ATTENTIONS = ('fast', 'self', 'channel', 'none')
REDUCTIONS = ('res1', 'none', 'conv0', 'res2', 'res3', 'res4')


@dataclass(frozen=True)
class Config:
    """
    What may vary.

    classes     how many
    depth       whether there is a depth input beside the picture
    encoder     'resnet', or 'efficientnet_lite0' (maps at 1/4 to 1/32, no further reduction)
    blocks      of the resnet's stages: (2, 2, 2, 2) is FANet-18, (3, 4, 6, 3) FANet-34
    reduction   the resnet's extra spatial reduction: 'res1', 'none', 'conv0', 'res2' ... 'res4'
    reduce_by   'stride', 'average' or 'maximum'
    width       channels of each of the two maps that the head joins
    attention   'fast', 'self' (softmax), 'channel' or 'none'
    reduced     channels c' of queries and keys
    l2          normalise queries and keys
    scale_by_n  divide by the number of positions, as equation 3 does
    frames      T of the temporal window, this frame included; 1 has no memory
    temporal    'sum' or 'mean' over the window
    blur        how often the picture is first blurred by (1, 2, 1) / 4 along both axes: as by a
                Gaussian of (blur / 2) ** 0.5 pixels
    """

    classes: int = 3
    depth: bool = False
    encoder: str = 'resnet'
    blocks: tuple[int, ...] = (2, 2, 2, 2)
    reduction: str = 'res1'
    reduce_by: str = 'stride'
    width: int = 128
    attention: str = 'fast'
    reduced: int = 32
    l2: bool = True
    scale_by_n: bool = False
    frames: int = 1
    temporal: str = 'mean'
    blur: int = 0

    def __post_init__(self):
        """Refuse what cannot be built."""
        one_of(
            self, encoder=ENCODERS, attention=ATTENTIONS, reduction=REDUCTIONS,
            reduce_by=('stride', 'average', 'maximum'), temporal=('sum', 'mean'),
        )  # fmt: skip
        if self.frames < 1 or (self.frames > 1 and self.attention != 'fast'):
            raise ValueError(
                f'frames = {self.frames} must be 1 or more, and 1 unless attention is fast'
            )
        if self.blur < 0:
            raise ValueError(f'blur = {self.blur} must be 0 or more')


def _row(published: str, status: str = AUTHORS, **config) -> Variant:
    return Variant(Config(**config), (1024, 2048), 19, published, status)


R34 = (3, 4, 6, 3)
VARIANTS = {
    'fanet18': _row('49 G multiply-adds; mIoU 75.0 (Cityscapes val)'),
    'fanet34': _row('65 G; mIoU 76.3', blocks=R34),
    'fanet18-temporal': _row('T = 2; mIoU 75.5', frames=2, scale_by_n=True),
    'fanet34-temporal': _row('T = 2; mIoU 76.7', blocks=R34, frames=2, scale_by_n=True),
    'fanet18-no-attention': _row('48 G; mIoU 72.7', attention='none'),
    'fanet18-self': _row('121 G; mIoU 75.1', LOST, attention='self'),
    'fanet18-channel': _row('51 G; mIoU 74.6', attention='channel'),
    'fanet18-no-l2': _row('49 G; mIoU 74.1', l2=False),
    **{
        f'fanet18-c{c}': _row(f'mIoU {miou}', reduced=c)
        for c, miou in ((8, 73.5), (16, 74.6), (64, 75.0), (128, 75.0))
    },
    **{
        f'fanet18-{at}': _row('', reduction=at) for at in ('none', 'conv0', 'res2', 'res3', 'res4')
    },
    'fanet18-average': _row('mIoU 72.9', reduce_by='average'),
    'fanet18-maximum': _row('mIoU 74.2', reduce_by='maximum'),
    'fanet-lite0': _row('', OURS, encoder='efficientnet_lite0', width=64),
}


class FastAttention(nn.Module):
    """
    Equations 3 and 6, and a residual: (B, c, h, w) -> (B, c, h, w), and this frame's context.

    past, filled  contexts of past frames (B, T - 1, c, c') and how many there are (B,), or None
    context       (B, c, c') float32: the paper's (K^T V)^T
    """

    def __init__(self, channels: int, config: Config):
        """Take the channels of the map."""
        super().__init__()
        self.query = ConvNorm(channels, config.reduced)
        self.key = ConvNorm(channels, config.reduced)
        self.value = ConvNorm(channels, channels, activation=nn.LeakyReLU(SLOPE))
        self.out = ConvNorm(channels, channels, activation=nn.LeakyReLU(SLOPE))
        self.l2, self.scale_by_n = config.l2, config.scale_by_n
        self.mean = config.temporal == 'mean'

    def forward(self, x: Tensor, past: Tensor | None = None, filled: Tensor | None = None):
        """Return the map and the context."""
        query, key = self.query(x).flatten(2), self.key(x).flatten(2)  # B c' n
        value = self.value(x).flatten(2)  # B c n
        if self.l2:
            query, key = functional.normalize(query, dim=1), functional.normalize(key, dim=1)
        if self.scale_by_n:
            value = value / value.shape[-1]
        present = context = (value @ key.mT).to(context_type(x))  # B c c'
        if past is not None:
            context = context + past.sum(1)
            if self.mean:
                context = context / (filled + 1).view(-1, 1, 1)
        return x + self.out((context.to(query.dtype) @ query).view(x.shape)), present


def context_type(x: Tensor) -> torch.dtype:
    """Give the type contexts are kept in: float32, or x's own where that is wider."""
    return torch.promote_types(x.dtype, torch.float32)


class SelfAttention(FastAttention):
    """Attention as usual, softmax(Q K^T) V, with the same four convolutions."""

    def forward(self, x: Tensor, past=None, filled=None):
        """Return the map, and no context."""
        query, key = self.query(x).flatten(2), self.key(x).flatten(2)
        value = self.value(x).flatten(2)
        weights = (query.mT @ key).softmax(-1)  # B n n
        return x + self.out((value @ weights.mT).view(x.shape)), None


class ChannelAttention(nn.Module):
    """Channels attend to channels (Fu et al., "Dual Attention Network", 2019): no queries."""

    def __init__(self, channels: int, config: Config):
        """Take the channels of the map."""
        super().__init__()
        self.out = ConvNorm(channels, channels, activation=nn.LeakyReLU(SLOPE))

    def forward(self, x: Tensor, past=None, filled=None):
        """Return the map, and no context."""
        flat = x.flatten(2)  # B c n
        energy = flat @ flat.mT  # B c c
        weights = (energy.amax(-1, keepdim=True) - energy).softmax(-1)
        return x + self.out((weights @ flat).view(x.shape)), None


class NoAttention(nn.Module):
    """The map as it is."""

    def __init__(self, channels: int, config: Config):
        """Need nothing."""
        super().__init__()

    def forward(self, x: Tensor, past=None, filled=None):
        """Return the map, and no context."""
        return x, None


ATTENTION = dict(
    zip(ATTENTIONS, (FastAttention, SelfAttention, ChannelAttention, NoAttention), strict=True)
)


class Head(nn.Sequential):
    """A 3x3 convolution over the maps at 1/32, resized, and at 1/8; and the classes."""

    def forward(self, coarse: Tensor, fine: Tensor) -> Tensor:  # noqa: D102
        first, last = self
        return last(first.activation(first.norm(first.conv(coarse, fine))))


class FANet(Network):
    """
    The network; its contract is in the package's docstring.

    Its memory, where config.frames > 1: context0 ... context3, finest first, and filled (see
    FastAttention).
    """

    def __init__(self, config: Config, weights: str | None = None):
        """Build with random weights, but for the encoder's where they are given."""
        super().__init__(config)
        if config.encoder == 'resnet':
            self.pixels = Pixels(config.depth, blur=config.blur)
            self.backbone = ResNet(
                self.pixels.channels, config.blocks, config.reduction, config.reduce_by
            )
        else:
            statistics = backbones.statistics(config.encoder)
            self.pixels = Pixels(config.depth, *statistics, config.blur)
            self.backbone = backbones.encoder(config.encoder, self.pixels.channels)

        def conv(cin, cout, kernel, **more):
            return ConvNorm(cin, cout, kernel, activation=nn.LeakyReLU(SLOPE), **more)

        self.widths = self.backbone.widths  # finest first
        c8, c16, c32, c64 = self.widths  # named as the paper's maps are, with its reduction
        self.attention = nn.ModuleList(ATTENTION[config.attention](c, config) for c in self.widths)
        self.up16, self.up32, self.up64 = conv(c16, c8, 1), conv(c32, c16, 1), conv(c64, c32, 1)
        self.smooth8, self.smooth32, self.smooth64 = (
            conv(c, config.width, 3) for c in (c8, c32, c64)
        )

        def last(channels):
            return nn.Conv2d(channels, config.classes, 1, bias=False)

        width = config.width
        self.head = Head(conv(2 * width, 2 * width, 3, convolution=JoinedConv), last(2 * width))
        self.aux32, self.aux64 = (nn.Sequential(conv(width, 64, 3), last(64)) for _ in range(2))
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, SLOPE, nonlinearity='leaky_relu')
        if weights is not None:
            self.backbone.load(weights)

    def state_shapes(self, batch: int) -> dict[str, tuple[int, ...]]:
        """Give the shapes of the memory: the contexts of past frames, and how many there are."""
        past = self.config.frames - 1
        if not past:
            return {}
        reduced = self.config.reduced
        shapes = {f'context{i}': (batch, past, c, reduced) for i, c in enumerate(self.widths)}
        return shapes | {'filled': (batch,)}

    def for_inference(self) -> nn.Module:
        """Return an equal network; see Network. The head sees its coarser map before resizing."""
        network = super().for_inference()
        first, _ = network.head
        first.conv = CoarseConv(first.conv, self.config.width)
        return network

    def forward(self, image: Tensor, depth: Tensor | None = None, **state) -> dict[str, Tensor]:
        """Run the network; see the package's contract."""
        maps = self.backbone(self.pixels(image, depth))
        filled, memory = state.get('filled'), {}
        for i, attend in enumerate(self.attention):
            past = state.get(f'context{i}')
            maps[i], context = attend(maps[i], past, filled)
            if past is not None:
                memory[f'next_context{i}'] = torch.cat([past[:, 1:], context[:, None]], 1)
        if filled is not None:
            memory['next_filled'] = (filled + 1).clamp(max=self.config.frames - 1)
        x8, x16, x32, x64 = maps
        x32 = x32 + resize(self.up64(x64), x32.shape[-2:])
        x16 = x16 + resize(self.up32(x32), x16.shape[-2:])
        x8 = x8 + resize(self.up16(x16), x8.shape[-2:])
        smooth32 = self.smooth32(x32)
        logits = {'logits': self.head(smooth32, self.smooth8(x8))}
        if self.training:
            logits |= {'aux32': self.aux32(smooth32), 'aux64': self.aux64(self.smooth64(x64))}
        return {name: resize(x, image.shape[-2:]) for name, x in logits.items()} | memory
