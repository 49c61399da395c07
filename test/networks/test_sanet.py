import dataclasses

from counted import giga, millions, without_gradient
from lively import lively
import pytest
from rganet_ros.networks.sanet import Config, SANet, SqueezeAttention, SqueezeExcitation, VARIANTS
import torch
from torch.nn import functional


def small(**config):
    torch.manual_seed(0)
    return lively(SANet(Config(backbone='efficientnet_lite0', **config))).eval()


def picture(height=64, width=96):
    return torch.rand(2, 3, height, width)


@pytest.mark.parametrize(
    ('name', 'parameters', 'multiply_adds'),
    [('sanet-r101', 55.41, 204.6), ('fcn-dilated-r101', 42.67, 162.16)],
)
def test_counts_of_table_6(name, parameters, multiply_adds):
    variant = VARIANTS[name]
    assert variant.size == (480, 480) and variant.classes == 21
    with torch.device('meta'):
        network = SANet(dataclasses.replace(variant.config, classes=variant.classes))
    assert round(millions(network), 2) == parameters
    assert giga(network, 3, *variant.size) == pytest.approx(multiply_adds, rel=5e-4)


def test_the_papers_dilated_fcn_is_a_backbone_without_classes():
    with torch.device('meta'):
        backbone = SANet(VARIANTS['fcn-dilated-r101'].config).backbone
    assert round(millions(backbone), 2) == 42.62
    assert giga(backbone, 3, 480, 480) == pytest.approx(162.0, rel=5e-4)


def normed(layer, x, groups=1):
    """Convolution, batch norm and ReLU, written out."""
    weight = layer.conv.weight
    x = functional.conv2d(x, weight, padding=weight.shape[-1] // 2, groups=groups)
    n = layer.norm
    mean, variance, scale, offset = (
        v.view(-1, 1, 1) for v in (n.running_mean, n.running_var, n.weight, n.bias)
    )
    return ((x - mean) / (variance + n.eps).sqrt() * scale + offset).relu()


@pytest.mark.parametrize('pooling', ['average', 'maximum'])
def test_squeeze_and_attention_is_equation_4(pooling):
    torch.manual_seed(0)
    layer = lively(SqueezeAttention(24, pooling)).double().eval()
    x = torch.randn(2, 24, 15, 20, dtype=torch.float64)  # as of 480x640: no multiple of 8
    reduce = {'average': torch.mean, 'maximum': torch.amax}[pooling]
    cells = [
        [reduce(x[:, :, i : i + 8, j : j + 8], (2, 3)) for j in range(0, 20, 8)]
        for i in range(0, 15, 8)
    ]
    pooled = torch.stack([torch.stack(row, -1) for row in cells], -2)  # 2 24 2 3
    _, first, second = layer.attention
    small = normed(second, normed(first, pooled, groups=2))
    attention = functional.interpolate(small, (15, 20), mode='bilinear', align_corners=True)
    first, second = layer.main
    main = normed(second, normed(first, x, groups=2), groups=2)
    direct = attention * main + attention
    assert direct.shape == (2, 6, 15, 20) and direct.std() > 1e-3
    assert torch.allclose(layer(x), direct, atol=1e-12)


def test_squeeze_and_excitation_is_equation_3():
    torch.manual_seed(0)
    layer = SqueezeExcitation(24).double()
    x = torch.randn(2, 24, 5, 7, dtype=torch.float64)
    first, _, second, _ = layer.weigh
    hidden = x.mean((2, 3)) @ first.weight.flatten(1).T + first.bias
    weight = (hidden.relu() @ second.weight.flatten(1).T + second.bias).sigmoid()
    assert hidden.shape == (2, 4)
    assert torch.allclose(layer(x), x * weight[:, :, None, None], atol=1e-12)


def test_the_prediction_is_the_dense_map_plus_the_fourth():
    network, image = small(), picture()
    with torch.no_grad():
        maps = network.backbone(network.pixels(image, None))
        dense, fourth = network.dense(maps[-1]), network.heads[3](maps[-1])
        direct = functional.interpolate(
            dense + fourth, image.shape[-2:], mode='bilinear', align_corners=True
        )
        out = network(image)
    assert list(out) == ['logits']
    assert torch.allclose(out['logits'], direct, atol=1e-5)
    assert fourth.std() > 1e-3


def test_without_a_dense_head_the_prediction_is_the_mask_of_all_four():
    network, image = small(dense=False), picture()
    with torch.no_grad():
        before = network(image)['logits']
        for _, classify in network.heads:
            classify.weight[:] *= 2
            assert not torch.equal(network(image)['logits'], before)
            classify.weight[:] /= 2


def test_what_only_training_sees():
    network, image = small().train(), picture()
    out = network(image)
    assert set(out) == {'logits', 'aux_mask', 'aux_presence'}
    assert out['aux_mask'].shape == out['logits'].shape == (2, 3, 64, 96)
    assert out['aux_presence'].shape == (2, 3)
    assert set(small(categorical=False).train()(image)) == {'logits', 'aux_mask'}
    assert set(small(dense=False).train()(image)) == {'logits', 'aux_presence'}


@pytest.mark.parametrize('name', VARIANTS)
def test_every_parameter_learns(name):
    torch.manual_seed(1)  # of the four units behind aux_presence one at least is not dead
    network = lively(SANet(dataclasses.replace(VARIANTS[name].config, depth=True)))
    assert without_gradient(network) == []


def test_evaluation_repeats_itself_and_options_matter():
    image = picture(72, 100)
    with torch.no_grad():
        first, again, *others = (
            small(**config)(image)['logits']
            for config in ({}, {}, {'pooling': 'maximum'}, {'dense': False})
        )
    assert first.shape == (2, 3, 72, 100)
    assert torch.equal(first, again)
    assert not any(torch.equal(first, other) for other in others)


def test_weights_are_the_backbones():
    one, two = (SANet(Config(backbone='efficientnet_lite0'), 'imagenet') for _ in range(2))
    assert torch.equal(one.backbone.body.conv_stem.weight, two.backbone.body.conv_stem.weight)
    assert not torch.equal(one.dense[0].conv.weight, two.dense[0].conv.weight)


@pytest.mark.parametrize(
    ('config', 'message'),
    [
        ({'heads': 'pam'}, "heads = 'pam' must be one of sa, se, fcn"),
        ({'pooling': 'min'}, "pooling = 'min' must be one of average, maximum"),
        ({'heads': 'se'}, 'no dense and no categorical part: set both to False'),
        ({'backbone': 'resnet7'}, "backbone = 'resnet7' must be one of resnet50s, resnet101s"),
    ],
)
def test_refusals_name_what_is_accepted(config, message):
    with pytest.raises(ValueError, match=message):
        SANet(Config(**config))
