"""
Mean-Grid F-beta score: whether an answer covers many things, not only the largest.

RGANet (Xu et al., 2021), section III-D, equations 3 to 6: the picture is cut into cells, every
cell in which a class is or is said has its own F-beta score, a cubic lifts low ones that are not
nothing, and the mean over those cells is the score.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

EPSILON = 1e-31  # of equation 3


@dataclass(frozen=True)
class Grid:
    """
    The constants of the score.

    cell           pixels, of a side; the last cells are smaller where it does not divide
    beta           of F-beta: below 1 precision weighs more
    middle height  Fm and Cm: the point about which the cubic turns
    gamma_at_zero  `paper`: a cell without a hit counts 0, as equation 4 has it; `code`: the cubic
                   holds there too (0.05 with these constants), and a picture without any cell
                   that counts is 1, as the authors' program has it
    """

    cell: int = 12
    beta: float = 0.5
    middle: float = 0.5
    height: float = 0.525
    gamma_at_zero: str = 'paper'

    def __post_init__(self):
        """Refuse constants outside of equation 5: ValueError."""
        if self.cell < 1 or self.beta <= 0:
            raise ValueError(f'cell {self.cell} must be 1 or more, beta {self.beta} above 0')
        if self.gamma_at_zero not in ('paper', 'code'):
            raise ValueError(f'gamma_at_zero {self.gamma_at_zero!r} must be paper or code')
        if not 0 < self.middle < 1:
            raise ValueError(f'middle {self.middle} must be above 0 and below 1')
        t = (self.middle / (1 - self.middle)) ** 3
        low, high = t / (1 + t), (self.middle + t) / (1 + t)
        if not low < self.height < high:
            raise ValueError(
                f'height {self.height} must be above {low:.4g} and below {high:.4g} with middle '
                f'{self.middle} (equation 5)'
            )


DEFAULT = Grid()


def gamma(f: np.ndarray, grid: Grid = DEFAULT) -> np.ndarray:
    """Curve F-beta scores 0..1 by equation 4: 0..1."""
    slope = (1 - grid.height) / (1 - grid.middle) ** 3
    curved = slope * (f - grid.middle) ** 3 + grid.height
    return np.where(f > 0, curved, 0) if grid.gamma_at_zero == 'paper' else curved


def cells(
    said: np.ndarray, true: np.ndarray, counted: np.ndarray | None = None, grid: Grid = DEFAULT
) -> np.ndarray:
    """
    Score every cell in which the class is, or is said to be.

    said     (H, W) bool
    true     (H, W) bool
    counted  (H, W) bool, pixels that have a label; None: all

    Returns (n,) float64, 0..1, row by row; equation 6 is their mean.
    """
    if counted is not None:
        said, true = said & counted, true & counted
    claimed, there, hit = (_sums(each, grid.cell) for each in (said, true, said & true))
    counts = claimed + there > 0
    claimed, there, hit = claimed[counts], there[counts], hit[counts]
    beta2 = grid.beta**2
    return gamma((1 + beta2) * hit / (beta2 * there + claimed + EPSILON), grid)


def mean(found: np.ndarray, grid: Grid = DEFAULT) -> float:
    """
    Give the mean of what `cells` gave, 0..1: equation 6.

    Without any cell, where the class neither is nor is said, it is NaN; 1 as the authors' program.
    """
    if len(found):
        return float(found.mean())
    return 1.0 if grid.gamma_at_zero == 'code' else float('nan')


def mgrid(
    said: np.ndarray, true: np.ndarray, counted: np.ndarray | None = None, grid: Grid = DEFAULT
) -> float:
    """Give the score of a picture, 0..1 or NaN; arguments as of `cells`."""
    return mean(cells(said, true, counted, grid), grid)


def _sums(mask: np.ndarray, cell: int) -> np.ndarray:
    rows, columns = (np.arange(0, length, cell) for length in mask.shape)
    # Rows first: whole lines are added, and hardly anything is left for the slower columns.
    strips = np.add.reduceat(mask.view(np.uint8), rows, axis=0, dtype=np.int32)
    return np.add.reduceat(strips, columns, axis=1)
