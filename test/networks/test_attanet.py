from lively import lively
import pytest
from rganet_ros import networks
from rganet_ros.networks.attanet import Config, Fusion, FUSIONS, Strip
from rganet_ros.networks.count import count
import torch

MEGA = (1024, 1024)


def giga(name, **config):
    return count(name, MEGA, **config).multiply_adds / 1e9


# Parameters in millions, without and with auxiliary heads, at 19 classes.
PARAMETERS = {
    'attanet-r18': (12.639, 12.790),
    'attanet-light': (None, 1.005),
    'attanet-df1': (None, 9.449),
    'attanet-df2': (None, 19.087),
    'attanet-shufflenet': (None, 2.293),
}


@pytest.mark.parametrize(('name', 'expected'), PARAMETERS.items())
def test_parameters(name, expected):
    without, with_heads = expected
    with torch.device('meta'):
        network = networks.build(name, {'classes': 19})
    assert round(sum(p.numel() for p in network.parameters()) / 1e6, 3) == with_heads
    if without:
        assert round(count(name).parameters / 1e6, 3) == without


def test_parameters_of_the_bases_of_table_4():
    plain = {'classes': 19, 'attention': 'none', 'fusion': 'addition'}
    for name, expected in (('df1', 9.317), ('df2', 18.955), ('shufflenet', 2.168)):
        with torch.device('meta'):
            network = networks.build(f'attanet-{name}', plain)
        found = sum(p.numel() for p in network.parameters()) / 1e6
        assert found == pytest.approx(expected, abs=6e-4), name


@pytest.mark.parametrize(
    ('name', 'billions'),
    [('sam', 0.18455), ('afm', 0.33556), ('concatenation', 0.33554), ('nonlocal', 3.3554)],
)
def test_what_tables_2_and_3_add(name, billions):
    added = giga(f'attanet-r18-{name}') - giga('attanet-r18-base')
    assert added == pytest.approx(billions, rel=0.005)


@pytest.mark.parametrize(
    ('name', 'billions'),
    [
        ('r18', 0.5201), ('r50', 5.5533), ('r101', 5.5533), ('shufflenet', 0.495),
        ('df1', 0.520), ('df2', 0.520),
    ],
)  # fmt: skip
def test_what_both_add(name, billions):
    added = giga(f'attanet-{name}') - giga(f'attanet-{name}', attention='none', fusion='addition')
    assert added == pytest.approx(billions, rel=0.005)


def test_multiply_adds_with_the_heads_that_the_authors_run_as_well():
    heads = (128 * 64 * 9 + 64 * 19) * (128**2 + 64**2) / 1e9  # on the 1/8 map and at 1/16
    assert giga('attanet-r18') + heads == pytest.approx(47.24, rel=0.005)
    assert count('attanet-r18').multiply_adds / 1e9 + heads / 2 == pytest.approx(23.62, rel=0.005)
    heads = ((64 * 64 * 9 + 64 * 19) * 64 * 128 + (128 * 64 * 9 + 64 * 19) * 32 * 64) / 1e9
    light = count('attanet-light').multiply_adds / 1e9 + heads
    assert light == pytest.approx(5.93, rel=0.005)


@pytest.mark.parametrize('kind', ['vertical', 'horizontal', 'nonlocal'])
def test_strip_attention_written_out(kind):
    torch.manual_seed(0)
    layer = lively(Strip(12, kind)).double().eval()
    x = torch.randn(2, 12, 4, 6, dtype=torch.float64)
    query, key, value = layer.query(x), layer.key(x), layer.value(x)
    expected = x.clone()
    for b in range(2):
        for i in range(4):
            for j in range(6):
                if kind == 'vertical':
                    keys, values = key[b].mean(1), value[b].mean(1)
                elif kind == 'horizontal':
                    keys, values = key[b].mean(2), value[b].mean(2)
                else:
                    keys, values = key[b].flatten(1), value[b].flatten(1)
                weights = (query[b, :, i, j] @ keys).softmax(0)
                expected[b, :, i, j] += values @ weights
    assert (layer(x) - expected).abs().max() < 1e-12


def test_attention_fusion_written_out():
    torch.manual_seed(0)
    layer = lively(Fusion(6, 10, 8, Config())).double().eval()
    low, high = (torch.randn(1, *s, dtype=torch.float64) for s in ((6, 4, 6), (10, 2, 3)))

    def twice(x):
        return x.repeat_interleave(2, 2).repeat_interleave(2, 3)

    fine, coarse = layer.low(low), layer.high(high)
    joined = layer.mask.join(torch.cat([fine, twice(high)], 1)).mean((2, 3), keepdim=True)
    mask = layer.mask.weigh.norm(layer.mask.weigh.conv(joined)).sigmoid()
    up = twice(coarse * mask)
    merged, found = layer(low, high)
    assert (found - up).abs().max() < 1e-12
    assert (merged - (fine * (1 - mask) + up)).abs().max() < 1e-12
    assert mask.min() > 0 and mask.max() < 1


@pytest.mark.parametrize(
    'change',
    [
        {'attention': 'horizontal'}, {'attention': 'nonlocal'}, {'attention': 'none'},
        {'fusion': 'addition'}, {'fusion': 'concatenation'}, {'upsampling': 'bilinear'},
    ],
    ids=str,
)  # fmt: skip
def test_options_change_what_is_computed(change):
    image, found = torch.rand(1, 3, 64, 96), []
    for options in ({}, change):
        torch.manual_seed(0)
        with torch.no_grad():
            found.append(lively(networks.build('attanet-r18', options)).eval()(image)['logits'])
    assert not torch.allclose(*found)


@pytest.mark.parametrize('fusion', FUSIONS)
@pytest.mark.parametrize('backbone', ['light', 'resnet18'])
def test_any_fusion_of_any_backbone_leaves_no_parameter_idle(backbone, fusion):
    with torch.device('meta'):
        network = networks.build('attanet-r18', {'backbone': backbone, 'fusion': fusion}).train()
        out = network(torch.zeros(2, 3, 72, 100))
        sum(x.square().mean() for x in out.values()).backward()
    assert not [name for name, value in network.named_parameters() if value.grad is None]


@pytest.mark.parametrize('backbone', ['light', 'resnet18'])
def test_only_concatenation_of_raw_maps_reads_a_convolution_for_an_auxiliary_head(backbone):
    for fusion in FUSIONS:
        with torch.device('meta'):
            network = networks.build('attanet-r18', {'backbone': backbone, 'fusion': fusion})
            network.eval()(torch.zeros(1, 3, 72, 100))['logits'].mean().backward()
        idle = {name for name, value in network.named_parameters() if value.grad is None}
        idle = {name for name in idle if not name.startswith('aux')}
        raw = backbone == 'resnet18' and fusion == 'concatenation'
        assert all(name.startswith('fusion.high.') for name in idle) and bool(idle) == raw


def test_refusals():
    with pytest.raises(ValueError, match="backbone = 'vgg' must be one of light, resnet18"):
        networks.build('attanet-r18', {'backbone': 'vgg'})
    with pytest.raises(ValueError, match="fusion = 'sum' must be one of attention, addition"):
        networks.build('attanet-r18', {'fusion': 'sum'})
    with pytest.raises(ValueError, match="attention = 'all' must be one of vertical, horizontal"):
        networks.build('attanet-r18', {'attention': 'all'})
    with pytest.raises(ValueError, match="upsampling = 'cubic' must be one of nearest, bilinear"):
        networks.build('attanet-r18', {'upsampling': 'cubic'})
    for name in ('light', 'df1', 'df2'):
        with pytest.raises(ValueError, match=f'there are none for {name}, expected None'):
            networks.build(f'attanet-{name}', weights='imagenet')
