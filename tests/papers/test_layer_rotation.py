"""What Layca does as an optimizer of torch, beyond what its claims measure."""

import math

import pytest
import torch

from papers.layer_rotation.method import Layca, layer_rotation


def convolution() -> torch.nn.Sequential:
    torch.manual_seed(3)
    return torch.nn.Sequential(torch.nn.Conv2d(2, 3, 3), torch.nn.Flatten(), torch.nn.LazyLinear(2))


def test_kernels_of_convolutions_turn_and_a_scheduler_sets_the_angle():
    net = convolution()
    x, y = torch.randn(7, 2, 5, 5), torch.randn(7, 2)
    net(x)
    layca = Layca(torch.optim.Adam(net.parameters(), lr=0.5))
    scheduler = torch.optim.lr_scheduler.StepLR(layca, step_size=1, gamma=0.1)
    for rho in (0.5, 0.05):
        before = [p.detach().clone() for p in net.parameters()]
        layca.zero_grad()
        (net(x) - y).square().mean().backward()
        layca.step()
        scheduler.step()
        for old, p in zip(before, net.parameters(), strict=True):
            if p.dim() == 1:
                assert torch.equal(old, p)
                continue
            distance = layer_rotation(old.flatten(1), p.detach().flatten(1)).item()
            assert distance == pytest.approx(1 - 1 / math.sqrt(1 + rho**2), abs=1e-6)
            assert p.norm().item() == pytest.approx(old.norm().item(), rel=1e-6)


def test_a_layer_without_a_gradient_stays_where_it_is():
    w = torch.nn.Parameter(torch.randn(3, 4))
    start = w.detach().clone()
    layca = Layca(torch.optim.SGD([w], lr=0.1))
    layca.step()
    w.grad = torch.zeros_like(w)
    layca.step()
    assert torch.allclose(w, start, rtol=1e-6)


def test_a_kernel_of_zeros_is_refused():
    with pytest.raises(ValueError, match="a kernel of zeros has no direction"):
        Layca(torch.optim.SGD([torch.zeros(2, 3, requires_grad=True)], lr=0.1))
