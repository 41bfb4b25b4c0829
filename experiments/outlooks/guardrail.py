"""Before the start: could this test prove that a guardrail holds, if the message in truth changes nothing?

A guardrail that a test cannot prove ends it without a winner. The margin is still not made wider for small
audiences: it says how much harm the shop accepts, which does not depend on how many are asked.
"""

from dataclasses import dataclass

import numpy as np

from experiments.decisions import Criteria, Guardrail
from experiments.outlooks.outlook import Groups, Values, design_of
from experiments.stats import minimum_detectable_effect

# More than nearly any campaign loses by unsubscribing: rather too wide a margin is asked for than too narrow.
SHARE_WITHOUT_PAST = 0.01


@dataclass(frozen=True)
class Protection:
    """`provable` is the smallest margin, measured as the guardrail's own, that is shown with the power."""

    provable: float
    customers: int
    is_enough: bool


def look_at_guardrail(
    values: Values | None, guardrail: Guardrail, *, is_share: bool, criteria: Criteria, groups: Groups
) -> Protection | None:
    """`values`: one number for each past customer. None when the past says nothing.

    By symmetry the margin that is proven when nothing changes is the change that is found when it is there.
    A share that never happened so far is taken to be small, not zero (Laplace's rule).
    """
    if min(groups.baseline, *groups.challengers, 2) < 2:
        return None
    if is_share:
        if values is None and guardrail.is_relative:
            return None
        mean = SHARE_WITHOUT_PAST if values is None else (float(values.sum()) + 1) / (len(values) + 2)
        variance = mean * (1 - mean)
    elif values is None or len(values) < 2:
        return None
    else:
        mean, variance = float(np.mean(values)), float(np.var(values, ddof=1))
    if variance <= 0 or (guardrail.is_relative and mean <= 0):
        return None
    provable = minimum_detectable_effect(
        variance=variance, n_control=groups.baseline, power=criteria.power, **design_of(criteria, groups)
    )
    provable = provable / mean if guardrail.is_relative else provable
    return Protection(provable, groups.total, provable <= guardrail.margin)
