import copy

from lively import lively
import pytest
from rganet_ros import networks
from rganet_ros.networks.count import count
from rganet_ros.networks.rganet import Config
import torch

SMALL = {'size': (64, 96), 'growth': 4}


# Parameters in millions, with and without the decision unit.
PARAMETERS = {
    0: (3.4127, 2.788), 1: (3.4055, 2.781), 2: (3.3983, 2.774), 3: (3.3762, 2.752),
    4: (3.3002, 2.676),
}  # fmt: skip


@pytest.mark.parametrize('cut', PARAMETERS)
def test_parameters(cut):
    name = f'rganet5-b{cut}' if cut else 'rganet5-nb'
    whole, plain = PARAMETERS[cut]
    assert round(count(name).parameters / 1e6, 4) == whole
    assert round(count(name, decision=False).parameters / 1e6, 3) == plain


def test_the_published_counts():
    """3.41 and 3.67 M; 7.854 and 9.166 G in thop's accounting, which are these multiply-adds."""
    nb, b3 = count('rganet5-nb'), count('rganet5-b3-deconv')
    assert round(b3.parameters / 1e6, 4) == 3.6671
    assert nb.multiply_adds / 1e9 == pytest.approx(7.56, rel=0.005)
    assert b3.multiply_adds / 1e9 == pytest.approx(7.18, rel=0.005)


VARIANTS = [
    {},
    {'residual': 'paper'},
    {'gate': 'softmax'},
    {'cut': 2},
    {'upsampling': 'deconvolution', 'cut': 3},
    {'upsampling': 'deconvolution'},
    {'decision': False},
    {'decision': False, 'upsampling': 'deconvolution', 'depth': True},
]


@pytest.mark.parametrize('options', VARIANTS, ids=str)
def test_the_whole_network_computes_the_same_in_every_form(options):
    torch.manual_seed(0)
    network = lively(networks.build('rganet5-nb', SMALL | options)).double().eval()
    image = torch.rand(2, 3, 64, 96, dtype=torch.float64)
    depth = torch.rand(2, 1, 64, 96, dtype=torch.float64)
    with torch.no_grad():
        published = network.use('published')(image, depth)['logits']
        reductions = network.use('reductions')(image, depth)['logits']
        inference = network.for_inference()
        one_by_one = [inference(*each)['logits'] for each in zip(image.split(1), depth.split(1))]
    folded = torch.cat(one_by_one)
    assert published.std() > 1e-3
    scale = published.abs().max()
    assert (published - reductions).abs().max() < 1e-10 * scale
    assert (published - folded).abs().max() < 1e-10 * scale


def test_what_is_folded_leaves_the_network_as_it_was():
    network = networks.build('rganet5-b3-deconv', SMALL).eval()
    image = torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        before = network(image)['logits']
        network.for_inference()
        assert torch.equal(network(image)['logits'], before)


def test_training_moves_weights_and_statistics_alike_in_both_forms():
    torch.manual_seed(0)
    one = networks.build('rganet5-b1', SMALL).double().use('published')
    two = copy.deepcopy(one).use('reductions')
    image = torch.rand(2, 3, 64, 96, dtype=torch.float64)
    for network in (one, two):
        network(image)['logits'].square().mean().backward()
    for (name, p), q in zip(one.named_parameters(), two.parameters()):
        assert torch.allclose(p.grad, q.grad, rtol=1e-7, atol=1e-10), name
    for (name, p), q in zip(one.named_buffers(), two.buffers()):
        assert torch.allclose(p.double(), q.double(), rtol=0, atol=1e-10), name


@pytest.mark.parametrize('scales', [2, 3, 5])
def test_any_number_of_scales(scales):
    network = networks.build('rganet5-nb', SMALL | {'blocks': (3, 3, 6, 12, 24)[:scales]}).eval()
    with torch.no_grad():
        assert network(torch.rand(1, 3, 64, 96))['logits'].shape == (1, 3, 64, 96)


def test_a_cut_highway_carries_nothing():
    torch.manual_seed(0)
    network = networks.build('rganet5-b4', SMALL).eval()
    assert not any(hasattr(vote, 'merge') for vote in network.votes)
    assert [hasattr(v, 'merge') for v in networks.build('rganet5-b3', SMALL).votes] == [
        True, False, False, False, False,
    ]  # fmt: skip


@pytest.mark.parametrize(
    'change', [{'residual': 'paper'}, {'gate': 'softmax'}, {'upsampling': 'deconvolution'}]
)
def test_options_change_what_is_computed(change):
    image = torch.rand(1, 3, 64, 96)
    found = []
    for options in (SMALL, SMALL | change):
        torch.manual_seed(0)
        with torch.no_grad():
            found.append(networks.build('rganet5-nb', options).eval()(image)['logits'])
    assert not torch.allclose(*found)


def test_a_wrong_size_is_told_the_right_one():
    network = networks.build('rganet5-nb', SMALL).eval()
    with pytest.raises(ValueError, match='bound to 64x96 pixels, not 64x64: give it 64x96'):
        network(torch.rand(1, 3, 64, 64))
    with pytest.raises(ValueError, match=r'multiples of 32.*\(480, 640\) would be right'):
        Config(size=(490, 650))
    with pytest.raises(ValueError, match="gate = 'tanh' must be one of sigmoid, softmax"):
        Config(gate='tanh')
    with pytest.raises(ValueError, match=r'cut = 5 must be in 0\.\.4'):
        Config(cut=5)
