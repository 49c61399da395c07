import pytest
from rganet_ros import networks
from rganet_ros.networks.coarse import CoarseConv, JoinedConv
import torch


@pytest.mark.parametrize('kernel', [1, 3, 5])
@pytest.mark.parametrize('sizes', [((15, 20), (60, 80)), ((4, 7), (9, 13)), ((6, 5), (6, 5))])
def test_what_is_computed_at_the_coarse_size_is_the_convolution(kernel, sizes):
    coarse, fine = (torch.rand(2, c, *size).double() for c, size in zip((3, 4), sizes))
    joined = JoinedConv(7, 5, kernel, padding=kernel // 2).double()
    apart = CoarseConv(joined, 3)
    torch.testing.assert_close(apart(coarse, fine), joined(coarse, fine))
    assert (CoarseConv.joined(apart.coarse.weight, apart.fine.weight) == joined.weight).all()
    with pytest.raises(RuntimeError):
        CoarseConv(joined, 2)(coarse, fine)


def test_it_is_what_an_engine_gets_of_fanet():
    network = networks.build('fanet18').eval()
    assert type(network.head[0].conv) is JoinedConv
    first, _ = network.for_inference().head
    assert type(first.conv) is CoarseConv
    assert first.conv.coarse.in_channels == network.config.width
