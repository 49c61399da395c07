"""
What is minimised.

All is made of sums over the pixels of a batch. Where several processes share a batch, those sums
are taken over all of them (`pooled`): the gradient is then that of one process with the whole
batch.
"""

from __future__ import annotations

from functools import lru_cache
import math

from rganet_ros.training.augment import IGNORE
from rganet_ros.training.config import Recipe
from rganet_ros.types import SUCTIONABLE
import torch
from torch import distributed, Tensor
from torch.nn import functional

LEAST_HARD = 16  # ohem: at least one pixel in so many of a picture counts


def loss(outputs: dict[str, Tensor], label: Tensor, recipe: Recipe) -> Tensor:
    """
    Sum up: the pixels' loss of all heads, and 1 - soft IoU of the main one.

    outputs  of a training network: maps, or (B, K) logits of which classes a picture has
    label    (B, H, W) int64 class ids, 255 ignored

    Auxiliary heads are coarse: every fourth pixel of theirs will do, and is a tenth of a step.
    """
    said = log_probabilities(outputs['logits'])
    total = pixel_loss(said, label, recipe)
    if recipe.overlap:
        total = total + recipe.overlap * soft_iou_loss(said, label)
    for name, logits in outputs.items():
        if name.startswith('aux') and logits.ndim == 2:
            total = total + recipe.presence * presence_loss(logits, label)
        elif name.startswith('aux'):
            said = log_probabilities(logits[..., ::4, ::4])
            total = total + recipe.auxiliary * pixel_loss(said, label[:, ::4, ::4], recipe)
    return total


def log_probabilities(logits: Tensor) -> Tensor:
    """Give log softmax in float32, by planes: classes innermost is slow."""
    return logits.float().contiguous().log_softmax(1)


def pixel_loss(said: Tensor, label: Tensor, recipe: Recipe) -> Tensor:
    """
    Mean over labelled pixels, weighted by their class, of -log p of the truth; 0 where none is.

    focal  times (1 - p) to the power of gamma (Lin et al., 2017)
    ohem   over hard pixels alone: p < recipe.hard, but of each picture at least a share (online
           hard example mining; AttaNet's and FANet's code take it over the batch, which depends
           on how pictures are shared out)

    said (B, K, H, W) log probabilities, label (B, H, W).
    """
    weight = class_weights(recipe.class_weights, label.device)[label]
    entropy = -said.gather(1, label.where(label != IGNORE, 0)[:, None])[:, 0]
    count = weight
    if recipe.loss == 'focal':
        weight = weight * (1 - (-entropy).exp()).clamp(min=1e-6) ** recipe.focus
    if recipe.loss == 'ohem':
        known = (entropy.detach() * (label != IGNORE)).flatten(1)
        least = known.topk(max(known.shape[1] // LEAST_HARD, 1)).values[:, -1]
        bar = least.clamp(max=-math.log(max(recipe.hard, 1e-9)))
        weight = count = weight * (entropy >= bar[:, None, None])
    return mean((weight * entropy).sum(), count.sum())


@lru_cache
def class_weights(weights: tuple[float, ...], device: torch.device) -> Tensor:
    """Give weights by label, 0 for all that are no class; made once, as a copy to a GPU waits."""
    table = torch.zeros(256)
    table[: len(weights)] = torch.tensor(weights)
    return table.to(device)


def presence_loss(logits: Tensor, label: Tensor) -> Tensor:
    """Binary cross-entropy of (B, K) against which classes are anywhere in label (B, H, W)."""
    classes = range(logits.shape[1])
    present = torch.stack([(label == k).flatten(1).any(1) for k in classes], 1)
    given = logits.float(), present.float()
    entropy = functional.binary_cross_entropy_with_logits(*given, reduction='sum')
    return mean(entropy, torch.full_like(entropy, logits.numel()))


def soft_iou_loss(said: Tensor, label: Tensor) -> Tensor:
    """
    1 - IoU of the suctionable class over the whole batch, with probabilities for the prediction.

    said (B, K, H, W) log probabilities, label (B, H, W); the pooled IoU is what is reported, and
    cross-entropy alone settles a rare class too low for it.
    """
    p = said[:, SUCTIONABLE].exp() * (label != IGNORE)
    truth = (label == SUCTIONABLE).float()
    common, either = pooled(torch.stack([(p * truth).sum(), p.sum() + truth.sum()])).unbind()
    return 1 - (common + 1) / (either - common + 1)


def mean(total: Tensor, count: Tensor) -> Tensor:
    """Divide pooled sums; 0 where nothing was counted."""
    total, count = pooled(torch.stack([total, count])).unbind()
    return total / count.clamp(min=1e-6)


def pooled(sums: Tensor) -> Tensor:
    """Add the other processes' sums, as constants: gradients flow into this one's alone."""
    if not (distributed.is_initialized() and distributed.get_world_size() > 1):
        return sums
    everyone = sums.detach().clone()
    distributed.all_reduce(everyone)
    return sums + (everyone - sums.detach())
