"""What a step of the optimizer costs, beside AdamW: `pytest papers/ademamix --benchmark-only`."""

import pytest
import torch

from .method import AdEMAMix

SHAPES = ((512, 512),) * 8


@pytest.mark.benchmark(group="ademamix: one step on two million parameters")
@pytest.mark.parametrize("name", ["AdEMAMix", "AdamW"])
def test_step(benchmark, name):
    """Time a step of one of the two optimizers on the same parameters and gradients."""
    parameters = [torch.nn.Parameter(torch.randn(shape)) for shape in SHAPES]
    for parameter in parameters:
        parameter.grad = torch.randn_like(parameter)
    optimizer = AdEMAMix(parameters) if name == "AdEMAMix" else torch.optim.AdamW(parameters)
    before = parameters[0].detach().clone()
    benchmark(optimizer.step)
    assert not torch.equal(parameters[0], before)
