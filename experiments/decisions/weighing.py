"""From the sums of each variant to effects with the intervals that the plan allows now.

All challengers together keep the plan's error rate (Bonferroni), and so do all looks.
"""

from collections.abc import Mapping

from experiments.decisions.criteria import Criteria, Method
from experiments.decisions.rules import Challenger
from experiments.stats import Effect, Statistic, compare


def weigh(
    criteria: Criteria, statistics: Mapping[str, Mapping[str, Statistic]], *, look: int | None
) -> tuple[Challenger, ...]:
    """Every variant of the primary metric against the baseline. `statistics` by metric and variant.

    Between planned looks the effects are left out: there is no error left to tell them with.
    """
    primary = statistics.get(criteria.metric, {})
    names = [name for name in primary if name != criteria.baseline]
    if criteria.baseline not in primary or not names:
        return ()
    if look is None and criteria.method is not Method.ALWAYS_VALID:
        return tuple(Challenger(name, None) for name in names)
    alpha = criteria.alpha / len(names)
    return tuple(
        Challenger(
            name,
            _effect(criteria, primary, name, alpha=alpha, look=look),
            {
                guardrail.metric: _effect(
                    criteria, statistics.get(guardrail.metric, {}), name, alpha=alpha, look=look
                )
                for guardrail in criteria.guardrails
            },
        )
        for name in names
    )


def _effect(
    criteria: Criteria, variants: Mapping[str, Statistic], name: str, *, alpha: float, look: int | None
) -> Effect | None:
    if name not in variants or criteria.baseline not in variants:
        return None
    plan = criteria.look_plan
    return compare(
        variants[criteria.baseline],
        variants[name],
        alpha=alpha,
        method=criteria.method.value,
        plan=plan,
        look=None if plan is None else look,
    )
