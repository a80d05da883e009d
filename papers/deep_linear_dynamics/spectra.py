"""Spectra of random matrices and their products, and moments of random orthogonal matrices."""

import itertools
import math

import numpy as np
from scipy.special import digamma

from .method import Array, orthogonal, scaled_gaussian


def gaussian_exponents(n: int) -> Array:
    """Return the growth of the log singular values with each Gaussian matrix, variance 1/n.

    (log(2/n) + ψ((n − i + 1)/2)) / 2, i = 1 to n (Newman 1986, The distribution of Lyapunov
    exponents: exact results for random matrices).
    """
    return (math.log(2 / n) + digamma((n - np.arange(n)) / 2)) / 2


def product_exponents(rng: np.random.Generator, n: int, depth: int) -> Array:
    """Return the log singular values of products of 0 to `depth` scaled Gaussian matrices, n by n.

    They are the accumulated diagonals of R in QR, since they spread further than a product in
    floating point can hold; shape (depth + 1, n).
    """
    q, logs = np.eye(n), np.zeros((depth + 1, n))
    for layer in range(depth):
        q, r = np.linalg.qr(scaled_gaussian(rng, n, n) @ q)
        logs[layer + 1] = logs[layer] + np.log(np.abs(np.diag(r)))
    return logs


def product(rng: np.random.Generator, weights: str, n: int, depth: int) -> Array:
    """Return the product of `depth` random matrices, n by n.

    `weights`: orthogonal, or normalised: Gaussian with columns of length 1.
    """
    total = np.eye(n)
    for _ in range(depth):
        if weights == "normalised":
            w = rng.standard_normal((n, n))
            total = w / np.linalg.norm(w, axis=0) @ total
        else:
            total = orthogonal(rng, n, n) @ total
    return total


def haar_errors(w: Array) -> dict[str, float]:
    """Return how far moments of matrices, (draws, n, n), are from the orthogonal group's.

    Of single entries (all are 0), of products of two (1/n for an entry by itself, else 0), and of
    four: x⁴, x²y² for y in the row of x and elsewhere, and the product of the corners of a
    rectangle. (Collins and Śniady 2006, Integration with respect to the Haar measure, Eq. 16 ff.)
    """
    n = w.shape[-1]
    flat = w.reshape(len(w), -1)
    second = flat.T @ flat / len(w)
    pairs = n * (n + 2)
    beside = (n + 1) / (n * (n - 1) * (n + 2))
    fourth = []
    for i, j, k, m in itertools.product(range(n), repeat=4):
        squares = (w[:, i, j] ** 2 * w[:, k, m] ** 2).mean()
        same = (i == k) + (j == m)
        fourth.append(squares - (3 / pairs if same == 2 else 1 / pairs if same else beside))
        if not same:
            corners = (w[:, i, j] * w[:, k, m] * w[:, i, m] * w[:, k, j]).mean()
            fourth.append(corners + 1 / (n * (n - 1) * (n + 2)))
    return {
        "mean_error": float(np.abs(flat.mean(axis=0)).max()),
        "second_error": float(np.abs(second - np.eye(n * n) / n).max()),
        "fourth_error": float(np.abs(fourth).max()),
    }
