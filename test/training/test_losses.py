from rganet_ros.training.config import Recipe
from rganet_ros.training.losses import log_probabilities, loss, soft_iou_loss
import torch


def sure_of(label, classes=3):
    return 40.0 * torch.nn.functional.one_hot(label.clamp(max=classes - 1), classes).permute(
        0, 3, 1, 2
    )


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
