"""BG/NBD: how often a customer buys while alive, and how likely it left after each purchase.

Source: Fader, Hardie, Lee (2005), "Counting Your Customers" the Easy Way, Marketing Science 24; equations as
numbered there. `x` repeat purchases, `recency` t_x, `age` T.
"""

from dataclasses import dataclass

import numpy as np
from scipy import optimize, special

from personalization.traits.lifetime import TooLittleData
from personalization.traits.lifetime.summary import Floats

LEAST_CUSTOMERS = 100
LEAST_REPEATERS = 30


@dataclass(frozen=True)
class BgNbd:
    """Purchase rates ~ Gamma(r, rate alpha), chances to leave ~ Beta(a, b). `alpha` in the unit of time."""

    r: float
    alpha: float
    a: float
    b: float

    def alive(self, x: Floats, recency: Floats, age: Floats) -> Floats:
        """The chance that a customer has not left; 1 for who bought once: nobody leaves before the first
        repeat, in this model. Source: equation 7 in the form of Fader, Hardie (2008)."""
        with np.errstate(divide="ignore", invalid="ignore"):
            odds = self.a / (self.b + x - 1) * ((self.alpha + age) / (self.alpha + recency)) ** (self.r + x)
        return 1 / (1 + np.where(x > 0, odds, 0.0))

    def expected(self, x: Floats, recency: Floats, age: Floats, *, horizon: float) -> Floats:
        """Purchases in the next `horizon`. Source: equation 10."""
        a = self.a if abs(self.a - 1) > 1e-9 else 1 + 1e-9
        hyper = special.hyp2f1(
            self.r + x, self.b + x, a + self.b + x - 1, horizon / (self.alpha + age + horizon)
        )
        unseen = 1 - ((self.alpha + age) / (self.alpha + age + horizon)) ** (self.r + x) * hyper
        return np.asarray((a + self.b + x - 1) / (a - 1) * unseen * self.alive(x, recency, age))

    def silent(self, x: Floats, recency: Floats, age: Floats, *, horizon: float) -> Floats:
        """The chance of no purchase in the next `horizon`: who left never buys, and who is alive has a rate
        ~ Gamma(r + x, alpha + T) and stays silent with exp(−rate·horizon)."""
        alive = self.alive(x, recency, age)
        return np.asarray(
            1 - alive + alive * ((self.alpha + age) / (self.alpha + age + horizon)) ** (self.r + x)
        )


def fit_bg_nbd(x: Floats, recency: Floats, age: Floats) -> BgNbd:
    """By maximum likelihood (equation 6, in the form that does not overflow). Raises TooLittleData."""
    if len(x) < LEAST_CUSTOMERS or int((x > 0).sum()) < LEAST_REPEATERS:
        raise TooLittleData
    # Equal histories once, with their number: a million customers have some ten thousand different ones.
    rows, counts = np.unique(np.stack([x, recency, age], axis=1), axis=0, return_counts=True)
    # In units of the mean age the four parameters are of similar size, whatever the caller's unit of time.
    scale = float(np.average(rows[:, 2], weights=counts)) or 1.0
    x, recency, age = rows[:, 0], rows[:, 1] / scale, rows[:, 2] / scale

    def loss(logs: Floats) -> float:
        return -float(np.average(_log_likelihood(np.exp(logs), x, recency, age), weights=counts))

    starts = [np.log([0.5, 0.2, 0.8, 2.0]), np.zeros(4)]
    found = [
        optimize.minimize(
            loss, start, method="L-BFGS-B", jac="3-point", bounds=[(-9.0, 9.0)] * 4,
            options={"ftol": 1e-13, "gtol": 1e-8, "maxiter": 300},
        )
        for start in starts
    ]  # fmt: skip
    best = min(found, key=lambda result: float(result.fun))
    r, alpha, a, b = (float(value) for value in np.exp(best.x))
    return BgNbd(r, alpha * scale, a, b)


def _log_likelihood(parameters: Floats, x: Floats, recency: Floats, age: Floats) -> Floats:
    r, alpha, a, b = parameters
    both = special.gammaln(r + x) - special.gammaln(r) + r * np.log(alpha)
    both += special.gammaln(a + b) + special.gammaln(b + x) - special.gammaln(b) - special.gammaln(a + b + x)
    stayed = -(r + x) * np.log(alpha + age)
    left = np.log(a) - np.log(b + np.maximum(x, 1) - 1) - (r + x) * np.log(alpha + recency)
    return np.asarray(both + np.where(x > 0, np.logaddexp(stayed, left), stayed))
