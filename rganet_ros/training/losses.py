"""What is minimised."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from rganet_ros.training.augment import IGNORE
from rganet_ros.training.config import Recipe
from rganet_ros.types import SUCTIONABLE


def loss(outputs: dict[str, Tensor], label: Tensor, recipe: Recipe) -> Tensor:
    """Weighted cross-entropy of all heads, and 1 - soft IoU of the main one."""
    weights = torch.tensor(recipe.class_weights, device=label.device)

    def entropy(logits):
        return functional.cross_entropy(logits.float(), label, weights, ignore_index=IGNORE)

    total = entropy(outputs['logits']) + recipe.overlap * soft_iou_loss(outputs['logits'], label)
    for name, logits in outputs.items():
        if name.startswith('aux'):
            total = total + recipe.auxiliary * entropy(logits)
    return total


def soft_iou_loss(logits: Tensor, label: Tensor) -> Tensor:
    """
    1 - IoU of the suctionable class over the whole batch, with probabilities for the prediction.

    logits (B, K, H, W), label (B, H, W); the pooled IoU is what is reported, and cross-entropy
    alone settles a rare class too low for it.
    """
    counted = label != IGNORE
    p = logits.float().softmax(1)[:, SUCTIONABLE] * counted
    truth = (label == SUCTIONABLE).float()
    common = (p * truth).sum()
    return 1 - (common + 1) / (p.sum() + truth.sum() - common + 1)
