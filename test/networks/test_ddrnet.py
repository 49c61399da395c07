from lively import lively
import pytest
from rganet_ros import networks
from rganet_ros.networks.count import count
from rganet_ros.networks.ddrnet import Pyramid
import torch
from torch.nn import functional


def test_counts():
    found = count('ddrnet-23-slim')
    assert f'{found.parameters / 1e6:.2f}' == '5.69'
    with torch.device('meta'):  # RGANet's table counts norms too: two for each value
        network, normed = networks.build('ddrnet-23-slim').eval(), []
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.register_forward_hook(lambda m, x, out: normed.append(2 * out.numel()))
        network(torch.zeros(1, 3, 480, 640))
    assert (found.multiply_adds + sum(normed)) / 1e9 == pytest.approx(5.35, rel=0.005)
    cityscapes = count('ddrnet-23-slim', (1024, 2048), classes=19)
    assert cityscapes.multiply_adds / 1e9 == pytest.approx(36.3, rel=0.005)


def test_the_pyramid_written_out():
    torch.manual_seed(0)
    layer = lively(Pyramid(16)).double().eval()
    x = torch.randn(1, 16, 8, 10, dtype=torch.float64)

    def up(x):
        return functional.interpolate(x, (8, 10), mode='bilinear', align_corners=False)

    levels = [layer.scales[0](x)]
    for i, (kernel, stride) in enumerate(((5, 2), (9, 4), (17, 8))):
        pooled = functional.avg_pool2d(x, kernel, stride, kernel // 2)
        levels.append(layer.process[i](up(layer.scales[i + 1](pooled)) + levels[-1]))
    whole = functional.adaptive_avg_pool2d(x, 1)
    levels.append(layer.process[3](up(layer.scales[4](whole)) + levels[-1]))
    expected = layer.compress(torch.cat(levels, 1)) + layer.shortcut(x)
    assert (layer(x) - expected).abs().max() < 1e-12


def test_it_has_no_weights_to_load():
    with pytest.raises(ValueError, match='there are none for DDRNet, expected None'):
        networks.build('ddrnet-23-slim', weights='imagenet')
