"""
RGANet: Mo & Chen, "Realtime Global Attention Network for Semantic Segmentation", RA-L 2022.

arXiv 2112.12939. An encoder of inference blocks (IB), each half the size of the one before and
with global attention (gam.py); a decoder of vote-and-upsample units (VU), which merge what comes
up with the highway from the encoder; a decision unit (DU) that looks at the picture once more.

Where paper and authors' code differ, this follows the code: `residual`: out = BN(x + BN(x' g)),
x' the normalised x, where the paper has (1 + g) x; the sigmoid is that of a SiLU, so g is never
below 0.43. Not in the paper, from the code: each bottleneck widens to 3 k channels, to n/2 k in
ESS-12 and ESS-24. RGANet5-Bn has the last n highways in the order of the data cut, and no vote
where one is. Its "FLOPs" are multiply-adds at 480 x 640, in thop's accounting, over 5. What stands
in for the DU where there is none is not published: a plain 1 x 1 convolution here.

The long kernels bind a network to one size: it is part of the Config.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

from rganet_ros.networks.choices import one_of
from rganet_ros.networks.folding import fold_norms, pair_pixels
from rganet_ros.networks.gam import GAM
from rganet_ros.networks.layers import Network, Pixels
from rganet_ros.networks.rganet_folded import FoldedRGANet
from rganet_ros.networks.variant import AUTHORS, OURS, PROVEN, Variant
import torch
from torch import nn, Tensor

UPSAMPLINGS = ('nearest', 'deconvolution')
RESIDUALS = ('code', 'paper')
GATES = ('sigmoid', 'softmax')


@dataclass(frozen=True)
class Config:
    """
    What may vary.

    classes     how many
    depth       whether there is a depth input beside the picture
    size        (height, width) of the picture
    growth      k, channels of a stacked feature
    blocks      bottlenecks of each IB's ESS: RGANet-n has n of them
    cut         how many highways are cut, from the picture's end on: n of Bn, 0 is NB
    decision    whether there is a decision unit
    upsampling  'nearest' after a 1 x 1 convolution, or a 2 x 2 'deconvolution' for both
    residual    'code' or 'paper'
    gate        'sigmoid' or 'softmax' of the GAM
    """

    classes: int = 3
    depth: bool = False
    size: tuple[int, int] = (480, 640)
    growth: int = 15
    blocks: tuple[int, ...] = (3, 3, 6, 12, 24)
    cut: int = 0
    decision: bool = True
    upsampling: str = 'nearest'
    residual: str = 'code'
    gate: str = 'sigmoid'

    def __post_init__(self):
        """Refuse what cannot be built."""
        step = 2 ** len(self.blocks)
        if any(side < step or side % step for side in self.size):
            fits = tuple(max(step, round(side / step) * step) for side in self.size)
            raise ValueError(
                f'size = {self.size} must be multiples of {step}, two to the number of blocks: '
                f'{fits} would be right'
            )
        if not 0 <= self.cut < len(self.blocks):
            raise ValueError(f'cut = {self.cut} must be in 0..{len(self.blocks) - 1}')
        one_of(self, upsampling=UPSAMPLINGS, residual=RESIDUALS, gate=GATES)


def _row(published: str, status: str, **config) -> Variant:
    return Variant(Config(**config), (480, 640), 3, published, status)


VARIANTS = {
    'rganet5-nb': _row('3.41 M; FLOPs 1.57 = 7.85 G / 5; Jaccard 37.92', PROVEN),
    **{f'rganet5-b{n}': _row('', AUTHORS, cut=n) for n in (1, 2, 3, 4)},
    'rganet5-b3-deconv': _row(
        '3.67 M; FLOPs 1.83 = 9.17 G / 5; Jaccard 37.84', PROVEN, cut=3, upsampling='deconvolution'
    ),
    'rganet5-nb-plain': _row('without DU; Jaccard 28.88', OURS, decision=False),
    'rganet5-b3-plain': _row('without DU; Jaccard 30.09', OURS, cut=3, decision=False),
}


class Bottleneck(nn.Sequential):
    """Norms and activations first, then 1 x 1 to s k channels, then 3 x 3 to k."""

    def __init__(self, cin: int, growth: int, stack: int):
        """Take the channels so far, k, and s."""
        super().__init__()
        wide = growth * stack
        self.norm1, self.act1 = nn.BatchNorm2d(cin), nn.ReLU()
        self.conv1 = nn.Conv2d(cin, wide, 1)
        self.norm2, self.act2 = nn.BatchNorm2d(wide), nn.ReLU()
        self.conv2 = nn.Conv2d(wide, growth, 3, padding=1)


class ESS(nn.Module):
    """Excite, squeeze, stack (Fig. 3a): (B, k, h, w) -> (B, (n + 1) k, h, w), and a ReLU."""

    def __init__(self, growth: int, blocks: int):
        """Take k and n."""
        super().__init__()
        stack = max(3, blocks // 2)
        self.blocks = nn.ModuleList(
            Bottleneck(growth * (i + 1), growth, stack) for i in range(blocks)
        )
        self.norm, self.act = nn.BatchNorm2d(growth * (blocks + 1)), nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:  # noqa: D102
        for block in self.blocks:
            x = torch.cat([x, block(x)], 1)
        return self.act(self.norm(x))


class Attended(nn.Module):
    """A GAM and its residual: (B, C, h, w) -> (B, C, h, w)."""

    def __init__(self, channels: int, size: tuple[int, int], config: Config, shortcut=True):
        """Take the size of the volume; without a shortcut (the DU's) x is only weighed."""
        super().__init__()
        self.attention = GAM(channels, size, config.gate)
        self.paper, self.shortcut = config.residual == 'paper', shortcut
        if not self.paper:
            self.norm_weighed = nn.BatchNorm2d(channels)
            self.norm = nn.BatchNorm2d(channels) if shortcut else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:  # noqa: D102
        weight, normed = self.attention(x)
        if self.paper:
            return (1 + weight) * x
        weighed = self.norm_weighed(weight * normed)
        return self.norm(x + weighed) if self.shortcut else weighed


class Vote(nn.Module):
    """
    VU: (B, C, h, w) and the highway's (B, c, 2h, 2w), or none -> (B, c, 2h, 2w).

    Up to a shallow IB's width it goes by way of k channels and an ESS-3.
    """

    def __init__(self, cin: int, cout: int, growth: int, config: Config, highway: bool):
        """Take k, or 0 where no ESS comes in between."""
        super().__init__()
        inner = growth or cout
        if config.upsampling == 'deconvolution':
            first = [nn.ConvTranspose2d(cin, inner, 2, 2)]
        else:
            first = [nn.Conv2d(cin, inner, 1)]
        self.up = nn.Sequential(*first, nn.BatchNorm2d(inner, affine=False), nn.ReLU())
        if config.upsampling == 'nearest':
            self.up.append(nn.Upsample(scale_factor=2))
        self.stack = ESS(growth, 3) if growth else nn.Identity()
        if highway:
            self.merge = nn.Sequential(
                nn.Conv2d(2 * cout, cout, 1, bias=False),
                nn.BatchNorm2d(cout, affine=False),
                nn.ReLU(),
            )

    def forward(self, x: Tensor, highway: Tensor | None) -> Tensor:  # noqa: D102
        x = self.stack(self.up(x))
        return x if highway is None else self.merge(torch.cat([x, highway], 1))


class RGANet(Network):
    """The network; its contract is in the package's docstring."""

    def __init__(self, config: Config, weights: str | None = None):
        """Build with random weights; it has no backbone that others could come from."""
        super().__init__(config)
        if weights is not None:
            raise ValueError(f'RGANet has no backbone to load {weights!r} into')
        k, (height, width) = config.growth, config.size
        self.pixels = Pixels(config.depth, mean=None)
        widths = [k * (n + 1) for n in config.blocks]
        self.down, self.stacks, self.attended = (nn.ModuleList() for _ in range(3))
        cin = self.pixels.channels
        for scale, (n, cout) in enumerate(zip(config.blocks, widths), 1):
            self.down.append(nn.Conv2d(cin, k, 3, 2, 1))
            self.stacks.append(ESS(k, n))
            size = height >> scale, width >> scale
            self.attended.append(Attended(cout, size, config))
            cin = cout
        self.votes = nn.ModuleList()
        for scale in range(len(widths) - 2, -1, -1):
            cout = widths[scale]
            self.votes.append(
                Vote(cin, cout, k if config.blocks[scale] == 3 else 0, config, scale >= config.cut)
            )
            cin = cout
        self.votes.append(Vote(cin, k, 0, config, highway=False))
        if config.decision:
            self.head = nn.Sequential(
                nn.Conv2d(k + 3, config.classes, 1), nn.BatchNorm2d(config.classes), nn.ReLU()
            )
            self.decide = Attended(config.classes, config.size, config, shortcut=False)
        else:
            self.head = nn.Conv2d(k, config.classes, 1)

    def for_inference(self) -> nn.Module:
        """Fold all that is affine; see rganet_folded."""
        return pair_pixels(fold_norms(FoldedRGANet(copy.deepcopy(self).eval()).eval()))

    def use(self, form: str) -> RGANet:
        """Compute every GAM in this form (gam.FORMS), from now on."""
        for module in self.modules():
            if isinstance(module, GAM):
                module.form = form
        return self

    def forward(self, image: Tensor, depth: Tensor | None = None, **state) -> dict[str, Tensor]:
        """Run the network; see the package's contract. ValueError for another size."""
        if tuple(image.shape[-2:]) != self.config.size:
            given, own = ('x'.join(map(str, s)) for s in (image.shape[-2:], self.config.size))
            raise ValueError(f'this RGANet is bound to {own} pixels, not {given}: give it {own}')
        x, highways = self.pixels(image, depth), []
        for down, stack, attend in zip(self.down, self.stacks, self.attended):
            x = attend(stack(down(x)))
            highways.append(x)
        kept = [None, *(x if i >= self.config.cut else None for i, x in enumerate(highways[:-1]))]
        for vote in self.votes:
            x = vote(x, kept.pop())
        if self.config.decision:
            x = self.decide(self.head(torch.cat([x, image], 1)))
        else:
            x = self.head(x)
        return {'logits': x}
