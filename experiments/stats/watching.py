"""What looking often costs: the ways of watching a test side by side, by exact integration."""

import math
from dataclasses import dataclass

from scipy.special import ndtri

from experiments.stats.comparison import TUNED_FOR, Method
from experiments.stats.crossing import crossing_chances
from experiments.stats.looks import Spending, boundaries, plan_looks
from experiments.stats.outcome import check_alpha
from experiments.stats.rules import AlwaysValid


@dataclass(frozen=True)
class Watching:
    """Two-sided, stopped at the first of the looks that finds something.

    `false_alarms` is the chance to find an effect that is not there, `power` to find one that a single look
    at the end would find with `fixed_power`. `final_boundary` is the score needed at the last look.
    """

    method: Method
    looks: int
    false_alarms: float
    power: float
    final_boundary: float
    fixed_power: float
    fixed_boundary: float


def watch(
    method: Method,
    *,
    looks: int = 20,
    customers: int = 20_000,
    alpha: float = 0.05,
    power: float = 0.8,
    spending: Spending = "obrien_fleming",
    tuned_for: float = TUNED_FOR,
) -> Watching:
    """Equal looks; `customers` in both groups at the end matter for "always_valid" alone.

    "fixed" shows what happens to a test made for one look that is looked at this often.
    """
    check_alpha(alpha)
    fixed = -float(ndtri(alpha / 2))
    plan = plan_looks(looks, alpha=alpha, spending=spending)
    if method == "group_sequential":
        bounds = list(boundaries(plan, alpha=alpha))
    elif method == "always_valid":
        rule = AlwaysValid(alpha, "two-sided", tuned_for, alpha)
        bounds = [rule.critical(math.inf, max(int(share * customers), 1)) for share in plan.shares]
    else:
        bounds = [fixed] * looks
    drift = fixed - float(ndtri(1 - power))
    return Watching(
        method=method,
        looks=looks,
        false_alarms=sum(crossing_chances(bounds, plan.shares)),
        power=sum(crossing_chances(bounds, plan.shares, drift=drift)),
        final_boundary=bounds[-1],
        fixed_power=power,
        fixed_boundary=fixed,
    )
