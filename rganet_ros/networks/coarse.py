"""
A convolution over two maps joined, the coarser one resized: for engines, before it is resized.

Resizing is linear, and so is a convolution: what the kernel makes of the coarse map is a 1x1
convolution at the coarse size, and two products of matrices, which resize, shift and add at once.
FANet-18's head, two fifths of that network at 480 x 640, sees 128 of its 256 channels from 1/32:
their 1.42 G multiply-adds become 0.20 G.
"""

from __future__ import annotations

from rganet_ros.networks.layers import interpolation, resize
import torch
from torch import nn, Tensor
from torch.nn import functional


class JoinedConv(nn.Conv2d):
    """A convolution of stride 1, with odd square kernels, that keeps the finer map's size."""

    def forward(self, coarse: Tensor, fine: Tensor) -> Tensor:
        """Take (B, C, h, w) and (B, D, H, W), C + D the channels; give (B, out, H, W)."""
        return super().forward(torch.cat([resize(coarse, fine.shape[-2:]), fine], 1))


class CoarseConv(nn.Module):
    """An equal JoinedConv."""

    @torch.no_grad()
    def __init__(self, joined: JoinedConv, channels: int):
        """Take over its weights; so many of its channels are the coarse map's."""
        super().__init__()
        count, both, self.kernel, _ = joined.weight.shape
        coarse, fine = joined.weight.split([channels, both - channels], 1)
        self.coarse = nn.Conv2d(channels, count * self.kernel**2, 1, bias=False)
        self.coarse.weight = nn.Parameter(coarse.permute(3, 2, 0, 1).reshape(-1, channels, 1, 1))
        self.fine = nn.Conv2d(both - channels, count, self.kernel, padding=self.kernel // 2)
        self.fine.weight = nn.Parameter(fine.contiguous())
        self.fine.bias = joined.bias

    @staticmethod
    def joined(coarse: Tensor, fine: Tensor) -> Tensor:
        """Give the weight of the JoinedConv from those of the two."""
        count, _, *kernel = fine.shape
        coarse = coarse.reshape(*kernel, count, -1).permute(2, 3, 1, 0)
        return torch.cat([coarse, fine], 1)

    def forward(self, coarse: Tensor, fine: Tensor) -> Tensor:
        """Answer as JoinedConv.forward."""
        down, across = (
            shifted(before, after, self.kernel, fine)
            for before, after in zip(coarse.shape[-2:], fine.shape[-2:])
        )
        # As engines hold maps, channels last, nothing moves but between the two products.
        x = self.coarse(coarse).permute(0, 2, 3, 1)  # B h w (kx ky out)
        x = across @ x.unflatten(3, (self.kernel, -1)).flatten(2, 3)  # B h W (ky out)
        x = x.unflatten(3, (self.kernel, -1)).transpose(2, 3)  # B h ky W out
        x = (down @ x.flatten(3).flatten(1, 2)).unflatten(2, (fine.shape[-1], -1))  # B H W out
        return self.fine(fine) + x.permute(0, 3, 1, 2)


def shifted(before: int, after: int, kernel: int, like: Tensor) -> Tensor:
    """
    Give the matrix (after, before * kernel) of a kernel's steps over a line that is resized.

    Each of `before` has a column a step; beyond the ends of the resized line there are zeros.
    """
    lines = interpolation(before, after, align_corners=True, like=like)
    lines = functional.pad(lines, (0, 0, kernel // 2, kernel // 2))
    return torch.stack([lines[step : step + after] for step in range(kernel)], 2).flatten(1)
