"""Gamma-Gamma: what a customer's purchases are worth on average, from the few that were seen.

Source: Fader, Hardie (2013), The Gamma-Gamma Model of Monetary Value; equations as numbered there. It takes
the value of a purchase to be independent of how often somebody buys.
"""

from dataclasses import dataclass

import numpy as np
from scipy import optimize, special

from personalization.traits.lifetime import TooLittleData
from personalization.traits.lifetime.bg_nbd import LEAST_REPEATERS
from personalization.traits.lifetime.summary import Floats


@dataclass(frozen=True)
class GammaGamma:
    """Values of one customer ~ Gamma(p, rate v), the rates ~ Gamma(q, rate gamma)."""

    p: float
    q: float
    gamma: float

    def mean(self, x: Floats, value: Floats) -> Floats:
        """Expected value of a purchase: between the customer's own mean and everybody's, the nearer to the
        own one the more purchases were seen. NaN where everybody's mean does not exist (q ≤ 1) and nothing
        was seen. Source: equation 5."""
        below = self.p * x + self.q - 1
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.where(below > 0, self.p * (self.gamma + x * value) / below, np.nan))


def fit_gamma_gamma(x: Floats, value: Floats) -> GammaGamma:
    """By maximum likelihood (equation 1a), of customers with repeat purchases of a value above zero.

    Raises TooLittleData.
    """
    seen = (x > 0) & (value > 0)
    x, value = x[seen], value[seen]
    if len(x) < LEAST_REPEATERS:
        raise TooLittleData
    scale = float(value.mean())
    value = value / scale

    def loss(logs: Floats) -> float:
        p, q, gamma = np.exp(logs)
        likelihood = special.gammaln(p * x + q) - special.gammaln(p * x) - special.gammaln(q)
        likelihood += q * np.log(gamma) + (p * x - 1) * np.log(value) + p * x * np.log(x)
        likelihood -= (p * x + q) * np.log(gamma + x * value)
        return -float(likelihood.mean())

    best = optimize.minimize(
        loss, np.log([3.0, 3.0, 1.0]), method="L-BFGS-B", jac="3-point", bounds=[(-7.0, 9.0)] * 3,
        options={"ftol": 1e-13, "gtol": 1e-8, "maxiter": 300},
    )  # fmt: skip
    p, q, gamma = (float(number) for number in np.exp(best.x))
    return GammaGamma(p, q, gamma * scale)
