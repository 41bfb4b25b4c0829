"""Before the start: how many customers a test needs, and what it could see with those there are.

Normal approximation; one variant against one control. With looks at any time the answers are for an effect
that is found at one of `looks` equal looks.
Source: Lachin (1981), equation 1; Jennison and Turnbull (2000), chapter 3, for planned looks.
"""

import math
from dataclasses import dataclass

from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from experiments.stats.comparison import TUNED_FOR, Method
from experiments.stats.crossing import crossing_chances
from experiments.stats.looks import LookPlan
from experiments.stats.outcome import Alternative, check_alternative
from experiments.stats.rules import AlwaysValid

LOOKS = 20


@dataclass(frozen=True)
class _Design:
    """What does not depend on effect or number: the error of one customer, and the rule of deciding."""

    variance: float
    treated_variance: float | None
    variance_reduction: float
    alpha: float
    ratio: float
    alternative: Alternative
    method: Method
    plan: LookPlan | None
    tuned_for: float
    looks: int

    def __post_init__(self) -> None:
        check_alternative(self.alternative)
        treated = self.variance if self.treated_variance is None else self.treated_variance
        if min(self.variance, treated) < 0 or max(self.variance, treated) == 0 or self.ratio <= 0:
            raise ValueError("variance and ratio must be positive, alpha between 0 and 1")
        if not 0 < self.alpha < 1:
            raise ValueError("variance and ratio must be positive, alpha between 0 and 1")
        if not 0 <= self.variance_reduction < 1:
            raise ValueError("the variance reduction is a share below 1")
        if (self.plan is not None) != (self.method == "group_sequential"):
            raise ValueError("the method group_sequential needs a plan, and a plan that method")
        if self.plan is not None and self.plan.alpha != self.alpha:
            raise ValueError("the looks were planned for another alpha")

    @property
    def tail(self) -> float:
        return self.alpha / 2 if self.alternative == "two-sided" else self.alpha

    def error(self, n_control: float) -> float:
        """Standard error of the difference."""
        treated = self.variance if self.treated_variance is None else self.treated_variance
        left = (1 - self.variance_reduction) * (self.variance + treated / self.ratio)
        return math.sqrt(left / n_control)

    def power(self, drift: float, n_control: float) -> float:
        """Of an effect that is `drift` standard errors large at the end."""
        if self.plan is not None:
            return self.plan.power(drift)
        if self.method == "always_valid":
            return self._power_of_any_look(drift, n_control)
        critical = -float(ndtri(self.tail))
        missed_side = float(ndtr(-drift - critical)) if self.alternative == "two-sided" else 0.0
        return float(ndtr(drift - critical)) + missed_side

    def _power_of_any_look(self, drift: float, n_control: float) -> float:
        rule = AlwaysValid(self.alpha, self.alternative, self.tuned_for, self.alpha)
        shares = [look / self.looks for look in range(1, self.looks + 1)]
        total = n_control * (1 + self.ratio)
        bounds = [rule.critical(math.inf, max(int(share * total), 1)) for share in shares]
        two_sided = self.alternative == "two-sided"
        return min(sum(crossing_chances(bounds, shares, two_sided=two_sided, drift=drift)), 1.0)

    def drift(self, power: float, n_control: float) -> float:
        """How large an effect must be, in standard errors, to be found with this chance."""
        if self.method == "fixed":
            return -float(ndtri(self.tail)) - float(ndtri(1 - power))
        if self.plan is not None:
            return self.plan.drift(power)
        return float(brentq(lambda drift: self.power(drift, n_control) - power, 0.01, 60.0, xtol=1e-8))


def sample_size(
    *,
    variance: float,
    effect: float,
    alpha: float = 0.05,
    power: float = 0.8,
    ratio: float = 1.0,
    treated_variance: float | None = None,
    variance_reduction: float = 0.0,
    alternative: Alternative = "two-sided",
    method: Method = "fixed",
    plan: LookPlan | None = None,
    tuned_for: float = TUNED_FOR,
    looks: int = LOOKS,
) -> int:
    """Customers needed in the control group, with `ratio` times as many treated, to see an absolute effect.

    `variance` is between customers: p(1 − p) of a share, a statistic's `variance` in general (a Ratio's holds
    its denominator, an Adjusted's is what the covariate leaves). `treated_variance` if it differs there.
    `variance_reduction` is what covariates take away. With a plan it is the number at the last look.
    Raises ValueError for an effect of 0.
    """
    design = _Design(
        variance=variance,
        treated_variance=treated_variance,
        variance_reduction=variance_reduction,
        alpha=alpha,
        ratio=ratio,
        alternative=alternative,
        method=method,
        plan=plan,
        tuned_for=tuned_for,
        looks=looks,
    )
    _check_power(power)
    if effect == 0:
        raise ValueError("no number of customers shows an effect of 0")
    if method != "always_valid":
        return math.ceil((design.drift(power, 1.0) * design.error(1.0) / effect) ** 2)

    def miss(log_n: float) -> float:
        n = math.exp(log_n)
        return design.power(abs(effect) / design.error(n), n) - power

    start = 2 * math.log(design.error(1.0) / abs(effect))  # an effect of one standard error
    return math.ceil(math.exp(brentq(miss, max(start, 0.0), max(start, 0.0) + 8.0, xtol=1e-6)))


def power(
    *,
    variance: float,
    effect: float,
    n_control: int,
    alpha: float = 0.05,
    ratio: float = 1.0,
    treated_variance: float | None = None,
    variance_reduction: float = 0.0,
    alternative: Alternative = "two-sided",
    method: Method = "fixed",
    plan: LookPlan | None = None,
    tuned_for: float = TUNED_FOR,
    looks: int = LOOKS,
) -> float:
    """The chance to find this absolute effect (two-sided: in either direction)."""
    design = _Design(
        variance=variance,
        treated_variance=treated_variance,
        variance_reduction=variance_reduction,
        alpha=alpha,
        ratio=ratio,
        alternative=alternative,
        method=method,
        plan=plan,
        tuned_for=tuned_for,
        looks=looks,
    )
    _check_customers(n_control)
    return design.power(abs(effect) / design.error(n_control), n_control)


def minimum_detectable_effect(
    *,
    variance: float,
    n_control: int,
    alpha: float = 0.05,
    power: float = 0.8,
    ratio: float = 1.0,
    treated_variance: float | None = None,
    variance_reduction: float = 0.0,
    alternative: Alternative = "two-sided",
    method: Method = "fixed",
    plan: LookPlan | None = None,
    tuned_for: float = TUNED_FOR,
    looks: int = LOOKS,
) -> float:
    """The smallest absolute effect that would be found with this chance."""
    design = _Design(
        variance=variance,
        treated_variance=treated_variance,
        variance_reduction=variance_reduction,
        alpha=alpha,
        ratio=ratio,
        alternative=alternative,
        method=method,
        plan=plan,
        tuned_for=tuned_for,
        looks=looks,
    )
    _check_customers(n_control)
    _check_power(power)
    return design.drift(power, n_control) * design.error(n_control)


def runtime_days(n_control: int, *, daily_customers: float, ratio: float = 1.0) -> int:
    """Days until enough customers came in, of `daily_customers` who enter the experiment in all."""
    if daily_customers <= 0:
        raise ValueError("without customers a test never ends")
    return math.ceil(n_control * (1 + ratio) / daily_customers)


def _check_customers(n_control: int) -> None:
    if n_control < 1:
        raise ValueError("a test needs customers")


def _check_power(power: float) -> None:
    if not 0 < power < 1:
        raise ValueError("power must lie between 0 and 1")
