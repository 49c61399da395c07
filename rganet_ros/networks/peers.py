"""
What RGANet compares itself with (its Tables II and III), from torchvision and timm as they are.

FCN and DeepLabv3 are torchvision's. DeepLabv3 with MobileNetV2 is timm's backbone, dilated to
1/16, and torchvision's head; HRNet-W18-small is timm's, and the head of HRNetV2: all four maps at
1/4 joined, a 1x1 convolution with batch norm, and the classes. BiSeNet and DDRNet have files of
their own; CCNet, HarDNet, ShelfNet and STDC are not built.

The FLOPs of those tables are multiply-adds / 5 at 480 x 640, where a batch norm counts 2 for each
element and pooling counts too. So counted FCN, DeepLabv3 and HRNet come out to the last digit,
the parameters of the first two up to 0.04 % below; with MobileNetV2 no head of torchvision's does.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rganet_ros.networks.choices import one_of
from rganet_ros.networks.layers import Network, Pixels, resize
from rganet_ros.networks.variant import LOST, PROVEN, Variant
from safetensors.torch import load_file
import timm
import torch
from torch import nn, Tensor
from torch.nn import functional
from torchvision.models import segmentation
from torchvision.models.segmentation.deeplabv3 import DeepLabHead
from torchvision.models.segmentation.fcn import FCNHead


@dataclass(frozen=True)
class Config:
    """
    What may vary.

    classes  how many
    depth    whether there is a depth input beside the picture
    model    of MODELS
    """

    classes: int = 3
    depth: bool = False
    model: str = 'fcn_resnet50'


def _variant(model: str, published: str, status: str) -> Variant:
    published = f'{published} (multiply-adds / 5, norms and pooling counted)'
    return Variant(Config(model=model), (480, 640), 3, published, status)


VARIANTS = {
    'fcn-r50': _variant('fcn_resnet50', '32.96 M parameters, 32.48 G', PROVEN),
    'fcn-r101': _variant('fcn_resnet101', '51.95 M parameters, 50.72 G', PROVEN),
    'deeplabv3-r50': _variant('deeplabv3_resnet50', '39.64 M parameters, 38.40 G', PROVEN),
    'deeplabv3-r101': _variant('deeplabv3_resnet101', '58.63 M parameters, 56.63 G', PROVEN),
    'deeplabv3-mobilenetv2': _variant('deeplabv3_mobilenet_v2', '4.12 M parameters, 1.16 G', LOST),
    'hrnet-w18-small': _variant('hrnet_w18_small', '1.54 M parameters, 0.97 G', PROVEN),
}


class Maps(nn.Module):
    """
    A backbone of timm's that answers as torchvision's do: out and aux by name.

    out  the last map or, joined, all of them at the size of the first
    aux  the one before the last
    """

    def __init__(self, body: nn.Module, joined: bool):
        """Take a features_only model."""
        super().__init__()
        self.body, self.joined = body, joined

    def forward(self, x: Tensor) -> dict[str, Tensor]:  # noqa: D102
        if not self.joined:
            *_, before, last = self.body(x)
            return {'out': last, 'aux': before}
        height, width = x.shape[-2:]
        # timm's HRNet doubles its maps, so that each must be half of the one before.
        maps = self.body(functional.pad(x, (0, -width % 32, 0, -height % 32)))
        size = maps[0].shape[-2:]
        out = torch.cat([resize(x, size, align_corners=False) for x in maps], 1)
        return {'out': out[..., : -(-height // 4), : -(-width // 4)]}


def from_torchvision(name: str, channels: int, classes: int, weights: str | None) -> tuple:
    """Build backbone, head and auxiliary head of a model of torchvision.models.segmentation."""
    ours = 'DEFAULT' if weights == 'imagenet' else None
    built = getattr(segmentation, name)(
        weights=None, weights_backbone=ours, num_classes=classes, aux_loss=True
    )
    if weights not in (None, 'imagenet'):
        found = _read(weights)
        if 'backbone.conv1.weight' not in found:
            found = {f'backbone.{key}': value for key, value in found.items()}
        _load(built, found, f'{weights} weights of {name}')
    _widen(built.backbone, channels, weights)
    return built.backbone, built.classifier, built.aux_classifier


def from_timm(name: str, channels: int, weights: str | None, joined=False, **options) -> Maps:
    """Build a backbone with maps at 1/4, 1/8, 1/16 and 1/32 unless options say otherwise."""
    body = timm.create_model(
        name, features_only=True, out_indices=(1, 2, 3, 4), pretrained=weights == 'imagenet',
        **options,
    )  # fmt: skip
    if weights not in (None, 'imagenet'):
        _load(body, _read(weights), f'{weights} weights of {name}')
    _widen(body, channels, weights)
    return Maps(body, joined)


def deeplabv3_mobilenet_v2(channels: int, classes: int, weights: str | None) -> tuple:
    """Build backbone, head and auxiliary head."""
    backbone = from_timm('mobilenetv2_100', channels, weights, output_stride=16)
    *_, before, last = backbone.body.feature_info.channels()
    # Rates are for 1/16: half of torchvision's, which are for 1/8.
    return backbone, DeepLabHead(last, classes, (6, 12, 18)), FCNHead(before, classes)


def hrnet_w18_small(channels: int, classes: int, weights: str | None) -> tuple:
    """Build backbone and head; there is no auxiliary one."""
    backbone = from_timm('hrnet_w18_small', channels, weights, True, feature_location='')
    width = sum(backbone.body.feature_info.channels())
    head = nn.Sequential(
        nn.Conv2d(width, width, 1), nn.BatchNorm2d(width), nn.ReLU(), nn.Conv2d(width, classes, 1)
    )
    return backbone, head, None


MODELS = {
    **{
        name: partial(from_torchvision, name)
        for name in (
            'fcn_resnet50', 'fcn_resnet101', 'deeplabv3_resnet50', 'deeplabv3_resnet101'
        )
    },
    'deeplabv3_mobilenet_v2': deeplabv3_mobilenet_v2,
    'hrnet_w18_small': hrnet_w18_small,
}  # fmt: skip


class Peer(Network):
    """The network; its contract is in the package's docstring."""

    def __init__(self, config: Config, weights: str | None = None):
        """
        Build.

        weights  None: random; 'imagenet': of the backbone, downloaded by its library; else a
                 file: a state dict of timm's backbone, of torchvision's, or of torchvision's
                 whole model, of whose heads that is taken what has this many classes
        """
        super().__init__(config)
        one_of(config, model=MODELS)
        self.pixels = Pixels(config.depth)
        self.backbone, self.head, self.aux = MODELS[config.model](
            self.pixels.channels, config.classes, weights
        )

    def forward(self, image: Tensor, depth: Tensor | None = None, **state) -> dict[str, Tensor]:
        """Run the network; see the package's contract."""
        maps = self.backbone(self.pixels(image, depth))
        logits = {'logits': self.head(maps['out'])}
        if self.training and self.aux is not None:
            logits['aux'] = self.aux(maps['aux'])
        return {k: resize(x, image.shape[-2:], align_corners=False) for k, x in logits.items()}


def _read(path: str) -> dict[str, Tensor]:
    if Path(path).suffix == '.safetensors':
        return load_file(path)
    return torch.load(path, map_location='cpu', weights_only=True)


def _load(module: nn.Module, found: dict[str, Tensor], what: str) -> None:
    wanted = module.state_dict()
    fit = {k: v for k, v in found.items() if k in wanted and wanted[k].shape == v.shape}
    for key in wanted:
        needed = 'classifier.' not in key and not key.endswith('num_batches_tracked')
        if needed and key not in fit:
            raise ValueError(f'{what} do not fit: {key} is missing or of another shape')
    module.load_state_dict(fit, strict=False)


def _widen(body: nn.Module, channels: int, weights: str | None) -> None:
    """Let the first layer see more than colour; from given weights on, zeros for the rest."""
    if channels == 3:
        return
    name, old = next((n, m) for n, m in body.named_children() if isinstance(m, nn.Conv2d))
    new = nn.Conv2d(
        channels, old.out_channels, old.kernel_size, old.stride, old.padding, bias=False
    )
    with torch.no_grad():
        if weights is not None:
            new.weight.zero_()
        new.weight[:, :3] = old.weight
    setattr(body, name, new)
