import dataclasses

from counted import giga, millions, without_gradient
from lively import lively
import pytest
from rganet_ros.networks.bisenet import (
    AttentionRefinement,
    BiSeNet,
    Config,
    FeatureFusion,
    SpatialPath,
    VARIANTS,
)
from rganet_ros.networks.xception39 import Separable, Xception39
import torch
from torch.nn import functional
from torchvision.models import resnet18


@pytest.mark.parametrize(
    ('name', 'parameters', 'multiply_adds'),
    [('bisenet-x39', 1.542, 6.77), ('bisenet-r18', 12.894, 25.32), ('bisenet-dw', 1.469, 4.50)],
)
def test_counts(name, parameters, multiply_adds):
    variant = VARIANTS[name]
    with torch.device('meta'):
        network = BiSeNet(dataclasses.replace(variant.config, classes=variant.classes))
    assert round(millions(network), 3) == parameters
    assert giga(network, 3, *variant.size) == pytest.approx(multiply_adds, rel=2e-3)


def test_separable_convolutions_make_the_spatial_path_cheap():
    full, depthwise = SpatialPath(3, 'full'), SpatialPath(3, 'depthwise')
    assert [round(millions(path) * 1e6) for path in (full, depthwise)] == [91_968, 19_904]
    assert [round(giga(path, 3, 640, 800), 2) for path in (full, depthwise)] == [2.74, 0.47]
    convolutions = [p for p in Separable(48, 64).parameters() if p.ndim == 4]
    assert sum(p.numel() for p in convolutions) == (9 + 64) * 48  # equation 2 of the AAFF paper


def test_maps_of_xception39():
    maps = Xception39(3)(torch.zeros(2, 3, 72, 100))
    assert [tuple(m.shape[1:]) for m in maps] == [
        (8, 18, 25), (64, 9, 13), (128, 5, 7), (256, 3, 4),
    ]  # fmt: skip


def evaluated(norm, x):
    mean, variance, scale, offset = (
        v.view(-1, 1, 1) for v in (norm.running_mean, norm.running_var, norm.weight, norm.bias)
    )
    return (x - mean) / (variance + norm.eps).sqrt() * scale + offset


def test_attention_refinement_is_its_formula():
    torch.manual_seed(0)
    layer = lively(AttentionRefinement(16)).double().eval()
    given = torch.randn(2, 16, 5, 7, dtype=torch.float64)
    x = functional.conv2d(given, layer.conv.conv.weight, padding=1)
    x = evaluated(layer.conv.norm, x).relu()
    weights = x.sum((2, 3)) / 35 @ layer.weigh.conv.weight.flatten(1).T
    direct = x * evaluated(layer.weigh.norm, weights[:, :, None, None]).sigmoid()
    assert torch.allclose(layer(given), direct, atol=1e-12)


def test_feature_fusion_is_its_formula():
    torch.manual_seed(0)
    layer = lively(FeatureFusion()).double().eval()
    spatial, context = torch.randn(2, 2, 128, 5, 7, dtype=torch.float64)
    kernel = layer.conv.conv.weight
    x = functional.conv2d(spatial, kernel[:, :128]) + functional.conv2d(context, kernel[:, 128:])
    x = evaluated(layer.conv.norm, x).relu()
    first, second = (layer.weigh[i].weight.flatten(1).T for i in (0, 2))
    weights = ((x.sum((2, 3)) / 35 @ first).relu() @ second).sigmoid()
    direct = x + x * weights[:, :, None, None]
    assert torch.allclose(layer(spatial, context), direct, atol=1e-12)


@pytest.mark.parametrize('name', VARIANTS)
def test_every_parameter_learns(name):
    torch.manual_seed(0)
    network = lively(BiSeNet(dataclasses.replace(VARIANTS[name].config, depth=True)))
    assert without_gradient(network) == []


@pytest.mark.parametrize('name', VARIANTS)
def test_two_auxiliary_heads_while_training_none_after(name):
    torch.manual_seed(0)
    network, image = lively(BiSeNet(VARIANTS[name].config)), torch.rand(2, 3, 72, 100)
    out = network.train()(image)
    assert set(out) == {'logits', 'aux16', 'aux8'}
    assert {tuple(x.shape) for x in out.values()} == {(2, 3, 72, 100)}
    with torch.no_grad():
        out = network.eval()(image)
        assert list(out) == ['logits'] and out['logits'].std() > 1e-3
        assert torch.equal(network(image)['logits'], out['logits'])


def test_the_whole_picture_is_seen_through_both_paths():
    torch.manual_seed(0)
    network, image = lively(BiSeNet(Config())).eval(), torch.rand(1, 3, 256, 256)
    other = image.clone()
    other[..., :8, :8] = 0
    with torch.no_grad():
        x = network.pixels(torch.cat([image, other]), None)
        one, two = network.spatial(x)
        assert torch.equal(one[:, 8:, 8:], two[:, 8:, 8:])  # detail is local
        _, at8 = network.context(network.backbone(x))
        assert not torch.equal(at8[0, :, -1, -1], at8[1, :, -1, -1])  # context is not


def test_weights_of_resnet18_from_a_file(tmp_path):
    given = resnet18().state_dict()
    torch.save(given, tmp_path / 'resnet18.pth')
    network = BiSeNet(Config(context='resnet18', depth=True), str(tmp_path / 'resnet18.pth'))
    first = network.backbone.body.conv1.weight
    assert torch.equal(first[:, :3], given['conv1.weight'])
    assert not first[:, 3:].any()


@pytest.mark.parametrize(
    ('config', 'weights', 'message'),
    [
        (
            {'context': 'resnet19'},
            None,
            "context = 'resnet19' must be one of xception39",
        ),
        ({'spatial': 'wide'}, None, "spatial = 'wide' must be one of full, depthwise"),
        ({}, 'imagenet', "'imagenet': there are none for xception39, expected None"),
    ],
)
def test_refusals_name_what_is_accepted(config, weights, message):
    with pytest.raises(ValueError, match=message):
        BiSeNet(Config(**config), weights)
