"""Perceptrons of flat parameters against torch's modules, run by run."""

import math
from itertools import pairwise

import pytest
import torch
from torch import nn
from torch.nn.utils import vector_to_parameters

from common import curvature
from common.nets import HE, LECUN, Mlp, accuracy, cross_entropy, glorot, orthogonal, uniform

WIDTHS = (5, 7, 7, 3)
MODULES = {"relu": nn.ReLU, "tanh": nn.Tanh, "gelu": nn.GELU, "silu": nn.SiLU}


def generator():
    return torch.Generator().manual_seed(3)


def start(net, runs=4):
    theta = net.initial(generator(), runs, dtype=torch.float64)
    return theta + 0.1 * torch.randn(theta.shape, generator=generator(), dtype=torch.float64)


def rows(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(8), dtype=torch.float64)


def module(net, theta, x):
    """Return what a torch network of these parameters gives."""
    linear = [nn.Linear(m, n, bias=net.bias, dtype=theta.dtype) for m, n in pairwise(net.widths)]
    vector_to_parameters(theta, (p for layer in linear for p in layer.parameters()))
    h = x
    for layer in linear[:-1]:
        z = layer(h)
        if net.norm == "batch":
            z = nn.BatchNorm1d(z.shape[-1], eps=net.epsilon, affine=False, dtype=z.dtype)(z)
        if net.norm == "layer":
            z = nn.LayerNorm(z.shape[-1], eps=net.epsilon, dtype=z.dtype)(z)
        a = MODULES[net.act]()(z)
        h = h + a if net.residual and a.shape == h.shape else a
    return linear[-1](h)


@pytest.mark.parametrize(
    "net",
    [
        Mlp(WIDTHS),
        Mlp(WIDTHS, "tanh", bias=False),
        Mlp(WIDTHS, "gelu", norm="batch", epsilon=1e-3),
        Mlp(WIDTHS, "silu", norm="layer", residual=True),
        Mlp(WIDTHS, "tanh", residual=True),
        Mlp((5, 3)),
    ],
    ids=str,
)
def test_logits_of_each_run_equal_those_of_torch_modules(net):
    theta, x = start(net), rows(6, 5)
    assert theta.shape == (4, net.size)
    expected = torch.stack([module(net, row, x) for row in theta])
    torch.testing.assert_close(net.logits(theta, x), expected)
    torch.testing.assert_close(net.logits(theta[1], x), expected[1])
    own = rows(4, 6, 5)
    expected = torch.stack([module(net, row, part) for row, part in zip(theta, own, strict=True)])
    torch.testing.assert_close(net.logits(theta, own), expected)


def test_batch_norm_uses_the_moments_it_is_given():
    net = Mlp(WIDTHS, norm="batch")
    theta, x = start(net), rows(20, 5)
    moments = net.moments(theta, x)
    whole = net.logits(theta, x)
    torch.testing.assert_close(net.logits(theta, x[:3], moments), whole[:, :3])
    assert not torch.allclose(net.logits(theta, x[:3]), whole[:, :3])


def test_layers_are_views_in_the_order_of_the_vector_and_hidden_ends_before_the_last():
    net = Mlp((2, 3, 1))
    theta = torch.arange(13.0).repeat(2, 1)
    (w1, b1), (w2, b2) = net.layers(theta)
    assert w1[1].tolist() == [[0, 1], [2, 3], [4, 5]]
    assert b1 is not None
    assert b2 is not None
    assert b1[0].tolist() == [6, 7, 8]
    assert (w2[0].tolist(), b2[0].tolist()) == ([[9, 10, 11]], [12])
    assert [w.tolist() for w in net.weights(theta)] == [w1.tolist(), w2.tolist()]
    (hidden,) = net.hidden(theta, torch.tensor([[1.0, -1.0]]))
    assert hidden[0].tolist() == [[5, 6, 7]]
    w1 += 1
    assert theta[0, 0] == 1


def test_loss_and_accuracy_by_hand():
    logits = torch.tensor([[[0.0, math.log(3)], [0.0, 0.0]], [[5.0, 5.0], [1.0, 0.0]]])
    y = torch.tensor([1, 0])
    second = (math.log(2) + math.log(1 + math.exp(-1))) / 2
    expected = torch.tensor([(math.log(4 / 3) + math.log(2)) / 2, second])
    torch.testing.assert_close(cross_entropy(logits, y), expected)
    assert accuracy(logits, y).tolist() == [1, 0.5]
    assert accuracy(logits, torch.tensor([[1, 1], [0, 1]])).tolist() == [0.5, 0.5]
    three = torch.tensor([[0.0, 1.0, 9.0], [5.0, 2.0, 3.0]])
    assert accuracy(three, torch.tensor([2, 0])).item() == 1


def test_curvature_takes_the_loss():
    net = Mlp((5, 3, 2), "tanh")
    theta, x, y = start(net, 2), rows(9, 5), torch.arange(9) % 2
    hessian = curvature.hessian(lambda w: net.loss(w, x, y), theta)
    expected = torch.autograd.functional.hessian(lambda w: net.loss(w, x, y), theta[1])
    torch.testing.assert_close(hessian[1], expected)


@pytest.mark.parametrize(
    ("draw", "variance"), [(HE, 2 / 60), (LECUN, 1 / 60), (glorot, 2 / 110), (uniform, 1 / 180)]
)
def test_initial_weights_have_their_variance_and_the_last_layer_its_factor(draw, variance):
    net = Mlp((60, 50, 40))
    theta = net.initial(generator(), 20, draw=draw, output=0.0)
    (first, bias), (last, _) = net.layers(theta)
    assert first.var().item() == pytest.approx(variance, rel=0.02)
    assert first.mean().item() == pytest.approx(0, abs=0.02 * variance**0.5)
    assert not last.any()
    assert bias is not None
    assert bias.var().item() == pytest.approx(variance if draw is uniform else 0, rel=0.1)
    assert not torch.equal(first[0], first[1])


@pytest.mark.parametrize("widths", [(9, 4), (4, 9)])
def test_orthogonal_weights_are_orthonormal_on_the_shorter_side_with_signs_of_both_kinds(widths):
    net = Mlp(widths, bias=False)
    ((w, _),) = net.layers(net.initial(generator(), 60, dtype=torch.float64, draw=orthogonal))
    small = w @ w.mT if widths[1] == 4 else w.mT @ w
    torch.testing.assert_close(small, torch.eye(4, dtype=torch.float64).expand(60, 4, 4))
    # QR without the correction has one sign on the diagonal alone
    assert 0.3 < (w[:, 0, 0] > 0).double().mean().item() < 0.7
