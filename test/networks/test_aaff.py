import dataclasses

from counted import giga, millions, without_gradient
from lively import lively
import pytest
from rganet_ros.networks.aaff import AAFF, AAFFNet, Config, VARIANTS
import torch
from torch.nn import functional


@pytest.mark.parametrize(
    ('name', 'parameters', 'multiply_adds'),
    [
        ('aaff', 2.754, 6.14),
        ('aaff-b128', 1.284, 3.79),
        ('aaff-a', 1.035, 3.16),
        ('aaff2', 2.754, 6.14),
    ],
)
def test_counts(name, parameters, multiply_adds):
    variant = VARIANTS[name]
    with torch.device('meta'):
        network = AAFFNet(dataclasses.replace(variant.config, classes=variant.classes))
    assert round(millions(network), 3) == parameters
    assert giga(network, 3, *variant.size) == pytest.approx(multiply_adds, rel=2e-3)


def normed(layer, x, stride=1):
    """Convolution and batch norm, written out."""
    weight, n = layer.conv.weight, layer.norm
    x = functional.conv2d(x, weight, stride=stride, padding=weight.shape[-1] // 2)
    mean, variance, scale, offset = (
        v.view(-1, 1, 1) for v in (n.running_mean, n.running_var, n.weight, n.bias)
    )
    return (x - mean) / (variance + n.eps).sqrt() * scale + offset


@pytest.mark.parametrize('activation', ['sigmoid', 'relu'])
@pytest.mark.parametrize('fusion', ['concatenation', 'sum'])
def test_a_block_is_its_formula(activation, fusion):
    torch.manual_seed(0)
    config = Config(width=16, activation=activation, fusion=fusion)
    layer = lively(AAFF(8, 12, config)).double().eval()
    fine = torch.randn(2, 8, 9, 13, dtype=torch.float64)
    coarse = torch.randn(2, 12, 5, 7, dtype=torch.float64)
    x = normed(layer.halve, fine, stride=2).relu()
    weights = normed(layer.weigh, x.sum((2, 3), keepdim=True) / 35)
    x = x * getattr(torch, activation)(weights)
    if fusion == 'sum':
        joined = x + torch.einsum('oc,bchw->bohw', layer.bring.weight[:, :, 0, 0], coarse)
    else:
        joined = torch.cat([x, coarse], 1)
    direct = normed(layer.out, joined).relu()
    assert direct.shape == (2, 16, 5, 7) and direct.std() > 1e-3
    assert torch.allclose(layer(fine, coarse), direct, atol=1e-12)


def test_a_block_has_three_convolutions_one_of_them_3x3():
    block = AAFF(8, 12, Config())
    kernels = [m.kernel_size for m in block.modules() if isinstance(m, torch.nn.Conv2d)]
    assert sorted(kernels) == [(1, 1), (1, 1), (3, 3)]


def test_branches_of_both_readings():
    x4, x8, x16, x32 = maps = [
        torch.randn(1, c, 32 // 2**i, 48 // 2**i) for i, c in enumerate((8, 64, 128, 256))
    ]
    torch.manual_seed(0)
    b = lively(AAFFNet(Config(width=16))).eval()
    one, two = b.left.blocks
    assert torch.equal(b.left(maps), two(one(x4, x8), x16))
    one, two = b.right.blocks
    assert torch.equal(b.right(maps), two(one(x8, x16), x32))
    a = lively(AAFFNet(Config(reading='a', width=16))).eval()
    (one,), (two,) = a.left.blocks, a.right.blocks
    assert torch.equal(a.left(maps), one(x8, x16))
    assert torch.equal(a.right(maps), two(x16, x32))


@pytest.mark.parametrize('name', VARIANTS)
def test_every_parameter_learns(name):
    torch.manual_seed(0)
    network = lively(AAFFNet(dataclasses.replace(VARIANTS[name].config, depth=True)))
    assert without_gradient(network) == []


def test_evaluation_repeats_itself_and_options_matter():
    image = torch.rand(2, 3, 72, 100)

    def answer(**config):
        torch.manual_seed(0)
        network = lively(AAFFNet(Config(**config)))
        assert set(network.train()(image)) == {'logits', 'aux_left', 'aux_right'}
        with torch.no_grad():
            return network.eval()(image)['logits']

    first = answer()
    assert torch.equal(answer(), first)
    for other in ({'reading': 'a'}, {'width': 128}, {'activation': 'relu'}, {'fusion': 'sum'}):
        assert not torch.equal(answer(**other), first), other


@pytest.mark.parametrize(
    ('config', 'weights', 'message'),
    [
        ({'reading': 'c'}, None, "reading = 'c' must be one of a, b"),
        ({'activation': 'tanh'}, None, "activation = 'tanh' must be one of sigmoid, relu"),
        ({'fusion': 'mean'}, None, "fusion = 'mean' must be one of concatenation, sum"),
        ({}, 'imagenet', "'imagenet': there are none for xception39, expected None"),
    ],
)
def test_refusals_name_what_is_accepted(config, weights, message):
    with pytest.raises(ValueError, match=message):
        AAFFNet(Config(**config), weights)
