import pytest
from rganet_ros import networks
from rganet_ros.networks.fanet import Config, FastAttention
import torch


@pytest.mark.parametrize(('name', 'millions'), [('fanet18', 13.670), ('fanet34', 23.778)])
def test_parameters_as_counted_from_the_authors_code(name, millions):
    network = networks.build(name, {'classes': 19})
    count = sum(p.numel() for name, p in network.named_parameters() if not name.startswith('aux'))
    assert round(count / 1e6, 3) == millions


@pytest.mark.parametrize('scale_by_n', [False, True])
@pytest.mark.parametrize('l2', [False, True])
def test_fast_attention_is_attention_without_softmax(l2, scale_by_n):
    torch.manual_seed(0)
    layer = FastAttention(24, Config(reduced=8, l2=l2, scale_by_n=scale_by_n)).double().eval()
    x = torch.randn(2, 24, 5, 7, dtype=torch.float64)
    query, key, value = (f(x).flatten(2) for f in (layer.query, layer.key, layer.value))
    if l2:
        query, key = (q / q.norm(dim=1, keepdim=True) for q in (query, key))
    weights = torch.einsum('bci,bcj->bij', query, key) / (35 if scale_by_n else 1)
    direct = torch.einsum('bij,bcj->bci', weights, value).view_as(x)
    assert torch.allclose(layer(x), x + layer.out(direct), atol=1e-12)


def test_the_finest_map_is_an_eighth():
    network = networks.build('fanet18')
    maps = network.backbone(torch.zeros(1, 3, 128, 192))
    assert [tuple(m.shape[1:]) for m in maps] == [
        (64, 16, 24), (128, 8, 12), (256, 4, 6), (512, 2, 3),
    ]  # fmt: skip


def test_a_depth_model_reads_depth_and_a_colour_model_does_not():
    image, near, far = torch.rand(1, 3, 64, 64), torch.full((1, 1, 64, 64), 0.5), None
    far = near.clone()
    far[..., 20:40, 20:40] = 0.45
    with torch.no_grad():
        with_depth = networks.build('fanet18', {'depth': True}).eval()
        assert not torch.equal(with_depth(image, near)['logits'], with_depth(image, far)['logits'])
        without = networks.build('fanet18').eval()
        assert torch.equal(without(image, near)['logits'], without(image)['logits'])
