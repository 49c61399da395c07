"""Every network that NETWORKS names is held to the contract."""

import dataclasses

from lively import lively
import pytest
from rganet_ros import networks
from rganet_ros.networks.folding import absorb_norms, fold_norms, norm_pairs
import torch

# One of each module, for what costs time: with depth as well.
DEFAULTS = {type_: next(iter(variants)) for type_, variants in networks.MODULES.items()}
SOME = [(name, depth) for name in DEFAULTS.values() for depth in (False, True)]


def make(name, depth=False, size=(64, 96)):
    """Build a variant for small pictures, as if trained."""
    torch.manual_seed(1)
    config = {'depth': depth}
    if 'size' in vars(networks.NETWORKS[name][1].config):
        config['size'] = size
    return lively(networks.build(name, config)).eval()


def inputs(batch=1, height=64, width=96):
    generator = torch.Generator().manual_seed(2)
    image = torch.rand(batch, 3, height, width, generator=generator)
    return image, torch.rand(batch, 1, height, width, generator=generator) + 0.3


def state_of(network, batch=1):
    return {key: torch.zeros(shape) for key, shape in network.state_shapes(batch).items()}


@pytest.mark.parametrize('name', networks.NETWORKS)
def test_contract(name):
    network = make(name)
    fixed = hasattr(network.config, 'size')
    image, depth = inputs(2, *((64, 96) if fixed else (72, 100)))  # 72 x 100: no multiple of 32
    state = state_of(network, 2)
    with torch.no_grad():
        out = network(image, depth, **state)
        assert torch.equal(network(image, depth, **state)['logits'], out['logits'])
    assert set(out) == {'logits'} | {f'next_{key}' for key in state}
    assert out['logits'].shape == (2, network.config.classes, *image.shape[-2:])
    assert out['logits'].isfinite().all()


@pytest.mark.parametrize('name', networks.NETWORKS)
def test_every_parameter_learns(name):
    network = make(name).train()
    image, depth = inputs(2)
    out = network(image, depth, **state_of(network, 2))
    aux = [key for key in out if key.startswith('aux')]
    assert all(out[k].shape == out['logits'].shape for k in aux if out[k].ndim == 4)
    sum(out[key].square().mean() for key in ['logits', *aux]).backward()
    idle = [key for key, value in network.named_parameters() if value.grad is None]
    assert not idle


@pytest.mark.parametrize('name', networks.NETWORKS)
def test_norms_are_absorbed_without_a_trace(name):
    network, (image, depth) = make(name).double(), (x.double() for x in inputs())
    state = {key: value.double() for key, value in state_of(network).items()}
    with torch.no_grad():
        before = network(image, depth, **state)['logits']
        folded = network.for_inference()(image, depth, **state)['logits']
        absorbed = absorb_norms(network)(image, depth, **state)['logits']
    scale = before.abs().max()
    assert (before - absorbed).abs().max() < 1e-9 * scale
    assert (before - folded).abs().max() < 1e-9 * scale


@pytest.mark.parametrize(('name', 'depth'), SOME)
def test_a_file_rebuilds_its_network_alone(name, depth, tmp_path):
    network, given = make(name, depth), inputs()
    networks.save(tmp_path / 'n.safetensors', network, made={'seed': 7})
    again = networks.restore(tmp_path / 'n.safetensors')
    assert again.config == network.config and not again.training
    assert networks.notes(tmp_path / 'n.safetensors')['made'] == {'seed': 7}
    with torch.no_grad():
        assert torch.equal(again(*given)['logits'], network(*given)['logits'])
    assert not list(tmp_path.glob('*.part'))


@pytest.mark.parametrize('name', DEFAULTS.values())
def test_half_weights_fold_into_the_same_numbers(name, tmp_path):
    network = absorb_norms(make(name))
    whole, half = tmp_path / 'whole.safetensors', tmp_path / 'half.safetensors'
    networks.save(whole, network)
    networks.save(half, network, half=True)
    assert half.stat().st_size < 0.6 * whole.stat().st_size
    restored = networks.restore(half)
    pairs = norm_pairs(restored)
    weights = {name: restored.get_submodule(name).weight.clone() for name in pairs}
    assert len(pairs) > 5
    fold_norms(restored)
    for name, weight in weights.items():
        assert torch.equal(weight, weight.half().float()), name
        assert torch.equal(restored.get_submodule(name).weight.half(), weight.half()), name


def test_absorbed_norms_still_train_as_before():
    network, given = make('fanet18').double(), inputs(2)[0].double()
    with torch.no_grad():
        before = network.train()(given)['logits']
        after = absorb_norms(make('fanet18').double()).train()(given)['logits']
    # not exact: epsilon weighs otherwise once a scale has moved into the convolution
    assert (before - after).abs().max() < 1e-2 * before.abs().max()


@pytest.mark.parametrize(('name', 'depth'), SOME)
def test_depth_is_read_where_there_is_one(name, depth):
    network, (image, metres) = make(name, depth), inputs()
    other = metres.clone()
    other[..., 20:40, 20:40] = 0.25
    with torch.no_grad():
        same = torch.equal(network(image, metres)['logits'], network(image, other)['logits'])
    assert same is not depth


@pytest.mark.parametrize(('name', 'depth'), SOME)
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
    assert torch.allclose(out['affordance'], logits.softmax(1)[:, 2], atol=1e-6)


def test_affordance_survives_extreme_logits():
    class Certain(networks.layers.Network):
        def forward(self, image, depth=None):
            logits = torch.tensor([500.0, -500.0, 0.0]).view(1, 3, 1, 1)
            return {'logits': torch.cat([logits, logits.flip(1), logits.roll(1, 1)], -1)}

    affordance = networks.Inference(Certain(None))(torch.zeros(1, 1, 3, 3))['affordance']
    assert affordance.tolist() == [[[0.0, 1.0, 0.0]]]


@pytest.mark.parametrize('name', DEFAULTS.values())
def test_any_number_of_classes(name):
    config = {'classes': 7} | ({'size': (64, 96)} if name.startswith('rganet') else {})
    with torch.no_grad():
        assert networks.build(name, config).eval()(*inputs())['logits'].shape == (1, 7, 64, 96)


def test_variants_are_told_apart_and_described():
    configs = [(kind, variant.config) for kind, variant in networks.NETWORKS.values()]
    assert len(set(configs)) == len(configs) >= 45
    standings = {variant.status for _, variant in networks.NETWORKS.values()}
    assert standings == {
        'proven', "authors' code", 'inferred', 'our interpretation', 'irreproducible',
    }  # fmt: skip


def test_refusals_name_what_is_accepted(tmp_path):
    with pytest.raises(ValueError, match='expected one of rganet5-nb, .*fanet18'):
        networks.build('fanet19')
    with pytest.raises(ValueError, match="no field 'deep': expected one of classes, depth"):
        networks.build('fanet18', {'deep': True})
    with pytest.raises(FileNotFoundError, match='no such checkpoint'):
        networks.restore(tmp_path / 'none.safetensors')
    (tmp_path / 'text.safetensors').write_text('not weights, but long enough to be read')
    with pytest.raises(ValueError, match=r'text\.safetensors is no checkpoint'):
        networks.restore(tmp_path / 'text.safetensors')


def test_a_checkpoint_that_does_not_fit_is_refused_by_name(tmp_path):
    path = tmp_path / 'n.safetensors'
    network = networks.build('fanet18')
    network.config = dataclasses.replace(network.config, classes=5)  # says 5, holds 3
    networks.save(path, network)
    with pytest.raises(ValueError, match=r'n\.safetensors says .*fanet18 .*\[5, .*\[3, '):
        networks.restore(path)
    network = networks.build('fanet18')
    network.name = 'rganet5-nb'
    networks.save(path, network)
    with pytest.raises(ValueError, match=r"n\.safetensors: rganet5-nb has no field 'encoder'"):
        networks.restore(path)
