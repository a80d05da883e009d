"""Each update against torch.optim over several steps, with one optimizer a run."""

from typing import Any

import pytest
import torch

from common.updates import adagrad, adam, adamw, amsgrad, rmsprop, sgd

RATES = [0.03, 0.2, 0.001]


def generator():
    return torch.Generator().manual_seed(5)


def gradients(steps):
    """Return gradients that shrink, so that a largest second moment is not the latest."""
    draws = torch.randn(steps, 3, 6, generator=generator(), dtype=torch.float64)
    return draws * torch.linspace(2, 0.1, steps, dtype=torch.float64)[:, None, None]


CASES: dict[str, tuple[Any, Any, dict[str, Any], dict[str, Any]]] = {
    "sgd": (sgd, torch.optim.SGD, {}, {}),
    "momentum": (
        sgd,
        torch.optim.SGD,
        {"momentum": 0.8, "decay": 0.1},
        {"momentum": 0.8, "weight_decay": 0.1},
    ),
    "nesterov": (
        sgd,
        torch.optim.SGD,
        {"momentum": 0.8, "nesterov": True, "decay": 0.1},
        {"momentum": 0.8, "nesterov": True, "weight_decay": 0.1},
    ),
    "adam": (
        adam,
        torch.optim.Adam,
        {"beta1": 0.8, "beta2": 0.9, "epsilon": 1e-3, "decay": 0.1},
        {"betas": (0.8, 0.9), "eps": 1e-3, "weight_decay": 0.1},
    ),
    "adam by default": (adam, torch.optim.Adam, {}, {}),
    "adamw": (
        adamw,
        torch.optim.AdamW,
        {"beta1": 0.8, "decay": 0.3},
        {"betas": (0.8, 0.999), "weight_decay": 0.3},
    ),
    "adamw by default": (adamw, torch.optim.AdamW, {}, {}),
    "amsgrad": (
        amsgrad,
        torch.optim.Adam,
        {"beta2": 0.7, "decay": 0.1},
        {"betas": (0.9, 0.7), "weight_decay": 0.1, "amsgrad": True},
    ),
    "amsgrad by default": (amsgrad, torch.optim.Adam, {}, {"amsgrad": True}),
    "rmsprop": (
        rmsprop,
        torch.optim.RMSprop,
        {"alpha": 0.9, "momentum": 0.5, "epsilon": 1e-3, "decay": 0.1},
        {"alpha": 0.9, "momentum": 0.5, "eps": 1e-3, "weight_decay": 0.1},
    ),
    "rmsprop by default": (rmsprop, torch.optim.RMSprop, {}, {}),
    "adagrad": (
        adagrad,
        torch.optim.Adagrad,
        {"epsilon": 1e-2, "decay": 0.1},
        {"eps": 1e-2, "weight_decay": 0.1},
    ),
    "adagrad by default": (adagrad, torch.optim.Adagrad, {}, {}),
}


@pytest.mark.parametrize("case", CASES)
def test_update_equals_torch_to_rounding_with_a_rate_for_each_run(case):
    make, theirs, ours_options, their_options = CASES[case]
    theta = torch.randn(3, 6, generator=generator(), dtype=torch.float64)
    rows = [row.clone().requires_grad_() for row in theta]
    optimizers = [theirs([row], lr=r, **their_options) for row, r in zip(rows, RATES, strict=True)]
    update, rate = make(**ours_options), torch.tensor(RATES, dtype=torch.float64)[:, None]
    for step, g in enumerate(gradients(8)):
        factor = 1 - step / 10  # rates may change from step to step
        theta = update(theta, g, rate * factor)
        for row, part, optimizer, r in zip(rows, g, optimizers, RATES, strict=True):
            row.grad, optimizer.param_groups[0]["lr"] = part.clone(), r * factor
            optimizer.step()
        torch.testing.assert_close(theta, torch.stack(rows).detach(), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(
    ("make", "options"),
    [
        (sgd, {"momentum": [0.9, 0.1, 0.5], "decay": [0, 0.1, 0.5], "nesterov": True}),
        (adam, {"beta1": [0.9, 0.0, 0.5], "beta2": [0.99, 0.5, 0.9], "decay": [0, 0.1, 0.5]}),
        (adamw, {"decay": [0, 0.1, 0.5]}),
        (rmsprop, {"alpha": [0.9, 0.5, 0.99], "momentum": [0, 0.5, 0.9]}),
    ],
)
def test_other_hyperparameters_may_differ_from_run_to_run(make, options):
    theta = torch.randn(3, 6, generator=generator(), dtype=torch.float64)
    rate = torch.full((3, 1), 0.1, dtype=torch.float64)
    values = {k: v if isinstance(v, bool) else list(v) for k, v in options.items()}
    singles = [
        make(**{k: v if isinstance(v, bool) else v[i] for k, v in values.items()}) for i in range(3)
    ]
    together, alone = theta, list(theta.split(1))
    update = make(**values)
    for g in gradients(4):
        together = update(together, g, rate)
        parts = zip(singles, alone, g.split(1), strict=True)
        alone = [single(row, part, rate[:1]) for single, row, part in parts]
    torch.testing.assert_close(together, torch.cat(alone), rtol=1e-13, atol=1e-14)


def test_arguments_stay_as_they_are():
    theta, g = torch.ones(2, 3), torch.full((2, 3), 0.5)
    for make in (sgd, adam, rmsprop, adagrad):
        update = make(decay=0.1)
        first = update(theta, g, torch.ones(2, 1))
        kept = first.clone()
        update(first, g, torch.ones(2, 1))
        assert torch.equal(first, kept)
    assert torch.equal(theta, torch.ones(2, 3))
    assert torch.equal(g, torch.full((2, 3), 0.5))
