"""optax's AdEMAMix behind the signature of the paper's class, without the warm-ups."""

import jax.numpy as jnp
import optax
import torch


class Adapted(torch.optim.Optimizer):
    """One optax state a parameter; values go through NumPy and back."""

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999, 0.9999), alpha=5.0, **rest):
        decay, eps = rest.pop("weight_decay", 0.0), rest.pop("eps", 1e-8)
        if any(value for value in rest.values()):
            raise ValueError(f"this adapter has no {', '.join(rest)}")
        super().__init__(params, {"lr": lr})
        b1, b2, b3 = betas
        self.rule = optax.contrib.ademamix(lr, b1, b2, b3, alpha, eps, weight_decay=decay)

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                value, gradient = jnp.asarray(p.numpy()), jnp.asarray(p.grad.numpy())
                if not self.state[p]:
                    self.state[p]["optax"] = self.rule.init(value)
                update, self.state[p]["optax"] = self.rule.update(
                    gradient, self.state[p]["optax"], value
                )
                p.add_(torch.from_numpy(jnp.array(update).__array__().copy()))


def make(params, **arguments):
    """Return the adapted optimizer."""
    return Adapted(params, **arguments)
