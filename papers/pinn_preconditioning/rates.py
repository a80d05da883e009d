"""Learning rates, each side of a comparison tuned on starts of its own."""

from typing import Any

import torch

from claimbench import Run, artefact
from common.tuning import pick

from .descent import Linear, descend, differentiated, floored
from .models import LAMBDA, FeatureNetwork, mixed_sines, normal, scaling

FRACTIONS = (0.03, 0.1, 0.3, 0.6, 0.9, 0.99)  # learning rates, in units of 2/λmax(A)
RATES = (3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2)  # of networks
TUNING_STARTS = 3


@artefact
def feature_rate(run: Run, *, modes: int, power: float, steps: int) -> Any:
    """The fraction of 2/λmax with the lowest loss for features scaled by 1/|k|^power."""
    p = scaling(modes, 1.0, power).to(run.device)
    problem = Linear.poisson(run, p, LAMBDA, mixed_sines)
    start = normal(run, len(p)) / p
    fractions = torch.tensor(FRACTIONS, dtype=run.dtype, device=run.device)
    rates = fractions * 2 / problem.eigenvalues()[-1]
    curve = descend(problem.value_and_gradient, start.expand(len(rates), -1), rates, steps)
    name = f"linear in features scaled by 1/k^{power:g}"
    grid = {"2/λmax times": FRACTIONS}
    return pick(run, name, grid, floored(curve[-1], curve[0])).setting["2/λmax times"]


@artefact
def network_rate(run: Run, *, modes: int, power: float, steps: int) -> Any:
    """The learning rate whose worst loss, of three starts, is lowest."""
    network = FeatureNetwork(run, scaling(modes, 1.0, power).to(run.device, run.dtype))
    rates = torch.tensor(RATES, dtype=run.dtype, device=run.device)
    theta = network.init(run, TUNING_STARTS).repeat(len(rates), 1)
    curve = descend(
        differentiated(network.loss), theta, rates.repeat_interleave(TUNING_STARTS), steps
    )
    worst = floored(curve[-1], curve[0]).unflatten(0, (len(rates), -1)).amax(-1)
    return pick(run, f"network on features scaled by 1/k^{power:g}", {"lr": RATES}, worst).setting[
        "lr"
    ]
