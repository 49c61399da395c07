"""
RGANet for inference: the same numbers, with less memory moved.

- GAM: its norms, those around it and the aggregation are affine. What was a C x C convolution of
  a volume acts on the vectors, and the volume is read for the four sums and once more at the end:

      y[c, h, w] = Qc[w, h] (M1 Qh[w])[c] + Kc[h, w] (M2 Kv[h])[c] + t[c]
      out = scale x + offset + gate(SiLU(y)) (inner x + inner_offset)

  An engine holds four axes with the channels innermost and three in their own order: without the
  batch's axis a wide volume is summed as (h, w, C) and a narrow one kept as (C, h, w), unmoved.
- Votes and the decision unit: a 1 x 1 convolution of a concatenation is the sum of two, and one
  of a picture that was made larger by repetition is as well done before.
"""

from __future__ import annotations

from rganet_ros.networks.gam import correlate, open_gate, reduce
from rganet_ros.networks.layers import Network
import torch
from torch import nn, Tensor
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

WIDE = 8  # channels from which they lie innermost: all volumes but the decision unit's


class FoldedRGANet(Network):
    """Takes and gives what an evaluating RGANet does, of one picture."""

    def __init__(self, network: nn.Module):
        """Take an evaluating network apart; what needs no folding stays as it is."""
        super().__init__(network.config)
        self.temperature = network.temperature
        self.pixels = network.pixels
        self.down, self.stacks = network.down, network.stacks
        self.attended = nn.ModuleList(FoldedAttention(each) for each in network.attended)
        *votes, last = network.votes
        self.votes = nn.ModuleList(FoldedVote(each) for each in votes)
        self.last = last.up
        self.head = SumOfTwo(*network.head[:2], 3) if self.config.decision else network.head
        self.decide = FoldedAttention(network.decide) if self.config.decision else None

    def forward(self, image: Tensor, depth: Tensor | None = None, **state) -> dict[str, Tensor]:
        """Run the network; see the package's contract."""
        x, highways = self.pixels(image, depth), []
        for down, stack, attend in zip(self.down, self.stacks, self.attended):
            x = attend(stack(down(x)))
            highways.append(x)
        kept = [x if i >= self.config.cut else None for i, x in enumerate(highways[:-1])]
        for vote in self.votes:
            x = vote(x, kept.pop())
        x = self.last[:3](x)  # all but the upsampling, if there is one
        if not self.config.decision:
            return {'logits': enlarge(self.head(x), image.shape[-1])}
        x = enlarge(self.head.first(x), image.shape[-1]) + self.head.second(image)
        return {'logits': self.decide(x.relu())}


class SumOfTwo(nn.Module):
    """A 1 x 1 convolution of two volumes, concatenated, and the norm after it: as a sum of two."""

    def __init__(self, conv: nn.Conv2d, norm: nn.BatchNorm2d, width: int):
        """Split the weights; the second volume has `width` channels."""
        super().__init__()
        conv = fuse_conv_bn_eval(conv, norm)
        self.first = nn.Conv2d(conv.in_channels - width, conv.out_channels, 1, bias=False)
        self.second = nn.Conv2d(width, conv.out_channels, 1)
        self.first.weight.data = conv.weight.data[:, :-width]
        self.second.weight.data = conv.weight.data[:, -width:]
        self.second.bias.data = conv.bias.data


class FoldedVote(nn.Module):
    """A Vote: (B, C, h, w) and the highway's (B, c, 2h, 2w), or none -> (B, c, 2h, 2w)."""

    def __init__(self, vote: nn.Module):
        """Take the vote apart."""
        super().__init__()
        self.up, self.stack = vote.up, vote.stack
        self.merge = None
        if hasattr(vote, 'merge'):
            conv, norm, _ = vote.merge
            self.merge = SumOfTwo(conv, norm, conv.in_channels // 2)

    def forward(self, x: Tensor, highway: Tensor | None) -> Tensor:  # noqa: D102
        if highway is None:
            return self.stack(self.up(x))
        if isinstance(self.stack, nn.Identity):
            x = enlarge(self.merge.first(self.up[:3](x)), highway.shape[-1])
        else:
            x = self.merge.first(self.stack(self.up(x)))
        return (x + self.merge.second(highway)).relu()


class FoldedAttention(nn.Module):
    """A GAM with all the norms in it and around it: (1, C, h, w) -> (1, C, h, w)."""

    @torch.no_grad()
    def __init__(self, attended: nn.Module):
        """Compute the constants."""
        super().__init__()
        gam, fixed = attended.attention, {}
        scale, offset = affine(gam.norm)

        def line(conv, norm):  # kernel (n, length) and bias (n,), with the norm after it
            s, o = affine(norm)
            return conv.weight.flatten(1) * s[:, None], conv.bias * s + o

        for name in ('qc', 'kc'):  # sums over channels: the norm before goes into the kernel
            kernel, bias = line(getattr(gam, name), getattr(gam, f'norm_{name}'))
            fixed[name] = kernel * scale
            fixed[f'{name}_bias'] = (bias + kernel @ offset)[:, None]
        for name, mix in zip(('qh', 'kv'), mixing(gam)):  # over h or w: it goes into the mixing
            kernel, bias = line(getattr(gam, name), getattr(gam, f'norm_{name}'))
            fixed[name] = kernel
            fixed[f'{name}_mix'] = (mix * scale).mT
            fixed[f'{name}_bias'] = (kernel.sum(1)[:, None] * offset + bias[:, None]) @ mix.mT
        fixed['constant'] = aggregated_constant(gam)
        if attended.paper:
            fixed |= {'inner': torch.ones_like(scale), 'scale': torch.ones_like(scale)}
        else:
            weighed, weighed_offset = affine(attended.norm_weighed)
            fixed |= {'inner': weighed * scale, 'inner_offset': weighed * offset}
            fixed['offset'] = weighed_offset
            if attended.shortcut:
                outer, outer_offset = affine(attended.norm)
                fixed = fixed | {k: outer * fixed[k] for k in ('inner', 'inner_offset')}
                fixed |= {'scale': outer, 'offset': outer * weighed_offset + outer_offset}
        self.gate = gam.gate
        for name in ('scale', 'offset', 'inner', 'inner_offset', 'constant'):
            self.register_buffer(name, fixed.pop(name)[:, None, None] if name in fixed else None)
        for name, value in fixed.items():
            self.register_buffer(name, value)

    def forward(self, x: Tensor) -> Tensor:  # noqa: D102
        wide, kernels = x.shape[1] >= WIDE, (self.qc, self.qh, self.kv, self.kc)
        if wide:
            qc, qh, kv, kc = reduce_wide(x, *kernels)
        else:  # (C, h, w) from here on; sums over its C came out wrong in OpenVINO 2026.4
            x, qc, qh, kv, kc = (each[0] for each in (x, *reduce(x, *kernels)))
        qc, kc = qc + self.qc_bias, kc + self.kc_bias
        qh, kv = qh @ self.qh_mix + self.qh_bias, kv @ self.kv_mix + self.kv_bias
        corr1, corr2 = correlate(qc, qh, kv, kc)
        weight = gate(corr1 + corr2 + self.constant, self.gate)
        inner = x * self.inner
        out = weight * (inner if self.inner_offset is None else inner + self.inner_offset)
        if self.scale is not None:
            out = out + x * self.scale
        out = out if self.offset is None else out + self.offset
        return out if wide else out[None]


def gate(y: Tensor, kind: str) -> Tensor:
    """Open a gate as gam.open_gate does; sigmoids by exponentials, which engines run faster."""
    if kind != 'sigmoid':
        return open_gate(y, kind)
    y = y / (1 + (-y).exp())
    return 1 / (1 + (-y).exp())


def reduce_wide(x: Tensor, wqc: Tensor, wqh: Tensor, wkv: Tensor, wkc: Tensor) -> list[Tensor]:
    """Sum along lines, as gam.reduce does, a volume (1, C, h, w) that lies as (h, w, C)."""
    x = x.permute(0, 2, 3, 1)[0]
    vectors = (
        (x * wqc).sum(2).mT,
        (x * wqh.mT[..., None]).sum(0),
        (wkv[:, None] @ x).squeeze(1),
        (x @ wkc[..., None]).squeeze(2),
    )
    return [vector[None] for vector in vectors]


def affine(norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Give what an evaluating batch norm does to each channel: a scale and an offset."""
    scale = 1 / torch.sqrt(norm.running_var + norm.eps)
    if not norm.affine:
        return scale, -norm.running_mean * scale
    scale = scale * norm.weight
    return scale, norm.bias - norm.running_mean * scale


def mixing(gam: nn.Module) -> tuple[Tensor, Tensor]:
    """Give the two (C, C) that a GAM's aggregation is, of Qh and of Kv."""
    (both, _), (joined, _), (last, _) = map(
        affine, (gam.norm_both, gam.norm_joined, gam.norm_aggregate)
    )
    weight = gam.aggregate.weight[:, :, 0, 0]  # C 2C
    return (weight * joined * both.repeat(2) * last[:, None]).chunk(2, 1)


def aggregated_constant(gam: nn.Module) -> Tensor:
    """Give what a GAM's aggregation adds to each channel (C,)."""
    (_, both), (joined, joined_offset) = map(affine, (gam.norm_both, gam.norm_joined))
    last, last_offset = affine(gam.norm_aggregate)
    weight = gam.aggregate.weight[:, :, 0, 0]
    return last * (weight @ (joined * both.repeat(2) + joined_offset)) + last_offset


def enlarge(x: Tensor, width: int) -> Tensor:
    """Repeat pixels until the picture is as wide; one that is already stays as it is."""
    factor = width // x.shape[-1]
    return x if factor == 1 else functional.interpolate(x, scale_factor=factor)
