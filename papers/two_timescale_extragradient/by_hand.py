"""Steps in fractions, tensors of several shapes, and points worked out by hand."""

from fractions import Fraction

import numpy as np
import torch
from torch import Tensor

from .method import (
    Array,
    Point,
    TwoTimescaleExtragradient,
    extragradient_step,
    timescales,
)

A, B, C = Fraction(-2, 5), Fraction(3, 10), Fraction(5, 4)
TAU, ETA = Fraction(3), Fraction(3, 10)
START = (Fraction(1, 2), Fraction(-2, 3))

# S = [[1.72, 2], [2, −3]]; the kernel of B is along (2, −1), C₂ is (1, 5)/√5, U is along (5, −1)
HAND = Point(
    np.array([[1.0, 2.0], [2.0, -3.0]]),
    np.array([[-0.5, -1.0], [-1.0, -2.0]]),
    np.array([[1.0, 1.0], [2.0, -1.0]]),
)
SCHUR = np.array([[1.72, 2.0], [2.0, -3.0]])
FAST, SIGMA, IOTA, RESTRICTED = 2.5, 5.2**0.5, -53.28 / 52, 10 / 13
THRESHOLD = 532.8 / 1352
JACOBIAN_8 = np.array(
    [
        [0.125, 0.25, 0.125, 0.125],
        [0.25, -0.375, 0.25, -0.125],
        [-1.0, -2.0, 0.5, 1.0],
        [-1.0, 1.0, 1.0, 2.0],
    ]
)


def fractions(extragradient: bool) -> Array:
    """Return (x, y) after each of three steps on Ax²/2 + Cxy + By²/2 + (x⁴ − y⁴)/4."""

    def moved(at: tuple[Fraction, Fraction]) -> tuple[Fraction, Fraction]:
        u, v = at
        in_x, in_y = A * u + C * v + u**3, C * u + B * v - v**3
        return x - ETA / TAU * in_x, y + ETA * in_y

    x, y = START
    path = []
    for _ in range(3):
        x, y = moved(moved((x, y))) if extragradient else moved((x, y))
        path.append((float(x), float(y)))
    return np.array(path)


def optimizer_path() -> Array:
    """Return the same by the optimizer, whose function is a tensor's."""
    x, y = (torch.tensor(float(v), dtype=torch.float64, requires_grad=True) for v in START)
    optimizer = TwoTimescaleExtragradient([x], [y], lr=float(ETA), tau=float(TAU))

    def closure() -> Tensor:
        optimizer.zero_grad()
        f = float(A) * x**2 / 2 + float(C) * x * y + float(B) * y**2 / 2 + (x**4 - y**4) / 4
        f.backward()
        return f

    path = []
    for _ in range(3):
        optimizer.step(closure)
        path.append((x.item(), y.item()))
    return np.array(path)


def many_tensors(generator: torch.Generator) -> tuple[Array, Array]:
    """Return where four steps lead a random function of five tensors: the optimizer's, the step's.

    The last tensor is one of y that the function does not use.
    """
    shapes = [(2, 3), (4,), (5,), (1, 2), (2,)]
    first, second = torch.randn((2, 17, 6), generator=generator, dtype=torch.float64) / 3
    tensors = [
        torch.randn(shape, generator=generator, dtype=torch.float64).requires_grad_()
        for shape in shapes
    ]
    start = torch.cat([t.detach().flatten() for t in tensors]).numpy()
    optimizer = TwoTimescaleExtragradient(tensors[:2], tensors[2:], lr=0.13, tau=3.7)

    def f(z: Tensor) -> Tensor:
        return (torch.tanh(z @ first) * (z @ second)).sum()

    def closure() -> Tensor:
        optimizer.zero_grad()
        value = f(torch.cat([t.flatten() for t in tensors[:-1]]))
        value.backward()
        return value

    def field(z: Array) -> Array:
        point = torch.tensor(z[:17], requires_grad=True)
        (g,) = torch.autograd.grad(f(point), point)
        return np.concatenate([g[:10].numpy(), -g[10:].numpy(), [0.0, 0.0]])

    z = start
    for _ in range(4):
        optimizer.step(closure)
        z = extragradient_step(field, z, 0.13, timescales(3.7, 10, 9))
    return torch.cat([t.detach().flatten() for t in tensors]).numpy(), z


def judged_points() -> list[tuple[Point, bool]]:
    """Return nine points, and whether they may be minimax points."""
    a, b, c = HAND
    nothing, eye = np.zeros((2, 2)), np.eye(2)
    regular = np.array([[-2.0, 0.5], [0.5, -1.0]])
    return [
        (HAND, True),
        (Point(a - np.diag([1.0, 0.0]), b, c), False),  # S_res = −5/26
        (Point(a - np.diag([0.8, 0.0]), b, c), True),  # S_res = 0
        (Point(a, -b, c), False),
        (Point(-a @ a, nothing, c), True),  # C₂ reaches all of x
        (Point(-a @ a, nothing, nothing), False),
        (Point(a @ a, nothing, nothing), True),
        (Point(-eye, regular, 2 * c), True),  # S = [[57, 8], [8, 57]]/7
        (Point(-eye, regular, 0.2 * c), False),
    ]
