import dataclasses

from counted import giga, millions, without_gradient
from lively import lively
import pytest
from rganet_ros.networks.layers import resize
from rganet_ros.networks.peers import Config, Peer, VARIANTS
import torch
from torch import nn
from torchvision.models import resnet50, segmentation


def without_data(name):
    with torch.device('meta'):
        return Peer(VARIANTS[name].config)


@pytest.mark.parametrize(
    ('name', 'parameters', 'multiply_adds'),
    [
        ('fcn-r50', 32.948, 162.1),
        ('fcn-r101', 51.940, 253.0),
        ('deeplabv3-r50', 39.634, 191.7),
        ('deeplabv3-r101', 58.626, 282.6),
        ('deeplabv3-mobilenetv2', 5.109, 6.644),
        ('hrnet-w18-small', 1.537, 4.818),
    ],
)
def test_counts(name, parameters, multiply_adds):
    network = without_data(name)
    assert round(millions(network), 3) == parameters
    assert giga(network, 3, 480, 640) == pytest.approx(multiply_adds, rel=5e-4)


@pytest.mark.parametrize(
    ('name', 'published'),
    [
        ('fcn-r50', 32.48),
        ('fcn-r101', 50.72),
        ('deeplabv3-r50', 38.40),
        ('deeplabv3-r101', 56.63),
        ('hrnet-w18-small', 0.97),
    ],
)
def test_flops_of_rganets_tables_are_multiply_adds_over_five(name, published):
    network, more = without_data(name), []

    def count(module, given, output):
        if isinstance(module, nn.BatchNorm2d):
            more.append(2 * output.numel())
        elif isinstance(module, nn.AdaptiveAvgPool2d):
            more.append(given[0].numel() + output.numel())
        elif isinstance(module, nn.Conv2d) and module.bias is not None:
            more.append(output.numel())

    for module in network.modules():
        module.register_forward_hook(count)
    total = giga(network, 3, 480, 640) + sum(more) / 1e9
    assert round(total / 5, 2) == published


@pytest.mark.parametrize('name', VARIANTS)
def test_every_parameter_learns(name):
    torch.manual_seed(0)
    network = lively(Peer(dataclasses.replace(VARIANTS[name].config, depth=True)))
    assert without_gradient(network) == []


@pytest.mark.parametrize('name', ['fcn-r50', 'deeplabv3-mobilenetv2', 'hrnet-w18-small'])
def test_any_size_and_evaluation_repeats_itself(name):
    torch.manual_seed(0)
    network, image = lively(Peer(VARIANTS[name].config)), torch.rand(2, 3, 72, 100)
    out = network.train()(image)
    assert set(out) == {'logits'} | ({'aux'} if network.aux is not None else set())
    assert {tuple(x.shape) for x in out.values()} == {(2, 3, 72, 100)}
    with torch.no_grad():
        out = network.eval()(image)
        assert list(out) == ['logits'] and out['logits'].std() > 1e-3
        assert torch.equal(network(image)['logits'], out['logits'])


def test_hrnet_pads_to_whole_cells_and_no_further():
    torch.manual_seed(0)
    network, image = lively(Peer(Config(model='hrnet_w18_small'))).eval(), torch.rand(1, 3, 60, 90)
    x = network.pixels(image, None)
    padded = torch.zeros(1, 3, 64, 96)
    padded[..., :60, :90] = x
    with torch.no_grad():
        maps = network.backbone.body(padded)
        joined = torch.cat([resize(m, (16, 24), align_corners=False) for m in maps], 1)
        assert torch.equal(network.backbone(x)['out'], joined[..., :15, :23])


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
    """Make a model of torchvision's, and its file."""
    torch.manual_seed(0)
    model = lively(segmentation.fcn_resnet50(weights_backbone=None, num_classes=3, aux_loss=True))
    path = tmp_path_factory.mktemp('torchvision') / 'fcn.pth'
    torch.save(model.state_dict(), path)
    return model.eval(), str(path)


def test_a_file_of_torchvisions_gives_torchvisions_answers(whole):
    model, path = whole
    network, image = Peer(Config(), path).eval(), torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        truth = model(network.pixels(image, None))['out']
        assert torch.equal(network(image)['logits'], truth)
        with_depth = Peer(Config(depth=True), path).eval()
        assert torch.allclose(with_depth(image, torch.rand(1, 1, 64, 96))['logits'], truth)
    assert torch.equal(network.aux[4].weight, model.aux_classifier[4].weight)


def test_a_head_for_other_classes_is_not_taken(whole):
    model, path = whole
    network = Peer(Config(classes=5), path)
    assert torch.equal(network.head[0].weight, model.classifier[0].weight)
    assert network.head[4].weight.shape == (5, 512, 1, 1)


def test_a_file_of_a_backbone_alone(tmp_path):
    given = resnet50().state_dict()
    torch.save(given, tmp_path / 'resnet50.pth')
    network = Peer(Config(model='deeplabv3_resnet50'), str(tmp_path / 'resnet50.pth'))
    found = network.backbone.layer4[2].conv3.weight
    assert torch.equal(found, given['layer4.2.conv3.weight'])


def test_refusals_name_what_is_accepted(whole):
    with pytest.raises(ValueError, match="model = 'ccnet' must be one of fcn_resnet50"):
        Peer(Config(model='ccnet'))
    for model in ('fcn_resnet101', 'hrnet_w18_small'):
        with pytest.raises(ValueError, match=f'weights of {model} do not fit: .* is missing'):
            Peer(Config(model=model), whole[1])
