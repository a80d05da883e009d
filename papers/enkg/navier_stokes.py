"""The Navier–Stokes problem: an initial vorticity is to be found from the flow's later state."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class GaussianField:
    """Centred Gaussian fields on a periodic grid, with covariance ∝ (|k|² + 9)⁻⁴ and mean zero.

    Fields are flat, shape (..., side²).

    Attributes:
        variances: of the Fourier modes, as of white noise of variance one; shape (side, side).
    """

    variances: Tensor

    @classmethod
    def make(cls, side: int, deviation: float, like: Tensor) -> "GaussianField":
        """Return fields whose values have that standard deviation, on `like`'s device."""
        k = torch.fft.fftfreq(side, 1 / side, dtype=like.dtype, device=like.device)
        variances = (k[:, None] ** 2 + k**2 + 9) ** -4
        variances[0, 0] = 0
        return cls(variances * deviation**2 / variances.mean())

    def sample(self, noise: Tensor) -> Tensor:
        """Return fields from standard normal numbers of the same shape."""
        return self._filtered(noise, self.variances.sqrt())

    def denoise(self, x: Tensor, sigma: float) -> Tensor:
        """Return E[x_0 | x_0 + σ n = x] = C (C + σ² I)⁻¹ x, which is linear and symmetric in x."""
        return self._filtered(x, self.variances / (self.variances + sigma**2))

    def _filtered(self, x: Tensor, factor: Tensor) -> Tensor:
        grid = x.reshape(*x.shape[:-1], *self.variances.shape)
        return torch.fft.ifft2(torch.fft.fft2(grid) * factor).real.reshape(x.shape)


class Flow:
    """ω_t + u·∇ω = Δω/Re + f on a periodic square of side 2π, u the velocity of the vorticity ω.

    f = −4 cos 4y, as in the paper's problem. Fourier modes in space with the 2/3 rule; in time
    Runge–Kutta of order four, after an integrating factor has taken out the viscosity.

    Args:
        side: grid points along an axis, even.
        steps: time steps.
        like: a tensor of the dtype and on the device to use.
        time: at which the flow is seen.
        reynolds: Re.
    """

    def __init__(
        self, side: int, steps: int, like: Tensor, *, time: float = 1.0, reynolds: float = 200.0
    ) -> None:
        options: dict[str, Any] = {"dtype": like.dtype, "device": like.device}
        kx = torch.fft.fftfreq(side, 1 / side, **options)[:, None]
        ky = torch.fft.rfftfreq(side, 1 / side, **options)[None]
        square = kx**2 + ky**2
        kept = (kx.abs() < side / 3) & (ky.abs() < side / 3) & (square > 0)
        inverse = torch.where(kept, 1 / square.clamp(min=1), 0)
        self.side, self.steps, self.h = side, steps, time / steps
        self.velocity = torch.stack([1j * ky * inverse, -1j * kx * inverse])
        # curl of −∇·(u u): (k_x² − k_y²) (uv) and k_x k_y (v² − u²)
        self.curl = torch.stack([kx**2 - ky**2, kx * ky]) * kept
        self.decay = torch.exp(-square / reynolds * self.h / 2)
        y = torch.arange(side, **options) * (2 * torch.pi / side)
        self.force = torch.fft.rfft2((-4 * torch.cos(4 * y)).expand(side, side).contiguous())

    def __call__(self, vorticity: Tensor) -> Tensor:
        """Return the vorticity at the end, shape (..., side²) as the argument's."""
        grid = vorticity.reshape(*vorticity.shape[:-1], self.side, self.side)
        w, half = torch.fft.rfft2(grid), self.decay
        full = half * half
        for _ in range(self.steps):
            a = self._nonlinear(w)
            b = self._nonlinear(half * (w + a / 2))
            c = self._nonlinear(half * w + b / 2)
            d = self._nonlinear(full * w + half * c)
            w = full * (w + a / 6) + half * (b + c) / 3 + d / 6
        return torch.fft.irfft2(w, s=grid.shape[-2:]).reshape(vorticity.shape)

    def _nonlinear(self, w: Tensor) -> Tensor:
        """Return h times the transform of f − u·∇ω."""
        u, v = torch.fft.irfft2(w[..., None, :, :] * self.velocity, s=(self.side,) * 2).unbind(-3)
        products = torch.fft.rfft2(torch.stack([u * v, v * v - u * u], dim=-3))
        return self.h * (self.force + (products * self.curl).sum(dim=-3))


@dataclass(frozen=True)
class Inversion:
    """Fields x, and y = every second value along both axes of the flow that starts from 4 x.

    x has deviation 0.5, as the paper's normalised fields, and y is divided by the factor.
    """

    prior: GaussianField
    flow: Flow

    @classmethod
    def make(cls, like: Tensor) -> "Inversion":
        """Return the problem on 16×16 points, in 16 time steps."""
        return cls(GaussianField.make(16, 0.5, like), Flow(16, 16, like))

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., 256) to (..., 64)."""
        end = self.flow(4 * x) / 4
        grid = end.reshape(*x.shape[:-1], self.flow.side, self.flow.side)
        return grid[..., ::2, ::2].flatten(start_dim=-2)

    def loss(self, x: Tensor, y: Tensor) -> Tensor:
        """Return ‖G(x) − y‖², a million where the solver fails."""
        losses = ((self.forward(x) - y) ** 2).sum(dim=-1)
        return losses.nan_to_num(nan=1e6, posinf=1e6).clamp(max=1e6)
