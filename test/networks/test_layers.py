import cv2
import numpy as np
import pytest
from rganet_ros.networks.folding import PairConv
from rganet_ros.networks.layers import (
    blurred,
    DepthChannels,
    graph_for_engines,
    interpolation,
    Pixels,
    resize,
)  # fmt: skip
import torch
from torch import nn


def plane(height=64, width=96, right=0.0, down=0.0, at=0.6):
    """Depth of a plane with the given slopes, seen by a camera of DepthChannels.FOCAL."""
    v, u = torch.meshgrid(torch.arange(height), torch.arange(width), indexing='ij')
    x, y = (u - width / 2) / DepthChannels.FOCAL, (v - height / 2) / DepthChannels.FOCAL
    return (at / (1 - right * x - down * y)).float()[None, None]


def test_slopes_of_a_tilted_plane():
    channels = DepthChannels()(plane(right=0.3, down=-0.2))
    middle = channels[0, :, 20:44, 30:66]
    assert torch.allclose(middle[0], torch.ones(()))
    assert (middle[2].mean() - 0.3).abs() < 0.01
    assert (middle[3].mean() + 0.2).abs() < 0.01
    assert (middle[4].mean() - 0.25 / 0.6).abs() < 0.01


def test_height_of_a_box_on_a_floor():
    depth = torch.full((1, 1, 160, 160), 0.7)
    depth[..., 70:90, 70:90] = 0.67
    height = DepthChannels()(depth)[0, 1]
    assert 0.45 < height[80, 80] < 0.6  # 3 cm, less what the box itself adds to the mean
    assert height[10, 10].abs() < 0.01


def test_holes_say_nothing_and_spoil_nothing():
    whole, holed = plane(right=0.1), plane(right=0.1)
    holed[..., 20:40, 30:60] = 0
    channels, before = DepthChannels()(holed), DepthChannels()(whole)
    assert channels.isfinite().all()
    assert (channels[0, :, 20:40, 30:60] == 0).all()
    beside = (channels - before)[0, :, 20:40, 60:]
    assert beside[[0, 4]].abs().max() == 0
    assert beside[1].abs().max() < 0.1
    assert channels[0, 2:4, 20:40, 60:62].abs().max() == 0  # one end in the hole: no slope


def test_no_depth_at_all_is_zero_and_extremes_are_clipped():
    assert (DepthChannels()(torch.zeros(1, 1, 33, 47)) == 0).all()
    wild = DepthChannels()(torch.rand(2, 1, 40, 56) * 60)
    assert wild.isfinite().all() and wild.abs().max() <= 1
    assert wild.shape == (2, DepthChannels.COUNT, 40, 56)


def test_half_precision_stays_finite():
    depth = plane(right=0.2)
    half = DepthChannels()(depth.half()).float()
    assert half.isfinite().all()
    assert (half - DepthChannels()(depth))[:, [0, 4]].abs().max() < 2e-3


@pytest.mark.parametrize('align_corners', [True, False])
@pytest.mark.parametrize(('before', 'after'), [(60, 480), (15, 60), (7, 7), (1, 5), (9, 4)])
def test_lines_are_interpolated_as_torch_does(before, after, align_corners):
    line = torch.rand(1, 2, 1, before)
    expected = resize(line, (1, after), align_corners)[0, :, 0]
    found = line[0, :, 0] @ interpolation(before, after, align_corners, line).mT
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)
    half = interpolation(before, after, align_corners, line.bfloat16())
    exact = interpolation(before, after, align_corners, line)
    assert half.dtype == torch.bfloat16 and (half - exact).abs().max() < 2**-8


class Resized(nn.Module):
    def forward(self, x):
        return resize(x, (24, 40))


def test_a_graph_for_engines_resizes_few_channels_by_products():
    for channels, product in ((3, True), (32, False)):
        x = torch.rand(1, channels, 6, 10)
        with graph_for_engines():
            graph = torch.export.export(Resized(), (x,))
        calls = [str(node.target) for node in graph.graph.nodes]
        assert any('matmul' in call for call in calls) == product
        torch.testing.assert_close(graph.module()(x), Resized()(x))


@pytest.mark.parametrize('length', [1, 3, 5, 7])
@pytest.mark.parametrize('size', [(16, 24), (15, 23)])
def test_a_convolution_of_pairs_is_the_convolution(length, size):
    conv = nn.Conv2d(5, 6, length, 2, length // 2).double()
    x = torch.rand(2, 5, *size).double()
    with torch.no_grad():
        pairs = PairConv(conv)
        torch.testing.assert_close(pairs(x), conv(x))
        assert torch.equal(PairConv.unpaired(pairs.conv.weight, conv), conv.weight)


@pytest.mark.parametrize('times, taps', [(1, [1, 2, 1]), (2, [1, 4, 6, 4, 1])])
def test_a_blur_is_that_of_opencv_and_leaves_depth_alone(times, taps):
    rng = np.random.default_rng(0)
    picture, depth = rng.random((33, 47, 3), np.float32), rng.random((1, 1, 33, 47), np.float32)
    taps = np.array(taps) / sum(taps)
    truth = cv2.sepFilter2D(picture, -1, taps, taps, borderType=cv2.BORDER_REPLICATE)
    image, depth = torch.from_numpy(picture).permute(2, 0, 1)[None], torch.from_numpy(depth)
    found = blurred(image, times)
    assert np.allclose(found[0].permute(1, 2, 0).numpy(), truth, atol=1e-6)
    seen, plain = Pixels(True, blur=times)(image, depth), Pixels(True)(found, depth)
    assert torch.equal(seen, plain)
    assert (seen - Pixels(True)(image, depth)).abs().max() > 0.1
