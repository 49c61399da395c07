"""How far the best of an answer can be trusted: of its highest pixels, and of ranked places."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from .types import SUCTIONABLE

# Name: the percentile above which pixels count; None: within a hair of the highest.
TOPS = {'top_1': None, 'top_1_percent': 99.0, 'top_5_percent': 95.0, 'top_10_percent': 90.0}
SIGMA = 7.0  # pixels, over the affordance before anything is read off
HAIR = 1e-4
THRESHOLDS = (0.2, 0.4, 0.6, 0.8)
RANKS = 50


def top_counts(affordance: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """
    Count true and false pixels among the highest of a picture, as Zeng et al. (2018) do.

    affordance  (H, W) float, 0..1
    truth       (H, W) class ids; pixels of 255 are ignored

    Returns (4, 2) int64: by row of TOPS, pixels that are suctionable and pixels that are not.
    Summed over all pictures, true / (true + false) is the precision.
    """
    smooth = np.asarray(affordance, np.float32)
    smooth = cv2.GaussianBlur(smooth, (0, 0), SIGMA, borderType=cv2.BORDER_REPLICATE)
    percentiles = [percentile for percentile in TOPS.values() if percentile is not None]
    least = [smooth.max() - np.float32(HAIR), *np.percentile(smooth, percentiles)]
    labelled = truth != 255
    level, good = smooth[labelled], truth[labelled] == SUCTIONABLE
    above = level > np.array(least, np.float32)[:, None]
    true = (above & good).sum(1)
    return np.stack([true, above.sum(1) - true], 1)


def precision_at_ranks(
    scores: Sequence[float] | np.ndarray,
    thresholds: Sequence[float] = THRESHOLDS,
    ranks: int = RANKS,
) -> np.ndarray:
    """
    Give precision@k of ranked places, as SuctionNet-1Billion (Cao et al., 2021) has it.

    scores  (n,) 0..1, how well a cup really holds at each place, the best answered first; places
            that are missing, up to `ranks`, are misses

    Returns (T, ranks): by threshold, the share of the first k places that hold better than it.
    The mean of a row is the average precision at that threshold; of all, the average precision.
    """
    padded = np.full(ranks, -1.0)
    padded[: len(scores)] = scores[:ranks]
    holds = padded > np.asarray(thresholds)[:, None]
    return holds.cumsum(1) / np.arange(1, ranks + 1)
