"""The denoiser: its limits, its loss, and that training finds the best denoiser of a Gaussian."""

import pytest
import torch

from common.diffusion import Denoiser, psnr


def generator():
    return torch.Generator().manual_seed(6)


def test_untrained_denoiser_shrinks_as_for_independent_pixels():
    net = Denoiser(pixels=3, width=8, sigma_data=0.5)
    x = torch.randn(2, 4, 3, generator=generator(), dtype=torch.float64)
    sigma = torch.tensor([[[0.5]], [[2.0]]], dtype=torch.float64)
    weights = net.initial(generator(), x)
    shrunk = torch.stack([x[0] / 2, x[1] * 0.25 / 4.25])
    torch.testing.assert_close(net(weights, x, sigma), shrunk)


def test_weight_of_a_level_makes_its_loss_the_error_of_the_network_itself():
    net = Denoiser(pixels=2, width=4, sigma_data=0.5)
    x = torch.randn(5, 2, generator=generator(), dtype=torch.float64)
    sigma = torch.tensor([[0.1], [0.5], [1.0], [3.0], [9.0]], dtype=torch.float64)
    noisy = x + sigma * torch.randn(x.shape, generator=generator(), dtype=torch.float64).flip(0)
    weights = net.initial(generator(), x)
    with torch.no_grad():
        weights[-1] += torch.tensor([0.3, -0.2], dtype=torch.float64)  # what the network gives
    total = (sigma**2 + 0.25).sqrt()
    wanted = (x - 0.25 / total**2 * noisy) / (0.5 * sigma / total)
    expected = (weights[-1].detach() - wanted).square().mean()
    torch.testing.assert_close(net.loss(weights, x, noisy, sigma).detach(), expected)


def test_training_comes_near_the_best_denoiser_of_a_gaussian():
    # pixels are (z, −z): the noise's part along (1, 1) can be taken away
    z = 0.7 * torch.randn(2000, 1, generator=generator())
    clean = torch.cat([z, -z], dim=1)
    net = Denoiser(pixels=2, width=64)
    weights = net.train(clean, 400, generator(), batch=128, rate=3e-3)
    noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(9))
    noisy = clean + 0.5 * noise
    shrink = 0.49 / (0.49 + 0.125)
    best = shrink * (noisy[:, :1] - noisy[:, 1:]) / 2
    ideal = (torch.cat([best, -best], dim=1) - clean).square().mean()
    found = (net(weights, noisy, torch.full((2000, 1), 0.5)) - clean).square().mean()
    untrained = 0.49 / (0.49 + 0.25)
    assert found < 1.1 * ideal
    assert (untrained * noisy - clean).square().mean() > 1.4 * ideal
    assert not any(w.requires_grad for w in weights)


def test_psnr_by_hand_with_clipping():
    # clipped to (1, 0): squared errors 0.25 and 0.01 of a range of 2 squared
    found = psnr(torch.tensor([3.0, 0.1]), torch.tensor([0.5, 0.0]))
    assert found.item() == pytest.approx(-10 * torch.tensor(0.13 / 4).log10().item(), rel=1e-5)
    unit = psnr(torch.tensor([[0.5, 0.2]]), torch.tensor([[0.1, 0.2]]), low=0.0, high=1.0)
    assert unit.tolist() == pytest.approx([-10 * torch.tensor(0.08).log10().item()], rel=1e-5)
