"""What is minimised."""

from __future__ import annotations

from rganet_ros.training.augment import IGNORE
from rganet_ros.training.config import Recipe
from rganet_ros.types import SUCTIONABLE
import torch
from torch import Tensor
from torch.nn import functional


def loss(outputs: dict[str, Tensor], label: Tensor, recipe: Recipe) -> Tensor:
    """
    Sum up: weighted cross-entropy of all heads, and 1 - soft IoU of the main one.

    outputs  of a training network: maps, or (B, K) logits of which classes a picture has
    label    (B, H, W) class ids, 255 ignored

    Auxiliary heads are coarse: every fourth pixel of theirs will do, and is a tenth of a step.
    """
    weights = torch.tensor(recipe.class_weights, device=label.device)
    said = log_probabilities(outputs['logits'])
    total = functional.nll_loss(said, label, weights, ignore_index=IGNORE)
    total = total + recipe.overlap * soft_iou_loss(said, label)
    for name, logits in outputs.items():
        if name.startswith('aux') and logits.ndim == 2:
            total = total + recipe.presence * presence_loss(logits, label)
        elif name.startswith('aux'):
            said = log_probabilities(logits[..., ::4, ::4])
            entropy = functional.nll_loss(said, label[:, ::4, ::4], weights, ignore_index=IGNORE)
            total = total + recipe.auxiliary * entropy
    return total


def log_probabilities(logits: Tensor) -> Tensor:
    """Give log softmax in float32, by planes: classes innermost is slow."""
    return logits.float().contiguous().log_softmax(1)


def presence_loss(logits: Tensor, label: Tensor) -> Tensor:
    """Binary cross-entropy of (B, K) against which classes are anywhere in label (B, H, W)."""
    classes = torch.arange(logits.shape[1], device=label.device)
    present = (label.flatten(1)[..., None] == classes).any(1)
    return functional.binary_cross_entropy_with_logits(logits.float(), present.float())


def soft_iou_loss(said: Tensor, label: Tensor) -> Tensor:
    """
    1 - IoU of the suctionable class over the whole batch, with probabilities for the prediction.

    said (B, K, H, W) log probabilities, label (B, H, W); the pooled IoU is what is reported, and
    cross-entropy alone settles a rare class too low for it.
    """
    p = said[:, SUCTIONABLE].exp() * (label != IGNORE)
    truth = (label == SUCTIONABLE).float()
    common = (p * truth).sum()
    return 1 - (common + 1) / (p.sum() + truth.sum() - common + 1)
