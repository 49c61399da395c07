"""
The global attention module of RGANet (section III-B), in equal forms of one set of weights.

A volume x (B, C, H, W) is normalised and correlated with itself along lines: kernels as long as
the picture reduce it to vectors, whose products are volumes again.

    Qc[w, h] = sum_c x[c, h, w] wqc[w, c]        Qh[w, c] = sum_h x[c, h, w] wqh[w, h]
    Kv[h, c] = sum_w x[c, h, w] wkv[h, w]        Kc[h, w] = sum_c x[c, h, w] wkc[h, c]
    corr1[c, h, w] = Qh[w, c] Qc[w, h]           corr2[c, h, w] = Kc[h, w] Kv[h, c]

each with a bias and a batch norm over w or over h; then lambda = gate(SiLU(aggregation of the two
correlations)). `form` says how it is computed:

    published   depth-wise convolutions over permuted views and matrix products, as the authors do
    reductions  the sums and the products above: a product of matrices for each line

A third form, folded for inference, is in rganet_folded.py.
"""

from __future__ import annotations

import torch
from torch import nn, Tensor
from torch.nn import functional

FORMS = ('published', 'reductions')


class GAM(nn.Module):
    """
    lambda for x, and x normalised: (B, C, H, W) -> two of the same.

    gate  'sigmoid' or 'softmax' (over channels) of the SiLU
    """

    def __init__(self, channels: int, size: tuple[int, int], gate: str):
        """Bind the kernels to a size: (height, width) of the volume."""
        super().__init__()
        height, width = size
        self.norm = nn.BatchNorm2d(channels)
        self.qc = nn.Conv2d(width, width, (channels, 1), groups=width)
        self.qh = nn.Conv2d(width, width, (1, height), groups=width)
        self.kv = nn.Conv2d(height, height, (width, 1), groups=height)
        self.kc = nn.Conv2d(height, height, (1, channels), groups=height)
        self.norm_qc, self.norm_qh = nn.BatchNorm2d(width), nn.BatchNorm2d(width)
        self.norm_kv, self.norm_kc = nn.BatchNorm2d(height), nn.BatchNorm2d(height)
        self.norm_both = nn.BatchNorm2d(channels)  # of either correlation: one set of statistics
        self.norm_joined = nn.BatchNorm2d(2 * channels, affine=False)
        self.aggregate = nn.Conv2d(2 * channels, channels, 1, bias=False)
        self.norm_aggregate = nn.BatchNorm2d(channels, affine=False)
        self.gate, self.form = gate, 'reductions'

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return lambda and the normalised x."""
        x = self.norm(x)
        correlated = self._published if self.form == 'published' else self._reductions
        both = [self.norm_both(volume) for volume in correlated(x)]
        y = self.norm_aggregate(self.aggregate(self.norm_joined(torch.cat(both, 1))))
        return open_gate(y, self.gate), x

    def _published(self, x: Tensor) -> tuple[Tensor, Tensor]:
        columns, rows = x.permute(0, 3, 1, 2), x.permute(0, 2, 3, 1)  # B W C H, B H W C
        qc, qh = self.norm_qc(self.qc(columns)), self.norm_qh(self.qh(columns))  # BW1H, BWC1
        kv, kc = self.norm_kv(self.kv(rows)), self.norm_kc(self.kc(rows))  # BH1C, BHW1
        return (qh @ qc).permute(0, 2, 3, 1), (kc @ kv).permute(0, 3, 1, 2)

    def _reductions(self, x: Tensor) -> tuple[Tensor, Tensor]:
        convs = self.qc, self.qh, self.kv, self.kc
        vectors = reduce(x, *(conv.weight.flatten(1) for conv in convs))
        norms = self.norm_qc, self.norm_qh, self.norm_kv, self.norm_kc
        return correlate(*(
            norm((vector + conv.bias[:, None])[..., None])[..., 0]  # over w or h, the first axis
            for vector, conv, norm in zip(vectors, convs, norms)
        ))  # fmt: skip


def reduce(x: Tensor, wqc: Tensor, wqh: Tensor, wkv: Tensor, wkc: Tensor) -> list[Tensor]:
    """
    Sum along lines: a matrix times a vector, for each column and for each row of the picture.

    wqc (W, C), wqh (W, H), wkv (H, W), wkc (H, C)
    returns Qc (B, W, H), Qh (B, W, C), Kv (B, H, C), Kc (B, H, W)
    """
    columns, rows = x.permute(0, 3, 1, 2), x.permute(0, 2, 1, 3)  # B W C H, B H C W
    return [
        (wqc[:, None] @ columns).squeeze(2),
        (columns @ wqh[..., None]).squeeze(3),
        (rows @ wkv[..., None]).squeeze(3),
        (wkc[:, None] @ rows).squeeze(2),
    ]


def correlate(qc: Tensor, qh: Tensor, kv: Tensor, kc: Tensor) -> tuple[Tensor, Tensor]:
    """Multiply the vectors out into the two volumes (B, C, H, W), or without B."""
    corr1 = qh.mT[..., None, :] * qc.mT[..., None, :, :]
    corr2 = kc[..., None, :, :] * kv.mT[..., None]
    return corr1, corr2


def open_gate(y: Tensor, gate: str) -> Tensor:
    """Bring to 0..1: the sigmoid, or the softmax over channels, of the SiLU."""
    y = functional.silu(y)
    return y.sigmoid() if gate == 'sigmoid' else y.softmax(-3)
