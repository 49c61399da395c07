"""
AAFF: Y. Cheng, "Attention and Feature Fusion Network for Real-time Semantic Segmentation", 2020.

BiSeNet (bisenet.py) with a depth-wise spatial path, whose context path is made of AAFF blocks
(Figure 3). A block takes a fine map and one of half its size: it halves the fine map, weighs its
channels by their means, and joins both: out = conv(cat(a d, coarse)) with d = conv_2(fine) and
a = sigmoid(N(W mean(d))).

No code exists and the paper publishes no counts, so all of this is our interpretation. Which maps
go through which blocks is read in two ways: 'b', two symmetric branches of two blocks, 1/4 to 1/16
and 1/8 to 1/32 ("4x down" and "8x down" in Figure 1), or 'a', two blocks side by side, 1/8 to 1/16
and 1/16 to 1/32. Of the paper's speeds (25, 35, 31, 27 fps for BiSeNet, depth-wise BiSeNet, AAFF,
AAFF2) only 'b' at 256 channels keeps the order. AAFF2 is undefined; as the text has it that other
activations and fusions were tried, here it is ReLU for sigmoid and a sum for the concatenation.
Auxiliary heads, of which the paper says nothing, are BiSeNet's, on the outputs of both branches.

Counted at 640 x 800 with 12 classes, without auxiliary heads: 'b' 2.754 M parameters and 6.14 G
multiply-adds, at 128 channels 1.284 M and 3.79 G, 'a' 1.035 M and 3.16 G.
"""

from __future__ import annotations

from dataclasses import dataclass

from rganet_ros.networks.bisenet import FeatureFusion, head, mean, SpatialPath, WIDTH
from rganet_ros.networks.choices import one_of
from rganet_ros.networks.layers import ConvNorm, Network, Pixels, resize
from rganet_ros.networks.variant import OURS, Variant
from rganet_ros.networks.xception39 import Xception39
import torch
from torch import nn, Tensor

STRIDES = (4, 8, 16, 32)  # of the backbone's maps
READINGS = {'a': ((8, 16), (16, 32)), 'b': ((4, 8, 16), (8, 16, 32))}  # the maps of each branch
ACTIVATIONS = {'sigmoid': nn.Sigmoid, 'relu': nn.ReLU}
FUSIONS = ('concatenation', 'sum')


@dataclass(frozen=True)
class Config:
    """
    What may vary.

    classes     how many
    depth       whether there is a depth input beside the picture
    reading     of Figure 1: 'a' or 'b'
    width       channels inside and after each block
    activation  of the attention: 'sigmoid' or 'relu'
    fusion      of the two maps in a block: 'concatenation' or 'sum'
    """

    classes: int = 3
    depth: bool = False
    reading: str = 'b'
    width: int = 256
    activation: str = 'sigmoid'
    fusion: str = 'concatenation'


def _variant(published: str, **config) -> Variant:
    return Variant(Config(**config), (640, 800), 12, published, OURS)


VARIANTS = {
    'aaff': _variant('31 fps on a 840M, 0.84 accuracy on CamVid'),
    'aaff-b128': _variant('as aaff', width=128),
    'aaff-a': _variant('as aaff', reading='a', width=128),
    'aaff2': _variant(
        '27 fps on a 840M, 0.80 accuracy on CamVid', activation='relu', fusion='sum'
    ),
}


class AAFF(nn.Module):
    """Figure 3: fine (B, c1, 2h, 2w), coarse (B, c2, h, w) -> (B, width, h, w)."""

    def __init__(self, fine: int, coarse: int, config: Config):
        """Take the channels of both maps."""
        super().__init__()
        width = config.width
        self.halve = ConvNorm(fine, width, 3, 2, nn.ReLU())
        self.weigh = ConvNorm(width, width, activation=ACTIVATIONS[config.activation]())
        self.bring = nn.Conv2d(coarse, width, 1, bias=False) if config.fusion == 'sum' else None
        joined = width if config.fusion == 'sum' else width + coarse
        self.out = ConvNorm(joined, width, activation=nn.ReLU())

    def forward(self, fine: Tensor, coarse: Tensor) -> Tensor:  # noqa: D102
        x = self.halve(fine)
        x = x * self.weigh(mean(x))
        if self.bring is None:
            return self.out(torch.cat([x, coarse], 1))
        return self.out(x + self.bring(coarse))


class Branch(nn.Module):
    """Successive blocks: the backbone's maps -> (B, width, h, w) at the last of its strides."""

    def __init__(self, strides: tuple[int, ...], widths: tuple[int, ...], config: Config):
        """Take the strides of the maps it goes through, and the channels of all maps."""
        super().__init__()
        self.indices = [STRIDES.index(stride) for stride in strides]
        fine, *others = (widths[index] for index in self.indices)
        self.blocks = nn.ModuleList()
        for coarse in others:
            self.blocks.append(AAFF(fine, coarse, config))
            fine = config.width

    def forward(self, maps: list[Tensor]) -> Tensor:  # noqa: D102
        x, *others = (maps[index] for index in self.indices)
        for block, coarse in zip(self.blocks, others):
            x = block(x, coarse)
        return x


class AAFFNet(Network):
    """The network; its contract is in the package's docstring."""

    def __init__(self, config: Config, weights: str | None = None):
        """Build with random weights: there are none for its backbone."""
        super().__init__(config)
        _check(config, weights)
        self.pixels = Pixels(config.depth)
        self.spatial = SpatialPath(self.pixels.channels, 'depthwise')
        self.backbone = Xception39(self.pixels.channels)
        self.left, self.right = (
            Branch(strides, Xception39.widths, config) for strides in READINGS[config.reading]
        )
        self.context = ConvNorm(2 * config.width, WIDTH, activation=nn.ReLU())
        self.fuse = FeatureFusion()
        self.head = head(2 * WIDTH, 64, config.classes)
        self.aux_left, self.aux_right = (
            head(config.width, WIDTH, config.classes) for _ in range(2)
        )

    def forward(self, image: Tensor, depth: Tensor | None = None, **state) -> dict[str, Tensor]:
        """Run the network; see the package's contract."""
        x = self.pixels(image, depth)
        maps = self.backbone(x)
        spatial = self.spatial(x)  # B 128 H/8 W/8
        left, right = self.left(maps), self.right(maps)  # B width, at 1/16 and 1/32
        both = torch.cat([resize(x, spatial.shape[-2:]) for x in (left, right)], 1)
        logits = {'logits': self.head(self.fuse(spatial, self.context(both)))}
        if self.training:
            logits |= {'aux_left': self.aux_left(left), 'aux_right': self.aux_right(right)}
        return {name: resize(x, image.shape[-2:]) for name, x in logits.items()}


def _check(config: Config, weights: str | None) -> None:
    one_of(config, reading=READINGS, activation=ACTIVATIONS, fusion=FUSIONS)
    if weights is not None:
        raise ValueError(f'weights {weights!r}: there are none for xception39, expected None')
