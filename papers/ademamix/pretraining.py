"""AdamW and AdEMAMix on language models: tuned at equal cost, AdamW at several lengths."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import torch

from claimbench import Run, artefact
from common.comparison import steps_to_match
from common.language import Curve, Language, MakeOptimizer
from common.tuning import pick, settings

from .method import AdEMAMix
from .probes import BETA2

DECAY = 0.1  # λ, Table 2
LENGTHS = (1.0, 1.25, 1.5, 2.0)  # of AdamW's runs, in units of AdEMAMix's
BETA1 = (0.0, 0.6, 0.9)  # what both optimizers are tuned over besides the learning rate
ALPHA = 5.0  # of the schedule that α's warm-up makes
COSINE, RISING = "cosine", "cosine times 1 + α t/T"


def adamw(beta1: float) -> MakeOptimizer:
    """Return a maker of AdamW."""
    return partial(torch.optim.AdamW, betas=(beta1, BETA2), weight_decay=DECAY, fused=True)


def ademamix(
    beta1: float, alpha: float, beta3: float, alpha_warmup: bool, warmup: int
) -> MakeOptimizer:
    """Return a maker of AdEMAMix, whose β3 and, if so wanted, α warm up over `warmup` steps."""
    return partial(
        AdEMAMix,
        betas=(beta1, BETA2, beta3),
        alpha=alpha,
        beta3_warmup=warmup,
        alpha_warmup=warmup if alpha_warmup else None,
        weight_decay=DECAY,
    )


def rising(share: float) -> float:
    """Return 1 + α t/T, by which α's warm-up multiplies a step where both averages agree."""
    return 1 + ALPHA * share


@artefact
def tuned(
    run: Run,
    *,
    slow: Sequence[Any] | None,
    rising_too: bool = False,
    steps: int,
    rates: list[float],
    windows: int,
) -> dict[str, Any]:
    """The learning rate, β1 and schedule with the lowest held-out loss after T steps.

    Args:
        run: this run.
        slow: α, β3 of AdEMAMix and whether α is warmed up; None for AdamW.
        rising_too: whether the cosine times `rising` is a choice too.
        steps: T.
        rates: learning rates of the grid.
        windows: how many held-out windows the loss is taken over.

    Returns:
        The choice, and all losses in the order of the grid; a run that diverges counts as infinite.
    """
    language, grid = Language(run.device, run.dtype), {"rate": rates, "beta1": BETA1}
    budget = {"steps": steps, "windows": windows}

    def losses(factor: Callable[[float], float] | None = None) -> list[float]:
        found = []
        for setting in settings(grid):
            beta1 = setting["beta1"]
            make = adamw(beta1) if slow is None else ademamix(beta1, *slow, steps)  # type: ignore[call-arg]
            loss, _ = language.pretrain(
                make, rate=setting["rate"], seed=run.seed, factor=factor, **budget
            )
            found.append(loss)
            run.progress(len(found), len(settings(grid)))
        return found

    if not rising_too:
        choice = pick(run, "AdamW" if slow is None else "AdEMAMix", grid, losses())
    else:
        cosine = run.artefact(tuned, slow=None, rates=rates, **budget)["losses"]
        schedules = {"schedule": [COSINE, RISING], **grid}
        choice = pick(run, "AdamW of either schedule", schedules, cosine + losses(rising))
    return {**choice.setting, "losses": choice.scores}


@artefact
def adamw_run(
    run: Run,
    *,
    seed: int,
    length: float,
    steps: int,
    rates: list[float],
    windows: int,
    rising_too: bool = False,
) -> tuple[float, Curve]:
    """AdamW's held-out loss after `length` T steps, and the training losses on the way."""
    budget = {"steps": steps, "rates": rates, "windows": windows}
    choice = run.artefact(tuned, slow=None, rising_too=rising_too, **budget)
    rises = choice.get("schedule") == RISING
    if rising_too and not rises:
        return run.artefact(adamw_run, seed=seed, length=length, **budget)
    return Language(run.device, run.dtype).pretrain(
        adamw(choice["beta1"]),
        rate=choice["rate"],
        steps=round(length * steps),
        seed=seed,
        windows=windows,
        factor=rising if rises else None,
    )


class Matched(NamedTuple):
    """AdamW against a loss: steps that bring it there, in units of T, loss at T, and curves."""

    steps: float
    loss: float
    curves: dict[float, Curve]


def adamw_to_match(run: Run, loss: float, **options: Any) -> Matched:
    """Train AdamW longer and longer, each length anew, until one run is as good as `loss`.

    `options`: of `adamw_run`.
    """
    losses, curves = [], {}
    for length in LENGTHS:
        found, curves[length] = run.artefact(adamw_run, seed=run.seed, length=length, **options)
        losses.append(found)
        if found <= loss:
            break
    return Matched(steps_to_match(loss, LENGTHS[: len(losses)], losses), losses[0], curves)


@artefact
def adamw_gains(
    run: Run, *, rate: float, before: int, after: int, batches: int, seed: int
) -> tuple[list[int], list[float]]:
    """AdamW's side of forgetting: steps and gains, as `Language.gains` gives them."""
    return Language(run.device, run.dtype).gains(
        adamw(0.9), rate=rate, before=before, after=after, batches=batches, seed=seed
    )


def memory(steps: Sequence[int], gains: Sequence[float]) -> float:
    """Return the area under the gains over their peak, in steps; 0 if nothing was gained."""
    peak = max(gains)
    return steps[0] * sum(gains) / peak if peak > 0 else 0.0
