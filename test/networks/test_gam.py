"""The forms of the GAM are one: outputs, gradients and running statistics."""

import copy

from lively import lively
import pytest
from rganet_ros.networks.gam import GAM
import torch


@pytest.fixture(params=['sigmoid', 'softmax'])
def gam(request):
    torch.manual_seed(3)
    return lively(GAM(5, (8, 12), request.param)).double()


def volume(batch=3):
    return torch.randn(batch, 5, 8, 12, dtype=torch.float64)


def test_forms_agree_while_evaluating(gam):
    gam.eval()
    x = volume()
    gam.form = 'published'
    gate, normed = gam(x)
    gam.form = 'reductions'
    again, normed_again = gam(x)
    assert (gate - again).abs().max() < 1e-10
    assert torch.equal(normed, normed_again)
    assert gate.std() > 1e-3


def test_forms_train_alike(gam):
    gam.train()
    x, other = volume(), copy.deepcopy(gam)
    gam.form, other.form = 'published', 'reductions'
    target = torch.randn(3, 5, 8, 12, dtype=torch.float64)
    found = []
    for each in (gam, other):
        given = x.clone().requires_grad_()
        gate, normed = each(given)
        (gate * normed * target).sum().backward()
        found.append((gate, given.grad, each))
    assert (found[0][0] - found[1][0]).abs().max() < 1e-10
    assert (found[0][1] - found[1][1]).abs().max() < 1e-10
    for (name, one), two in zip(gam.named_parameters(), other.parameters()):
        assert one.grad is not None, name
        assert (one.grad - two.grad).abs().max() < 1e-10, name
    for (name, one), two in zip(gam.named_buffers(), other.buffers()):
        assert torch.allclose(one.double(), two.double(), rtol=0, atol=1e-10), name


def test_the_shared_norm_sees_both_correlations(gam):
    gam.train()(volume())
    assert gam.norm_both.num_batches_tracked == 2
    assert gam.norm_joined.num_batches_tracked == 1


def test_a_gam_written_out(gam):
    """One output value, summed by hand from the definition in the module's docstring."""
    gam.eval()
    gam.form = 'published'
    x = volume(1)
    gate, normed = gam(x)
    n = normed[0]

    def norm(part, value, channel):
        scale = 1 / (part.running_var[channel] + part.eps).sqrt()
        value = (value - part.running_mean[channel]) * scale
        return value * part.weight[channel] + part.bias[channel] if part.affine else value

    h, w, joined = 2, 7, []
    for c in range(5):
        qc = (n[:, h, w] * gam.qc.weight[w, 0, :, 0]).sum() + gam.qc.bias[w]
        qh = (n[c, :, w] * gam.qh.weight[w, 0, 0]).sum() + gam.qh.bias[w]
        joined.append(norm(gam.norm_qc, qc, w) * norm(gam.norm_qh, qh, w))
    for c in range(5):
        kv = (n[c, h] * gam.kv.weight[h, 0, :, 0]).sum() + gam.kv.bias[h]
        kc = (n[:, h, w] * gam.kc.weight[h, 0, 0]).sum() + gam.kc.bias[h]
        joined.append(norm(gam.norm_kv, kv, h) * norm(gam.norm_kc, kc, h))
    joined = [norm(gam.norm_both, value, i % 5) for i, value in enumerate(joined)]
    joined = torch.stack([norm(gam.norm_joined, value, i) for i, value in enumerate(joined)])
    y = gam.aggregate.weight[:, :, 0, 0] @ joined
    y = torch.stack([norm(gam.norm_aggregate, value, c) for c, value in enumerate(y)])
    y = y * y.sigmoid()
    expected = y.sigmoid() if gam.gate == 'sigmoid' else y.softmax(0)
    assert (gate[0, :, h, w] - expected).abs().max() < 1e-10
