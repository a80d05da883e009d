"""Two implementations of AdEMAMix, parameter by parameter: the paper's, and a common mistake."""

import math

import torch


class Loop(torch.optim.Optimizer):
    """Algorithm 1 without warm-ups, written as a loop."""

    debiased = False

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999, 0.9999), alpha=5.0, **rest):
        decay, eps = rest.pop("weight_decay", 0.0), rest.pop("eps", 1e-8)
        defaults = {"lr": lr, "betas": betas, "alpha": alpha, "decay": decay, "eps": eps}
        super().__init__(params, defaults)

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            b1, b2, b3 = group["betas"]
            for p in group["params"]:
                s = self.state[p]
                if not s:
                    s |= {"t": 0} | {name: torch.zeros_like(p) for name in ("m1", "m2", "v")}
                s["t"] += 1
                s["m1"] = b1 * s["m1"] + (1 - b1) * p.grad
                s["m2"] = b3 * s["m2"] + (1 - b3) * p.grad
                s["v"] = b2 * s["v"] + (1 - b2) * p.grad**2
                slow = s["m2"] / (1 - b3 ** s["t"]) if self.debiased else s["m2"]
                top = s["m1"] / (1 - b1 ** s["t"]) + group["alpha"] * slow
                root = s["v"].sqrt() / math.sqrt(1 - b2 ** s["t"]) + group["eps"]
                p -= group["lr"] * (top / root + group["decay"] * p)


class Debiased(Loop):
    """The same with a bias correction of the slow average, which the paper withholds."""

    debiased = True
