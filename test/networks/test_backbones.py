"""Weights of others: from files, and from a package on this machine; nothing is downloaded."""

import pytest
from rganet_ros import networks
from rganet_ros.networks import backbones
from safetensors.torch import save_file
import timm
import torch
from torchvision import models


@pytest.fixture(scope='module')
def resnet18(tmp_path_factory):
    """Write a file of torchvision's state dict, classifier and all."""
    torch.manual_seed(4)
    network = models.resnet18()
    path = tmp_path_factory.mktemp('weights') / 'resnet18.pth'
    torch.save(network.state_dict(), path)
    return network.eval(), path


def test_a_torchvision_file_gives_an_encoder_torchvisions_features(resnet18):
    network, path = resnet18
    encoder = backbones.encoder('resnet18', 3, str(path)).eval()
    image = torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        x = network.maxpool(network.relu(network.bn1(network.conv1(image))))
        expected = []
        for layer in (network.layer1, network.layer2, network.layer3, network.layer4):
            x = layer(x)
            expected.append(x)
        for ours, theirs in zip(encoder(image), expected, strict=True):
            assert torch.allclose(ours, theirs, atol=1e-5)


def test_it_fits_fanets_own_resnet_but_for_the_projection_that_it_lacks(resnet18):
    network, path = resnet18
    torch.manual_seed(0)
    ours = networks.build('fanet18', weights=str(path)).backbone
    assert torch.equal(ours.stem.conv.weight, network.conv1.weight)
    assert torch.equal(ours.stages[3][1].second.norm.weight, network.layer4[1].bn2.weight)
    assert torch.equal(
        ours.stages[1][0].shortcut.conv.weight, network.layer2[0].downsample[0].weight
    )
    torch.manual_seed(0)
    random = networks.build('fanet18').backbone.stages[0][0].shortcut.conv.weight
    assert torch.equal(ours.stages[0][0].shortcut.conv.weight, random)


def test_what_depth_adds_to_the_first_layer_starts_at_zero(resnet18):
    network, path = resnet18
    for name in ('fanet18', 'attanet-r18', 'bisenet-r18'):
        built = networks.build(name, {'depth': True}, str(path))
        first = next(m for m in built.backbone.modules() if isinstance(m, torch.nn.Conv2d))
        assert torch.equal(first.weight[:, :3], network.conv1.weight), name
        assert first.weight.shape[1] == 8 and not first.weight[:, 3:].any(), name


def test_safetensors_will_do_as_well(tmp_path):
    theirs = timm.create_model('resnet34')
    save_file(theirs.state_dict(), tmp_path / 'r34.safetensors')
    ours = networks.build('fanet34', weights=str(tmp_path / 'r34.safetensors')).backbone
    assert torch.equal(ours.stages[2][5].first.conv.weight, theirs.layer3[5].conv1.weight)


def test_weights_of_another_network_are_refused(resnet18):
    _, path = resnet18
    with pytest.raises(ValueError, match=r'resnet18\.pth weights of resnet34 do not fit: .* is'):
        networks.build('fanet34', weights=str(path))
    with pytest.raises(ValueError, match='weights of resnet50 do not fit'):
        networks.build('attanet-r50', weights=str(path))
    with pytest.raises(FileNotFoundError):
        networks.build('fanet18', weights='nowhere.pth')


@pytest.mark.parametrize('name', ['fanet-lite0', 'sanet-lite0'])
def test_imagenet_weights_of_lite0_come_from_a_package(name, monkeypatch):
    monkeypatch.setattr('socket.socket', None)  # no way out
    built = networks.build(name, weights='imagenet')
    assert built.pixels.mean.flatten().tolist() == [0.5, 0.5, 0.5]
    weight = built.backbone.body.conv_stem.weight
    assert weight.shape == (32, 3, 3, 3) and weight.abs().max() > 1.5  # no initialisation is so


def test_the_packages_weights_classify_in_timms_order():
    """Features of the whole classifier agree between the two orders of the same layers."""
    found = backbones._read('efficientnet_lite0', 'imagenet')
    whole = timm.create_model('tf_efficientnet_lite0')
    whole.load_state_dict(found)
    # A trained norm after each convolution: variances in the range of what precedes it.
    x = torch.rand(2, 3, 224, 224, generator=torch.Generator().manual_seed(0)) * 2 - 1
    with torch.no_grad():
        logits = whole.eval()(x)
    assert logits.isfinite().all() and 1 < logits.abs().max() < 30


def test_unknown_encoders_are_told_the_known_ones():
    with pytest.raises(ValueError, match="unknown encoder 'vgg': expected one of resnet18"):
        backbones.encoder('vgg', 3)
