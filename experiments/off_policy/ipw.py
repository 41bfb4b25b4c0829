"""Inverse propensity weighting: unbiased when propensities are right, and as wild as its weights."""

from experiments.off_policy.estimate import Estimate, mean_of
from experiments.off_policy.log import Floats


def ipw(rewards: Floats, weights: Floats, *, alpha: float = 0.05) -> Estimate:
    """(1/n) Σ w·r. Source: Horvitz and Thompson (1952); Strehl et al. (2010), NIPS."""
    return mean_of(weights * rewards, rewards, alpha=alpha)
