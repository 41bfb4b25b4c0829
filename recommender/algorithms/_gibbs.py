"""Draws from the distributions above the vectors: of their common mean and precision."""

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]
# How many vectors the prior's guess of the mean, zero, counts for: as in the paper's experiments.
PRIOR_VECTORS = 2.0


def draw_prior(random: np.random.Generator, vectors: npt.NDArray[np.floating]) -> tuple[Doubles, Doubles]:
    """Mean float64[f] and precision float64[f, f] of the normal distribution that `vectors` come from.

    Source: Salakhutdinov and Mnih (2008), equation 14, with W₀ = I and ν₀ = f.
    """
    n, width = vectors.shape
    table = vectors.astype(np.float64)
    mean = table.mean(axis=0) if n else np.zeros(width)
    around = table - mean
    shrink = PRIOR_VECTORS * n / (PRIOR_VECTORS + n)
    scatter = np.eye(width) + around.T @ around + shrink * np.outer(mean, mean)
    scale = np.linalg.inv(scatter)
    precision = draw_wishart(random, width + n, (scale + scale.T) / 2)
    root = np.linalg.cholesky((PRIOR_VECTORS + n) * precision)
    noise = np.linalg.solve(root.T, random.standard_normal(width))
    return n * mean / (PRIOR_VECTORS + n) + noise, precision


def draw_wishart(random: np.random.Generator, freedom: int, scale: Doubles) -> Doubles:
    """One matrix of mean `freedom` × `scale`, by Bartlett's decomposition."""
    width = len(scale)
    triangle = np.tril(random.standard_normal((width, width)), -1)
    triangle[np.diag_indices(width)] = np.sqrt(random.chisquare(freedom - np.arange(width)))
    root = np.linalg.cholesky(scale) @ triangle
    return np.asarray(root @ root.T)
