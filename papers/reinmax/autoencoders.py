"""Training of autoencoders with an estimator each, all at once, and their tuning."""

from itertools import product
from typing import Any

import torch
from torch import Tensor

from claimbench import Run, artefact
from common.tuning import pick

from .estimators import sampler
from .vae import CategoricalVAE, images, train

LATENTS = 4  # of the VAE that is trained
EVALUATED = 1000  # images


@artefact
def exact_model(run: Run, *, seed: int, latents: int, steps: int) -> dict[str, Tensor]:
    """A VAE trained with exact gradients, learning rate 0.002."""
    generator = torch.Generator(device=run.device).manual_seed(seed)
    x = images(run.device, run.dtype)
    model = CategoricalVAE(x.shape[1], latents, generator, run.dtype)
    train(model, x, model.exact_loss, rates=[0.002], steps=steps, generator=generator)
    return dict(model.state_dict())


@artefact
def tuned_vae(
    run: Run,
    *,
    arm: str,
    estimator: str,
    steps: int,
    seeds: int,
    rates: list[float],
    taus: list[float],
    pooled: bool,
) -> dict[str, Any]:
    """The setting with the lowest mean negative ELBO over initial networks, one a seed."""
    settings = [{"estimator": estimator, "rate": r, "tau": t} for r, t in product(rates, taus)]
    losses, _ = train_vaes(run, settings, steps, starts=seeds, pooled=pooled)
    table, grid = losses.reshape(len(settings), seeds), {"rate": rates, "tau": taus}
    return {"estimator": estimator, **pick(run, arm, grid, table).setting}


def train_vaes(
    run: Run, settings: list[dict[str, Any]], steps: int, *, pooled: bool, starts: int = 1
) -> tuple[Tensor, tuple[list[int], Tensor]]:
    """Train with every setting from every start at once, on the same batches.

    Args:
        run: its seed decides starts, batches and draws.
        settings: estimator, learning rate and temperature.
        steps: of Adam.
        pooled: images of 14 by 14 pixels instead of 28 by 28.
        starts: initial networks.

    Returns:
        The negative ELBO after training, in nats, shape (settings · starts), starts following one
        another, and the loss on the way, as `train` returns it.
    """
    start = torch.Generator(device=run.device).manual_seed(run.seed)
    draws = torch.Generator(device=run.device).manual_seed(run.seed + 1)
    x = images(run.device, run.dtype, pooled=pooled)
    model = CategoricalVAE(
        x.shape[1], LATENTS, start, run.dtype, starts=starts, copies=len(settings)
    )

    def sample(theta: Tensor) -> tuple[Tensor, Tensor]:
        pairs = [
            sampler(setting["estimator"])(part, setting["tau"], draws)
            for setting, part in zip(settings, theta.split(starts), strict=True)
        ]
        hard, soft = zip(*pairs, strict=True)
        return torch.cat(hard), torch.cat(soft)

    curve = train(
        model,
        x,
        lambda batch: model.loss(batch, sample),
        rates=[setting["rate"] for setting in settings for _ in range(starts)],
        steps=steps,
        generator=start,
        progress=run.progress,
    )
    with torch.no_grad():
        parts = x[:: len(x) // EVALUATED].split(EVALUATED // 4)  # bounds the memory
        return torch.stack([model.exact_loss(part) for part in parts]).mean(0), curve
