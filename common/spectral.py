"""Periodic evolution equations, and a Fourier pseudo-spectral solver for reference solutions."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Grid = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Equation:
    """u_t = ν Δu + ρ (u − u³) − α u Σ_i ∂u/∂x_i on a box with periodic boundaries.

    (ρ, α) = (0, 0) is the heat equation, (1, 0) Allen–Cahn, and (0, 1) viscous Burgers.

    Attributes:
        nu: ν, the diffusion coefficient.
        reaction: ρ.
        advection: α.
    """

    nu: float
    reaction: float = 0.0
    advection: float = 0.0


def heat(nu: float) -> Equation:
    """Return u_t = ν Δu."""
    return Equation(nu)


def allen_cahn(nu: float) -> Equation:
    """Return u_t = ν Δu + u − u³."""
    return Equation(nu, reaction=1.0)


def burgers(nu: float) -> Equation:
    """Return u_t = ν Δu − u Σ_i ∂u/∂x_i."""
    return Equation(nu, advection=1.0)


def evolve(
    equation: Equation, u: Grid, time: float, *, steps: int, period: float = 2 * np.pi
) -> Grid:
    """Return u after `time`, by Fourier modes in space and Runge–Kutta of order four in time.

    In Fourier space the linear part is û_t = λ û with λ = ρ − ν |k|². The integrating factor
    exp(−λ t) takes it out exactly, and the classical Runge–Kutta method integrates the rest,
    −ρ u³ and −α u Σ_i ∂u/∂x_i, which are computed on the grid (Trefethen 2000, Spectral Methods in
    MATLAB, chapter 10, program 27). The step is not limited by diffusion, and without reaction and
    advection one step is exact. Products are not dealiased: the grid must resolve them.

    Args:
        equation: what to solve.
        u: values on a uniform grid of the box [0, period)^d, shape (n, …, n), n even.
        time: length of the evolution.
        steps: number of equal time steps.
        period: side of the box.

    Returns:
        Values on the same grid.

    Raises:
        ValueError: the sides of `u` differ or are odd.
    """
    k = _wave_numbers(u.shape, period)
    h = time / steps
    factor = np.exp(_linear(equation, k) * (h / 2))
    w = np.fft.fftn(u)
    for _ in range(steps):
        # the stages of Runge–Kutta for exp(−λ t) û, written back in û
        a = h * _nonlinear(equation, w, k)
        b = h * _nonlinear(equation, factor * (w + a / 2), k)
        c = h * _nonlinear(equation, factor * w + b / 2, k)
        d = h * _nonlinear(equation, factor**2 * w + factor * c, k)
        w = factor**2 * w + (factor**2 * a + 2 * factor * (b + c) + d) / 6
    return np.fft.ifftn(w).real


def rate(equation: Equation, u: Grid, *, period: float = 2 * np.pi) -> Grid:
    """Return the right-hand side of the equation on the grid, with spectral derivatives.

    Args:
        equation: which one.
        u: as for `evolve`.
        period: side of the box.
    """
    k = _wave_numbers(u.shape, period)
    w = np.fft.fftn(u)
    return np.fft.ifftn(_linear(equation, k) * w + _nonlinear(equation, w, k)).real


def _linear(equation: Equation, k: Grid) -> Grid:
    out: Grid = equation.reaction - equation.nu * (k**2).sum(axis=0)
    return out


def _nonlinear(
    equation: Equation, w: npt.NDArray[np.complex128], k: Grid
) -> npt.NDArray[np.complex128]:
    """Return the transform of −ρ u³ − α u Σ_i ∂u/∂x_i for û = w."""
    if equation.reaction == 0 and equation.advection == 0:
        return np.zeros_like(w)
    u = np.fft.ifftn(w).real
    slope = np.fft.ifftn(1j * _odd(k).sum(axis=0) * w).real if equation.advection else 0.0
    return np.fft.fftn(-equation.reaction * u**3 - equation.advection * u * slope)


def _odd(k: Grid) -> Grid:
    """Return k with zero for the highest mode, whose first derivative vanishes on the grid."""
    return np.where(k == k.min(), 0.0, k)


def _wave_numbers(shape: tuple[int, ...], period: float) -> Grid:
    """Return the wave number of every mode along every axis, shape (d, n, …, n)."""
    side = shape[0] if shape else 0
    if side % 2 or any(n != side for n in shape) or side == 0:
        raise ValueError(f"the grid must have equal and even sides, got {shape}")
    k = np.fft.fftfreq(side, 1 / side) * (2 * np.pi / period)
    return np.stack(np.meshgrid(*[k] * len(shape), indexing="ij"))
