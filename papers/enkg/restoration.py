"""Restoring small images with a trained denoiser: EnKG, EKI, and samples of the prior."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from claimbench import Run, artefact
from common.diffusion import Denoiser, psnr
from common.images import pixels
from common.tuning import pick

from .flows import calls
from .method import SIGMA_MAX, clean_estimate, correction, enkg

SIDE = 14
SCALES = (0.25, 0.5, 1.0, 2.0, 4.0)  # of guidance, for EnKG and EKI
TUNED_ON = 100  # of the held-out images; the others are restored
DENOISER = Denoiser(SIDE**2)


def averaged(x: Tensor) -> Tensor:
    """Return averages over 2×2 pixels, (..., 49)."""
    grid = x.reshape(*x.shape[:-1], SIDE // 2, 2, SIDE // 2, 2)
    return grid.mean(dim=(-3, -1)).flatten(start_dim=-2)


def mean_psnr(x: Tensor, target: Tensor) -> float:
    """Return the mean over particles and images, in dB; −∞ where a pixel is not a number."""
    return psnr(x, target).mean().nan_to_num(nan=-math.inf).item()


@dataclass(frozen=True)
class Task:
    """A way to damage images, and the mean PSNR of two ways to restore them, in dB."""

    name: str
    damage: Callable[[Tensor], Tensor]
    target: Tensor
    denoise: Callable[[Tensor, float], Tensor]
    steps: int

    def misfit(self, y: Tensor) -> Tensor:
        """Return predictions less the observation."""
        return y - self.damage(self.target)

    def enkg(self, start: Tensor, w: float, updates: int) -> float:
        """Restore from noise."""
        x = enkg(
            start, self.denoise, self.damage, self.misfit, w=w, steps=self.steps, updates=updates
        )
        return mean_psnr(x, self.target)

    def eki(self, x: Tensor, w: float) -> float:
        """Correct samples of the prior, with EnKG's step length and as many forward calls."""
        for _ in range(calls(1, self.steps)):
            y = self.damage(x)
            x = correction(x, y, self.misfit(y), w)
        return mean_psnr(x, self.target)


def restoration(
    run: Run, rows: slice, *, particles: int, steps: int, images: int, training: int
) -> tuple[list[Task], Tensor, Tensor]:
    """Return the tasks on random held-out images, EnKG's start, and samples of the prior."""
    prior = run.artefact(denoiser, training=training)
    weights = [prior[f"weight{i}"].to(run.device) for i in range(6)]
    generator = run.torch_generator()
    other = torch.Generator(run.device).manual_seed(run.seed)
    normal = partial(torch.randn, generator=other, dtype=run.dtype, device=run.device)
    held_out = prior["held_out"].to(run.device)[rows]
    order = torch.randperm(len(held_out), generator=generator, device=run.device)
    truth = held_out[order[:images]]
    mask = torch.randperm(truth.shape[-1], generator=generator, device=run.device)[:98]

    def denoise(x: Tensor, sigma: float) -> Tensor:
        return DENOISER(weights, x, torch.full((1,), sigma).to(x))

    shape = (images, particles, truth.shape[-1])
    start, noise = SIGMA_MAX * normal(*shape), SIGMA_MAX * normal(*shape)
    damages: dict[str, Callable[[Tensor], Tensor]] = {
        "superresolution": averaged,
        "inpainting": lambda x: x[..., mask],
    }
    tasks = [Task(n, damage, truth[:, None], denoise, steps) for n, damage in damages.items()]
    return tasks, start, clean_estimate(noise, denoise, SIGMA_MAX, steps)


@artefact
def restoration_scales(
    run: Run, *, particles: int, steps: int, images: int, training: int
) -> dict[str, float]:
    """For EnKG and EKI, in each task, the best of five scales on images that no claim uses."""
    tasks, samples, rivals = restoration(
        run, slice(TUNED_ON), particles=particles, steps=steps, images=images, training=training
    )
    found = {}
    for task in tasks:
        arms = {"EnKG": partial(task.enkg, samples, updates=2), "EKI": partial(task.eki, rivals)}
        for name, restored in arms.items():
            arm = f"{name} {task.name}"
            scores = [restored(w=w) for w in SCALES]
            found[arm] = pick(run, arm, {"w": SCALES}, scores, higher=True).setting["w"]
    return found


@artefact
def denoiser(run: Run, *, training: int) -> dict[str, Tensor]:
    """A denoiser trained on the first 20,000 images, and the last 1,000, which it has not seen."""
    like = torch.zeros(1, dtype=run.dtype, device=run.device)
    everything = torch.as_tensor(2 * pixels("fashion_mnist", pool=2) - 1).to(like)
    weights = DENOISER.train(everything[:20_000], training, run.torch_generator())
    out = {f"weight{i}": w for i, w in enumerate(weights)}
    return {**out, "held_out": everything[-1000:].clone()}
