"""What the rest of an audience gets: by the rules, and by the stated fallback where they cannot tell."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from experiments.decisions.criteria import Criteria
from experiments.decisions.rules import Action, Challenger, Code, Decision, Standing

Fallback = Literal["baseline", "best", "nobody"]
# The test itself spoke for the baseline.
FOR_BASELINE = frozenset({Code.BASELINE_BETTER, Code.GUARDRAIL_WORSE})
# The numbers say nothing, so there is no best one among them.
WITHOUT_NUMBERS = frozenset({Code.GUARD_BROKEN, Code.NOTHING_MEASURED})


@dataclass(frozen=True)
class Winner:
    """`variant` None: nobody gets anything. `is_fallback`: chosen without evidence, as was agreed before."""

    variant: str | None
    is_fallback: bool


def winner_of(
    criteria: Criteria, decision: Decision, challengers: Sequence[Challenger], *, fallback: Fallback
) -> Winner | None:
    """None while the test goes on.

    The fallback "best" never takes a variant that proved worse or harmful, and takes the baseline when the
    numbers cannot be trusted.
    """
    if decision.action is Action.GO_ON:
        return None
    if decision.action is Action.SHIP:
        return Winner(decision.variant, False)
    if decision.code in FOR_BASELINE:
        return Winner(criteria.baseline, False)
    if fallback == "nobody":
        return Winner(None, True)
    if fallback == "best" and decision.code not in WITHOUT_NUMBERS:
        return Winner(_best(criteria, decision, challengers), True)
    return Winner(criteria.baseline, True)


def _best(criteria: Criteria, decision: Decision, challengers: Sequence[Challenger]) -> str:
    sign = 1 if criteria.direction == "up" else -1
    gains = {criteria.baseline: 0.0} | {
        one.variant: sign * one.effect.absolute
        for one in challengers
        if one.effect and decision.standings.get(one.variant) not in (Standing.WORSE, Standing.HARMFUL)
    }
    return max(gains, key=lambda name: gains[name])
