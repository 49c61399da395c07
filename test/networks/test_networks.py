"""Every network that NETWORKS names is held to the contract."""

from lively import lively
import pytest
from rganet_ros import networks
from rganet_ros.networks.folding import absorb_norms, fold_norms
import torch

EVERY = [(name, depth) for name in networks.NETWORKS for depth in (False, True)]


def make(name, depth):
    torch.manual_seed(1)
    return lively(networks.build(name, {'depth': depth})).eval()


def inputs(batch=1, height=64, width=96):
    generator = torch.Generator().manual_seed(2)
    image = torch.rand(batch, 3, height, width, generator=generator)
    return image, torch.rand(batch, 1, height, width, generator=generator) + 0.3


@pytest.mark.parametrize(('name', 'depth'), EVERY)
def test_contract(name, depth):
    network = make(name, depth)
    given = inputs(2, 72, 100)  # no multiple of 32
    state = {key: torch.zeros(shape) for key, shape in network.state_shapes(2).items()}
    with torch.no_grad():
        out = network(*given, **state)
    assert set(out) == {'logits'} | {f'next_{key}' for key in state}
    assert out['logits'].shape == (2, network.config.classes, 72, 100)
    assert out['logits'].isfinite().all()
    training = network.train()(*given, **state)
    assert all(training[k].shape == out['logits'].shape for k in training if k.startswith('aux'))


@pytest.mark.parametrize(('name', 'depth'), EVERY)
def test_a_file_rebuilds_its_network_alone(name, depth, tmp_path):
    network, given = make(name, depth), inputs()
    networks.save(tmp_path / 'n.safetensors', network, made={'seed': 7})
    again = networks.restore(tmp_path / 'n.safetensors')
    assert again.config == network.config and not again.training
    assert networks.notes(tmp_path / 'n.safetensors')['made'] == {'seed': 7}
    with torch.no_grad():
        assert torch.equal(again(*given)['logits'], network(*given)['logits'])
    assert not list(tmp_path.glob('*.part'))


@pytest.mark.parametrize(('name', 'depth'), EVERY)
def test_half_weights_fold_into_the_same_numbers(name, depth, tmp_path):
    network, given = make(name, depth).double(), [x.double() for x in inputs()]
    with torch.no_grad():
        before = network(*given)['logits']
        absorbed = absorb_norms(network)(*given)['logits']
    assert torch.allclose(before, absorbed, rtol=1e-9, atol=1e-9 * before.abs().max())
    whole, half = tmp_path / 'whole.safetensors', tmp_path / 'half.safetensors'
    networks.save(whole, network.float())
    networks.save(half, network, half=True)
    assert half.stat().st_size < 0.51 * whole.stat().st_size
    restored = networks.restore(half)
    rounded = restored.backbone.stem.conv.weight.clone()
    assert torch.equal(rounded, rounded.half().float())
    folded = fold_norms(restored).backbone.stem.conv.weight
    assert torch.equal(folded.half(), rounded.half())


def test_absorbed_norms_still_train_as_before():
    network, given = make('fanet18', False).double(), inputs(2)[0].double()
    with torch.no_grad():
        before = network.train()(given)['logits']
        after = absorb_norms(make('fanet18', False).double()).train()(given)['logits']
    # not exact: epsilon weighs otherwise once a scale has moved into the convolution
    assert (before - after).abs().max() < 1e-2 * before.abs().max()


@pytest.mark.parametrize(('name', 'depth'), EVERY)
def test_inference_takes_pixels_and_answers_maps(name, depth):
    network = make(name, depth)
    image = torch.randint(0, 256, (1, 64, 96, 3), dtype=torch.uint8)
    metres = inputs()[1][:, 0]
    with torch.no_grad():
        out = networks.Inference(network)(image, metres)
        logits = network(image.permute(0, 3, 1, 2) / 255, metres[:, None])['logits']
    assert out['affordance'].shape == out['labels'].shape == (1, 64, 96)
    assert out['affordance'].dtype == torch.float32 and out['labels'].dtype == torch.uint8
    assert torch.equal(out['labels'], logits.argmax(1).byte())
    assert torch.allclose(out['affordance'], logits.softmax(1)[:, 2])


def test_refusals_name_what_is_accepted(tmp_path):
    with pytest.raises(ValueError, match='expected one of fanet18'):
        networks.build('fanet19')
    with pytest.raises(ValueError, match="no field 'deep': expected one of classes, depth"):
        networks.build('fanet18', {'deep': True})
    with pytest.raises(FileNotFoundError, match='no such checkpoint'):
        networks.restore(tmp_path / 'none.safetensors')
    (tmp_path / 'text.safetensors').write_text('not weights, but long enough to be read')
    with pytest.raises(ValueError, match=r'text\.safetensors is no checkpoint'):
        networks.restore(tmp_path / 'text.safetensors')
