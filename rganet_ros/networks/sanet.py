"""
SANet: Zhong et al., "Squeeze-and-Attention Networks for Semantic Segmentation", CVPR 2020.

Squeeze and attention (equations 4 and 5): attention is pooled eight times, not to one number a
channel, so that it groups pixels: out = attention x main + attention. Four such heads, one on each
stage of a dilated backbone, give four maps of classes; they are merged into a mask. A dense head
on the last stage, plus the fourth map, is the prediction (section 3.3). The mask, and which
classes are in the picture (from the pooled dense map), then serve training only: the paper's loss
is mask + 0.2 categorical + 0.8 dense.

No authors' code exists. Kernel sizes are those that fit Table 6, whose input is 480 x 480 with
21 classes, not 512 x 512 as the text supposes: 55.41 M parameters and 204.6 G multiply-adds,
published 55.5 and 204.7 (55.46 M at the 59 classes of PASCAL Context). Its dilated FCN has
42.62 M, which is the backbone alone, without any layer that classifies. The paper pools by average
in equation 5 and Figure 2 and by maximum in section 3.3; alpha and beta are as in the text, not as
in the caption of Figure 4. Unclear too is where the categorical loss of Table 1 takes its map from
before there is a dense head: here from the mask; and where its SE module sits: here on the last
stage.
"""

from __future__ import annotations

from dataclasses import dataclass

from rganet_ros.networks.backbones import encoder, statistics
from rganet_ros.networks.choices import one_of
from rganet_ros.networks.layers import ConvNorm, Network, Pixels, resize
from rganet_ros.networks.variant import INFERRED, OURS, Variant
import torch
from torch import nn, Tensor

RATIO = 8  # of pooling in the attention channel
HIDDEN = 4  # channels between the two fully connected layers
BACKBONES = ('resnet50s', 'resnet101s', 'efficientnet_b7', 'efficientnet_lite0')
HEADS = ('sa', 'se', 'fcn')
POOLING = {'average': nn.AvgPool2d, 'maximum': nn.MaxPool2d}


@dataclass(frozen=True)
class Config:
    """
    What may vary.

    classes      how many
    depth        whether there is a depth input beside the picture
    backbone     of BACKBONES, dilated to 1/8
    heads        'sa': squeeze and attention; the baselines classify the last stage at once, 'fcn',
                 or after squeeze and excitation, 'se'
    pooling      in the attention channel: 'average' or 'maximum'
    dense        whether there is a dense head: the prediction is the mask if not
    categorical  whether training is told which classes are in the picture
    """

    classes: int = 3
    depth: bool = False
    backbone: str = 'resnet50s'
    heads: str = 'sa'
    pooling: str = 'average'
    dense: bool = True
    categorical: bool = True


def _variant(published: str, status=INFERRED, classes=59, **config) -> Variant:
    return Variant(Config(**config), (480, 480), classes, published, status)


def _baseline(published: str, status: str, classes: int, **config) -> Variant:
    return _variant(published, status, classes, dense=False, categorical=False, **config)


VARIANTS = {
    'sanet-r50': _variant('51.9 mIoU on PASCAL Context'),
    'sanet-r101': _variant(
        '55.5 M parameters, 204.7 G multiply-adds, 83.2 mIoU on PASCAL VOC, 53.0 on Context',
        classes=21, backbone='resnet101s',
    ),
    'sanet-b7': _variant('55.3 mIoU on PASCAL Context', backbone='efficientnet_b7'),
    'sanet-lite0': _variant('not in the paper', OURS, backbone='efficientnet_lite0'),
    'sanet-r50-sa': _variant('49.2 mIoU on PASCAL Context', dense=False, categorical=False),
    'sanet-r50-cat': _variant('50.7 mIoU on PASCAL Context', dense=False),
    'se-fcn-r50': _baseline('44.6 mIoU on PASCAL Context', OURS, 59, heads='se'),
    'se-fcn-r101': _baseline(
        '45.7 mIoU on PASCAL Context', OURS, 59, heads='se', backbone='resnet101s'
    ),
    'fcn-dilated-r50': _baseline('44.9 mIoU on PASCAL Context', INFERRED, 59, heads='fcn'),
    'fcn-dilated-r101': _baseline(
        '42.6 M parameters, 162.7 G multiply-adds, 78.7 mIoU on PASCAL VOC', INFERRED, 21,
        heads='fcn', backbone='resnet101s',
    ),
}  # fmt: skip


class SqueezeAttention(nn.Module):
    """Equations 4 and 5: (B, c, h, w) -> (B, c/4, h, w)."""

    def __init__(self, channels: int, pooling: str):
        """Take the channels of the map."""
        super().__init__()
        width = channels // 4

        def conv(cin, kernel, groups):
            return ConvNorm(cin, width, kernel, activation=nn.ReLU(), groups=groups)

        self.main = nn.Sequential(conv(channels, 1, 2), conv(width, 3, 2))
        squeeze = POOLING[pooling](RATIO, ceil_mode=True)
        self.attention = nn.Sequential(squeeze, conv(channels, 1, 2), conv(width, 1, 1))

    def forward(self, x: Tensor) -> Tensor:  # noqa: D102
        attention = resize(self.attention(x), x.shape[-2:])
        return attention * self.main(x) + attention


class SqueezeExcitation(nn.Module):
    """Equation 3: a weight for each channel from its mean, (B, c, h, w) -> (B, c, h, w)."""

    def __init__(self, channels: int):
        """Take the channels of the map."""
        super().__init__()
        self.weigh = nn.Sequential(
            nn.Conv2d(channels, HIDDEN, 1), nn.ReLU(),
            nn.Conv2d(HIDDEN, channels, 1), nn.Sigmoid(),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:  # noqa: D102
        return x * self.weigh(x.mean((2, 3), keepdim=True))


class SANet(Network):
    """
    The network; its contract is in the package's docstring.

    While training there are two more outputs:

    aux_mask      (B, K, H, W) logits: the merged maps of the four heads, beside a dense head
    aux_presence  (B, K) logits of whether a class is anywhere in the picture
    """

    def __init__(self, config: Config, weights: str | None = None):
        """Build; weights are the backbone's."""
        super().__init__(config)
        _check(config)
        self.pixels = Pixels(config.depth, *statistics(config.backbone))
        self.backbone = encoder(config.backbone, self.pixels.channels, weights, stride=8)
        widths, classes = self.backbone.widths, config.classes
        if config.heads != 'sa':
            squeeze = SqueezeExcitation(widths[-1]) if config.heads == 'se' else nn.Identity()
            self.classify = nn.Sequential(squeeze, nn.Conv2d(widths[-1], classes, 1))
            return
        self.heads = nn.ModuleList(
            nn.Sequential(SqueezeAttention(c, config.pooling), nn.Conv2d(c // 4, classes, 1))
            for c in widths
        )
        merge = nn.Conv2d(4 * classes, classes, 1)
        if config.dense:
            self.aux_mask = merge
            self.dense = nn.Sequential(
                ConvNorm(widths[-1], 512, 3, activation=nn.ReLU()),
                nn.Dropout(0.1),
                nn.Conv2d(512, classes, 1),
            )
        else:
            self.mask = merge
        if config.categorical:
            self.aux_presence = nn.Sequential(
                nn.Linear(classes, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, classes)
            )

    def forward(self, image: Tensor, depth: Tensor | None = None, **state) -> dict[str, Tensor]:
        """Run the network; see the package's contract."""
        maps = self.backbone(self.pixels(image, depth))  # B c h w at 1/4, 1/8, 1/8, 1/8
        if self.config.heads != 'sa':
            return {'logits': resize(self.classify(maps[-1]), image.shape[-2:])}
        # The paper counts all four heads, of which prediction by the dense head needs the last:
        # an exported graph drops the others.
        masks = [head(x) for head, x in zip(self.heads, maps)]  # B K h w
        merged = torch.cat([resize(mask, masks[0].shape[-2:]) for mask in masks], 1)
        outputs = {}
        if self.config.dense:
            pooled = self.dense(maps[-1])
            outputs['logits'] = pooled + masks[-1]
            if self.training:
                outputs['aux_mask'] = self.aux_mask(merged)
        else:
            pooled = outputs['logits'] = self.mask(merged)
        outputs = {name: resize(x, image.shape[-2:]) for name, x in outputs.items()}
        if self.training and self.config.categorical:
            outputs['aux_presence'] = self.aux_presence(pooled.mean((2, 3)))
        return outputs


def _check(config: Config) -> None:
    one_of(config, backbone=BACKBONES, heads=HEADS, pooling=POOLING)
    if config.heads != 'sa' and (config.dense or config.categorical):
        raise ValueError(
            f'heads {config.heads!r} have no dense and no categorical part: set both to False'
        )
