"""The same question to a Bayesian: given what was believed before and the data, how likely is it better?

The answer depends on the prior, so it comes with the answer. It is not protected against looking often: for
that there are the methods of `rules`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from experiments.stats.contrast import Contrast, contrast
from experiments.stats.fieller import fieller
from experiments.stats.kinds import Statistic, check_same_kind, obstacle
from experiments.stats.outcome import Bounds, check_alpha
from experiments.stats.posteriors import BetaPosterior, GammaPosterior, Pair
from experiments.stats.quantile import Quantile
from experiments.stats.sufficient import Count, Proportion

Direction = Literal["up", "down"]


@dataclass(frozen=True)
class FlatPrior:
    """Every effect is equally likely: improper, it lets the data speak alone. Normal approximation."""


@dataclass(frozen=True)
class NormalPrior:
    """Of the relative change (or of the absolute one): most campaigns change little. Normal approximation."""

    mean: float = 0.0
    sd: float = 0.3
    relative: bool = True


@dataclass(frozen=True)
class BetaPrior:
    """Of each side's share, as if so many customers had been seen before; (1, 1) is uniform. Exact."""

    successes: float = 1.0
    failures: float = 1.0


@dataclass(frozen=True)
class GammaPrior:
    """Of each side's rate, as if so many events had been seen in so much exposure. Exact.

    The default is that of Jeffreys.
    """

    events: float = 0.5
    exposure: float = 0.0


Prior = FlatPrior | NormalPrior | BetaPrior | GammaPrior


@dataclass(frozen=True)
class Belief:
    """`chance_to_beat` is that the treatment is better, in the metric's direction.

    `expected_loss` is what choosing the treatment costs on average (it counts as 0 where it is better), and
    `expected_loss_control` the same of staying with the control; both in the metric's own unit per customer.
    `absolute` is the posterior mean of the difference; the intervals hold 1 − alpha of the posterior.
    """

    chance_to_beat: float
    expected_loss: float
    expected_loss_control: float
    absolute: float
    credible_interval: Bounds
    relative_interval: Bounds | None
    prior: Prior
    alpha: float = 0.05


def bayesian(
    control: Statistic,
    treatment: Statistic,
    *,
    prior: Prior | None = None,
    alpha: float = 0.05,
    direction: Direction = "up",
) -> Belief | None:
    """Without a prior: uniform for shares, Jeffreys for rates, flat (improper) for everything else.

    None when `obstacle` names one. Raises TypeError for a prior that does not fit, or for quantiles.
    Source: Stucchi (2015) for the expected loss; Gelman et al. (2013), section 2.5, for the normal case.
    """
    check_alpha(alpha)
    check_same_kind(control, treatment)
    if isinstance(control, Quantile) or isinstance(treatment, Quantile):
        raise TypeError("quantiles have no posterior here")
    if obstacle(control, treatment):
        return None
    chosen = prior or _default_prior(control)
    if isinstance(chosen, BetaPrior):
        if not (isinstance(control, Proportion) and isinstance(treatment, Proportion)):
            raise TypeError("a beta prior is for shares")
        betas = [BetaPosterior.of(side, chosen.successes, chosen.failures) for side in (control, treatment)]
        return _exact(Pair(*betas), chosen, alpha, direction)
    if isinstance(chosen, GammaPrior):
        if not (isinstance(control, Count) and isinstance(treatment, Count)):
            raise TypeError("a gamma prior is for rates")
        gammas = [GammaPosterior.of(side, chosen.events, chosen.exposure) for side in (control, treatment)]
        return _exact(Pair(*gammas), chosen, alpha, direction)
    if isinstance(control, Count) or isinstance(treatment, Count):
        raise TypeError("rates take a gamma prior")
    found = contrast(control, treatment)
    if not found.spread:
        return None
    return _normal(update(found, chosen), chosen, alpha, direction)


def update(found: Contrast, prior: FlatPrior | NormalPrior) -> Contrast:
    """The posterior of difference and base together: what is learned of one moves the other with it."""
    if isinstance(prior, FlatPrior):
        return found
    if prior.sd <= 0:
        raise ValueError("the standard deviation of a prior must be positive")
    scale = abs(found.base) if prior.relative else 1.0
    if scale == 0:
        raise ValueError("a prior of the relative change needs a control mean other than 0")
    precision = 1 / (prior.sd * scale) ** 2
    spread = 1 / (1 / found.spread + precision)
    mean = spread * (found.difference / found.spread + prior.mean * scale * precision)
    slope = found.covariance / found.spread
    return Contrast(
        difference=mean,
        base=found.base + slope * (mean - found.difference),
        spread=spread,
        spread_base=found.spread_base - slope**2 * (found.spread - spread),
        covariance=slope * spread,
        degrees=math.inf,
        n=found.n,
    )


def _normal(found: Contrast, prior: Prior, alpha: float, direction: Direction) -> Belief:
    error, critical = math.sqrt(found.spread), -float(ndtri(alpha / 2))
    z = found.difference / error
    density = math.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    # Means of the positive and of the negative part: σφ(z) ± μΦ(±z).
    gain = error * density + found.difference * float(ndtr(z))
    loss = error * density - found.difference * float(ndtr(-z))
    _, relative = fieller(
        found.difference,
        found.base,
        spread=found.spread,
        spread_base=found.spread_base,
        covariance=found.covariance,
        critical=critical,
    )
    up = direction == "up"
    return Belief(
        chance_to_beat=float(ndtr(z if up else -z)),
        expected_loss=max(loss if up else gain, 0.0),
        expected_loss_control=max(gain if up else loss, 0.0),
        absolute=found.difference,
        credible_interval=(found.difference - critical * error, found.difference + critical * error),
        relative_interval=relative,
        prior=prior,
        alpha=alpha,
    )


def _exact(pair: Pair, prior: Prior, alpha: float, direction: Direction) -> Belief:
    gain, loss = pair.gain_and_loss()
    chance = pair.chance_above()
    up = direction == "up"
    levels = (alpha / 2, 1 - alpha / 2)
    low, high = (_invert(pair.chance_difference_below, level) for level in levels)
    fewer, more = (_invert(pair.chance_lift_below, level) for level in levels)
    return Belief(
        chance_to_beat=chance if up else 1 - chance,
        expected_loss=loss if up else gain,
        expected_loss_control=gain if up else loss,
        absolute=pair.mean_difference,
        credible_interval=(low, high),
        relative_interval=(max(fewer, -1.0), more),
        prior=prior,
        alpha=alpha,
    )


def _invert(chance: Callable[[float], float], level: float) -> float:
    """Where the chance reaches the level; the bracket grows until it holds it."""
    low, high = -1.0, 1.0
    while chance(low) > level:
        low *= 2
    while chance(high) < level:
        high *= 2
    return float(brentq(lambda at: chance(at) - level, low, high, xtol=1e-14, rtol=1e-13))


def _default_prior(statistic: Statistic) -> Prior:
    if isinstance(statistic, Proportion):
        return BetaPrior()
    return GammaPrior() if isinstance(statistic, Count) else FlatPrior()
