"""Write the page of all networks: a drawing of each, its attention in a formula, the table."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from rganet_ros import networks
from rganet_ros.catalogue import CONVENTION, drawing, HEADS, Row
from rganet_ros.dataset import write_file
from rganet_ros.networks import peers
import torch

SIZE = (480, 640)


class Chapter(NamedTuple):
    """One network: title, the variant that is drawn, its attention as a formula and in words."""

    title: str
    drawn: str
    formula: str
    words: str


CHAPTERS = (
    Chapter(
        'RGANet', 'rganet5-nb',
        r'y_{chw} = Q^c_{wh}\,(M_1 Q^h_w)_c + K^c_{hw}\,(M_2 K^v_h)_c + t_c, \quad '
        r'\lambda = \sigma(\mathrm{SiLU}(y))',
        'Kernels as long as the picture sum a volume along channels, columns and rows; the '
        'products of those sums are a volume again, which says how much each value counts. This '
        'is the folded form; `rganet_ros/networks/gam.py` has the published one.',
    ),
    Chapter(
        'FANet', 'fanet18',
        r'Y = \tfrac{1}{n}\,\hat Q\,\bigl(\hat K^\top V + \textstyle\sum_{i=1}^{t-1} '
        r'\hat K_{T-i}^\top V_{T-i}\bigr)',
        'Queries and keys of unit length make the softmax unnecessary, so that the small matrix '
        'comes first: the cost grows with n, not with its square, and those of past frames can be '
        'kept.',
    ),
    Chapter(
        'AttaNet', 'attanet-r18',
        r'Y_i = x_i + \sum_{j=1}^{W} \mathrm{softmax}_j(q_i \cdot \bar k_j)\,\bar v_j',
        'Every pixel attends to the W columns of the map: keys and values are means over the '
        'height.',
    ),
    Chapter(
        'SANet', 'sanet-r50',
        r'Y = a \odot F(x) + a, \quad a = \mathrm{up}(A(\mathrm{pool}_8(x)))',
        'Attention is pooled eight times and not to one number a channel, so that it groups '
        'pixels. What only training reads is left out of the drawing where nothing else reads it.',
    ),
    Chapter(
        'AAFF', 'aaff',
        r'Y = N\bigl(W [\,a \odot d,\; x_2\,]\bigr), \quad d = \mathrm{conv}_{/2}(x_1), \quad '
        r'a = \sigma(N(W_a\,\overline{d}\,))',
        'A block halves the finer map, weighs its channels by their means, and joins both.',
    ),
    Chapter(
        'BiSeNet', 'bisenet-x39',
        r'Y = x \odot \sigma(N(W\,\overline{x}\,))',
        'What AAFF is compared with: a wide and shallow path beside a deep and narrow one, whose '
        'channels are weighed by their means.',
    ),
    Chapter(
        'DDRNet', 'ddrnet-23-slim',
        r'y_i = C_i\bigl(\mathrm{up}(\mathrm{pool}_i(x)) + y_{i-1}\bigr)',
        "The fastest of RGANet's tables. It has no attention: a pyramid of means sees the whole "
        'picture.',
    ),
)  # fmt: skip


def write(path: Path, rows: list[Row]) -> None:
    """Write the page, and the drawings into a folder of the same name beside it."""
    lines = ['# The networks', '', CONVENTION, '', *_table(rows)]
    for chapter in CHAPTERS:
        picture = path.with_suffix('') / f'{chapter.drawn}.svg'
        with torch.device('meta'):
            network = networks.build(chapter.drawn)
        write_file(picture, drawing.svg(drawing.trace(network, SIZE)).encode())
        lines += [
            '', f'## {chapter.title}', '', f'$${chapter.formula}$$', '', chapter.words, '',
            f'![{chapter.drawn}]({picture.relative_to(path.parent)})',
        ]  # fmt: skip
    lines += ['', '## Peers', '', ' '.join(peers.__doc__.split()), '']
    lines += ['This page was written by `rganet networks --page docs/networks.md`.', '']
    write_file(path, '\n'.join(lines).encode())


def _table(rows: list[Row]) -> list[str]:
    return [
        f'| {" | ".join(HEADS)} |',
        '|---|--:|--:|---|---|---|',
        *(f'| {" | ".join(row)} |' for row in rows),
    ]
