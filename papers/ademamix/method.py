"""AdEMAMix: AdamW with a second, much slower average of the gradients in the numerator.

Pagliardini, Ablin and Grangier 2024, arXiv 2409.03137, Algorithm 1; schedules from Section 3.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


class AdEMAMix(torch.optim.Optimizer):
    """One step t = 1, 2, … from parameters θ and gradient g; m1, m2 and ν start at zero:

        m1 ← β1 m1 + (1 - β1) g
        m2 ← β3(t) m2 + (1 - β3(t)) g
        ν ← β2 ν + (1 - β2) g²
        θ ← θ - η ((m1 / (1 - β1^t) + α(t) m2) / (√(ν / (1 - β2^t)) + ε) + λ θ)

    The slow average m2 is not bias corrected: it fills slowly, on purpose. With β1 = 0 the
    gradient stands for m1, which is then not stored. α(t) and β3(t) are `alpha_schedule` and
    `beta3_schedule`, with β1 as β_start. The averages of parameters in half precision are kept
    in float32 (Appendix B.1). The step t is counted for each parameter, over its own gradients.

    The arguments are those of the authors' PyTorch class; the default of α is Listing 1's.

    Args:
        params: parameters, or groups of them; each group may set every argument below.
        lr: η, under the name that torch's schedulers look for.
        betas: β1, β2, β3.
        alpha: α, the weight of m2; 0 gives AdamW. The paper uses 4 to 10.
        beta3_warmup: T_β3, steps until β3(t) = β3. None or 0: from the start.
        alpha_warmup: T_α, steps until α(t) = α. The paper always sets T_α = T_β3, mostly to the
            number of all steps.
        eps: ε, outside the root.
        weight_decay: λ, decoupled, scaled by η.

    Raises:
        ValueError: an argument, of the optimizer or of a group, outside its range.
        TypeError: from `step`, a gradient that is sparse or complex.
    """

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float, float] = (0.9, 0.999, 0.9999),
        alpha: float = 5.0,
        beta3_warmup: int | None = None,
        alpha_warmup: int | None = None,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "alpha": alpha,
            "beta3_warmup": beta3_warmup,
            "alpha_warmup": alpha_warmup,
            "eps": eps,
            "weight_decay": weight_decay,
        }
        super().__init__(params, defaults)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group, whose missing arguments are the optimizer's, after checking its values."""
        _check(self.defaults | param_group)
        super().add_param_group(param_group)

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update all parameters that have a gradient; return the closure's loss, or None."""
        loss = None if closure is None else torch.enable_grad()(closure)()
        for group in self.param_groups:
            by_step: dict[int, tuple[list[Tensor], list[Tensor]]] = {}
            for p in group["params"]:
                if p.grad is not None:
                    t = self._advance(p, p.grad, group["betas"][0])
                    theta, g = by_step.setdefault(t, ([], []))
                    theta.append(p)
                    g.append(p.grad.to(_state_dtype(p)))
            for t, (theta, g) in by_step.items():
                states = [self.state[p] for p in theta]
                m1, m2, nu = ([s[name] for s in states if name in s] for name in ("m1", "m2", "nu"))
                ademamix_(theta, g, m1, m2, nu, t, _coefficients(group, t))
        return loss

    def _advance(self, p: Tensor, g: Tensor, beta1: float) -> int:
        """Make p's state where it is missing; return the number of the step that begins."""
        if g.layout is not torch.strided or g.is_complex():
            raise TypeError(
                f"AdEMAMix takes dense real gradients, got one of {g.layout} and {g.dtype}"
            )
        state = self.state[p]
        for name in ("m1", "m2", "nu") if beta1 > 0 else ("m2", "nu"):
            if name not in state:
                state[name] = torch.zeros_like(p, dtype=_state_dtype(p))
        state["step"] = state.get("step", 0) + 1
        return state["step"]

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load as every torch optimizer does, but keep averages of half precision in float32."""
        super().load_state_dict(state_dict)
        keys = [key for group in state_dict["param_groups"] for key in group["params"]]
        params = [p for group in self.param_groups for p in group["params"]]
        for key, p in zip(keys, params, strict=True):
            for name, value in state_dict["state"].get(key, {}).items():
                if isinstance(value, Tensor):
                    self.state[p][name] = value.to(p.device, _state_dtype(p))


@dataclass(frozen=True)
class Coefficients:
    """What one step needs besides tensors, β3 and α being their values at that step."""

    eta: float
    beta1: float
    beta2: float
    beta3: float
    alpha: float
    eps: float
    decay: float


def ademamix_(
    theta: list[Tensor],
    g: list[Tensor],
    m1: list[Tensor],
    m2: list[Tensor],
    nu: list[Tensor],
    t: int,
    c: Coefficients,
) -> None:
    """Apply the four lines of `AdEMAMix`: theta, m1, m2 and nu in place, g only read.

    All lists belong to the same parameters, at the same step t; with c.beta1 = 0 m1 is not used.
    """
    if c.beta1 > 0:
        torch._foreach_lerp_(m1, g, 1 - c.beta1)
    torch._foreach_lerp_(m2, g, 1 - c.beta3)
    torch._foreach_mul_(nu, c.beta2)
    torch._foreach_addcmul_(nu, g, g, value=1 - c.beta2)

    left = 1 - c.beta1**t
    update = torch._foreach_add(m1 if c.beta1 > 0 else g, m2, alpha=c.alpha * left)
    root = torch._foreach_sqrt(nu)
    torch._foreach_div_(root, math.sqrt(1 - c.beta2**t))
    torch._foreach_add_(root, c.eps)

    if c.decay > 0:
        torch._foreach_mul_(theta, 1 - c.eta * c.decay)
    if theta[0].dtype is update[0].dtype:
        torch._foreach_addcdiv_(theta, update, root, value=-c.eta / left)
    else:  # half precision, rounded once
        torch._foreach_div_(update, root)
        torch._foreach_add_(theta, update, alpha=-c.eta / left)


def alpha_schedule(t: int, alpha: float, warmup: int | None) -> float:
    """Return α(t) = min(t α / T, α), with T = warmup; α where T is None or 0 (Section 3)."""
    return alpha * t / warmup if warmup and t < warmup else alpha


def beta3_schedule(t: int, beta3: float, beta_start: float, warmup: int | None) -> float:
    """Return β3(t), whose half-life grows linearly from β_start's to β3's at t = T = warmup.

    An average of decay β gives half of its weight to the last ln 0.5 / ln β - 1 gradients. So
    1 / ln β is what grows linearly, and Section 3's formula is
    exp(ln β_start ln β3 / ((1 - τ) ln β3 + τ ln β_start)), τ = t / T; the derivation is Appendix
    A.1. A decay of 0 counts with its limit, 1 / ln β = 0. The authors' PyTorch code adds 1e-8
    to each β instead, which moves β3(t) by up to 4e-8; this function follows the paper.
    """
    if not warmup or t >= warmup:
        return beta3
    start, end = (1 / math.log(beta) if beta > 0 else 0.0 for beta in (beta_start, beta3))
    inverse = (1 - t / warmup) * start + t / warmup * end
    return math.exp(1 / inverse) if inverse < 0 else 0.0


def _coefficients(group: dict[str, Any], t: int) -> Coefficients:
    beta1, beta2, beta3 = group["betas"]
    return Coefficients(
        eta=float(group["lr"]),
        beta1=beta1,
        beta2=beta2,
        beta3=beta3_schedule(t, beta3, beta1, group["beta3_warmup"]),
        alpha=alpha_schedule(t, group["alpha"], group["alpha_warmup"]),
        eps=group["eps"],
        decay=group["weight_decay"],
    )


def _state_dtype(p: Tensor) -> torch.dtype:
    return torch.promote_types(p.dtype, torch.float32)


def _check(group: dict[str, Any]) -> None:
    for name in ("lr", "alpha", "eps", "weight_decay"):
        if not 0 <= group[name] < math.inf:
            raise ValueError(f"{name} must be finite and not negative, got {group[name]}")
    if len(group["betas"]) != 3:
        raise ValueError(f"betas must be the three numbers β1, β2, β3, got {group['betas']}")
    for name, beta in zip(("beta1", "beta2", "beta3"), group["betas"], strict=True):
        if not 0 <= beta < 1:
            raise ValueError(f"{name}, of betas, must lie in [0, 1), got {beta}")
    for name in ("beta3_warmup", "alpha_warmup"):
        if group[name] is not None and not group[name] >= 0:
            raise ValueError(f"{name} must be None or not negative, got {group[name]}")
