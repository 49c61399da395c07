import math

import pytest
from rganet_ros.training.config import Recipe
from rganet_ros.training.losses import log_probabilities, loss, pixel_loss, soft_iou_loss
import torch
from torch.nn import functional


def sure_of(label, classes=3):
    return 40.0 * torch.nn.functional.one_hot(label.clamp(max=classes - 1), classes).permute(
        0, 3, 1, 2
    )


def answers(seed=0):
    """Random log probabilities (2, 3, 16, 16), and labels of which some are ignored."""
    generator = torch.Generator().manual_seed(seed)
    said = log_probabilities(2 * torch.randn(2, 3, 16, 16, generator=generator))
    label = torch.randint(0, 3, (2, 16, 16), generator=generator)
    label[:, :3] = 255
    return said, label


def test_cross_entropy_is_torchs_and_a_focal_loss_without_focus():
    said, label = answers()
    weights = torch.tensor([0.25, 0.25, 0.5])
    expected = functional.nll_loss(said, label, weights, ignore_index=255)
    for recipe in (
        Recipe(class_weights=(0.25, 0.25, 0.5)),
        Recipe(class_weights=(0.25, 0.25, 0.5), loss='focal', focus=0.0),
    ):
        assert torch.allclose(pixel_loss(said, label, recipe), expected)


def test_focal_is_what_a_plain_loop_says():
    said, label = answers()
    weights, total, count = (0.25, 0.25, 0.5), 0.0, 0.0
    for b, y, x in torch.nonzero(label != 255).tolist():
        k = int(label[b, y, x])
        p = said[b, k, y, x].exp().item()
        total -= weights[k] * (1 - p) ** 1.3 * math.log(p)
        count += weights[k]
    found = pixel_loss(said, label, Recipe(class_weights=weights, loss='focal', focus=1.3))
    assert found.item() == pytest.approx(total / count, rel=1e-5)


def test_ohem_counts_hard_pixels_alone_but_some_of_each_picture():
    said, label = answers()
    said[1] = log_probabilities(sure_of(label[1:]))[0]  # a picture that is easy throughout
    recipe = Recipe(class_weights=(1.0, 1.0, 1.0), loss='ohem', hard=0.7)
    truth = said.gather(1, label.where(label != 255, 0)[:, None])[:, 0]
    hard = (truth[0] <= math.log(0.7)) & (label[0] != 255)
    entropy = -truth[0][hard].double()
    found = pixel_loss(said[:1], label[:1], recipe).item()
    assert found == pytest.approx(entropy.mean().item(), rel=1e-5)
    both = pixel_loss(said, label, recipe).item()
    easy = 13 * 16  # labelled pixels, all alike: none may be left out as less hard than another
    assert both == pytest.approx(entropy.sum().item() / (len(entropy) + easy), rel=1e-4)


def test_soft_iou_of_sure_answers_is_the_iou():
    truth = torch.zeros(1, 20, 20, dtype=torch.long)
    truth[:, :10] = 2
    said = torch.zeros_like(truth)
    said[:, 5:15] = 2
    assert (
        1 - soft_iou_loss(log_probabilities(sure_of(said)), truth) - (100 + 1) / (300 + 1)
    ).abs() < 1e-6
    assert soft_iou_loss(log_probabilities(sure_of(truth)), truth).abs() < 1e-6


def test_ignored_pixels_count_nowhere():
    truth = torch.randint(0, 3, (2, 16, 16), generator=torch.Generator().manual_seed(0))
    logits = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    ignored = truth.clone()
    ignored[:, :8] = 255
    changed = logits.clone()
    changed[:, :, :8] += 5 * torch.randn(2, 3, 8, 16)
    recipe = Recipe()
    first, second = (loss({'logits': x}, ignored, recipe) for x in (logits, changed))
    assert torch.allclose(first, second)
    assert not torch.allclose(first, loss({'logits': logits}, truth, recipe))


def test_auxiliary_heads_add_their_share():
    truth = torch.zeros(1, 8, 8, dtype=torch.long)
    logits = torch.zeros(1, 3, 8, 8)
    recipe = Recipe(auxiliary=0.25)
    alone = loss({'logits': logits}, truth, recipe)
    both = loss({'logits': logits, 'aux32': logits, 'aux64': logits}, truth, recipe)
    assert torch.allclose(both - alone, 0.5 * torch.log(torch.tensor(3.0)))


def test_presence_is_of_whole_pictures():
    truth = torch.zeros(2, 8, 8, dtype=torch.long)
    truth[0, 3, 3], truth[1, :4] = 2, 255
    right = torch.tensor([[9.0, -9.0, 9.0], [9.0, -9.0, -9.0]])
    maps = {'logits': torch.zeros(2, 3, 8, 8)}
    alone = loss(maps, truth, Recipe())
    wrong = loss(maps | {'aux_presence': -right}, truth, Recipe(presence=0.5))
    assert (loss(maps | {'aux_presence': right}, truth, Recipe()) - alone).abs() < 1e-3
    assert (wrong - alone - 0.5 * 9).abs() < 1e-2
