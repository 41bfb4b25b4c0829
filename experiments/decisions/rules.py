"""The rules, one a line, read from the top: the first that applies decides.

They keep the promise of the sequential method: an effect is taken only with the interval that the plan allows
at this look, and between planned looks nothing is decided at all.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from experiments.decisions.criteria import Criteria, Direction, Guardrail, Method
from experiments.stats import Effect


class Action(StrEnum):
    SHIP = "ship"
    STOP = "stop"
    GO_ON = "go_on"


class Code(StrEnum):
    """The reason."""

    GUARD_BROKEN = "guard_broken"
    NOT_A_LOOK = "not_a_look"
    GUARDRAIL_WORSE = "guardrail_worse"
    TOO_EARLY = "too_early"
    BETTER = "better"
    BASELINE_BETTER = "baseline_better"
    NOT_YET = "not_yet"
    NOTHING_MEASURED = "nothing_measured"
    GUARDRAIL_UNCLEAR = "guardrail_unclear"
    TOO_SMALL = "too_small"
    UNDECIDED = "undecided"


class Guard(StrEnum):
    """What makes every number of a test untrue, so that nothing may follow from it."""

    SAMPLE_RATIO = "sample_ratio"  # the customers are not divided as planned
    SEVERAL_VARIANTS = "several_variants"  # customers saw more than one variant
    UNSUITABLE_METRIC = "unsuitable_metric"  # the treatment itself changes who is counted
    METRIC_CHANGED = "metric_changed"  # the metric is no longer the one that was planned


class Standing(StrEnum):
    """One challenger against the baseline."""

    UNKNOWN = "unknown"  # no effect can be computed
    UNCLEAR = "unclear"
    BETTER = "better"  # and no guardrail is worse than its margin allows
    HELD_BACK = "held_back"  # better, but a guardrail may be worse than its margin allows
    WORSE = "worse"
    HARMFUL = "harmful"  # a guardrail is worse, and perhaps beyond its margin


@dataclass(frozen=True)
class Challenger:
    """Effects against the baseline, made by `weigh`; None: cannot be computed."""

    variant: str
    effect: Effect | None
    guardrails: Mapping[str, Effect | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Moment:
    """`look` counts the planned looks from 1; None between them. `days` since the start."""

    days: float
    look: int | None
    is_last: bool


@dataclass(frozen=True)
class Decision:
    """`variant` is what to ship, or the baseline that proved better; None otherwise.

    `standings` by challenger; `guards` and `guardrails` name what stood in the way.
    """

    action: Action
    code: Code
    variant: str | None = None
    standings: Mapping[str, Standing] = field(default_factory=dict)
    guards: tuple[Guard, ...] = ()
    guardrails: tuple[str, ...] = ()


@dataclass(frozen=True)
class _State:
    criteria: Criteria
    challengers: Sequence[Challenger]
    guards: tuple[Guard, ...]
    moment: Moment
    standings: Mapping[str, Standing]

    def all(self, *allowed: Standing) -> bool:
        return bool(self.standings) and all(standing in allowed for standing in self.standings.values())

    def any(self, wanted: Standing) -> bool:
        return wanted in self.standings.values()

    @property
    def may_decide(self) -> bool:
        return self.criteria.method is Method.ALWAYS_VALID or self.moment.look is not None

    @property
    def all_small(self) -> bool:
        return all(_is_small(one.effect, self.criteria) for one in self.challengers)


Rule = tuple[Code, Action, Callable[[_State], bool]]
S = Standing
RULES: tuple[Rule, ...] = (
    (Code.GUARD_BROKEN, Action.STOP, lambda s: bool(s.guards)),
    (Code.NOT_A_LOOK, Action.GO_ON, lambda s: not s.may_decide),
    (Code.GUARDRAIL_WORSE, Action.STOP, lambda s: s.all(S.HARMFUL)),
    (Code.TOO_EARLY, Action.GO_ON, lambda s: s.moment.days < s.criteria.min_days),
    (Code.BETTER, Action.SHIP, lambda s: s.any(S.BETTER)),
    (Code.BASELINE_BETTER, Action.STOP, lambda s: s.all(S.WORSE, S.HARMFUL)),
    (Code.NOT_YET, Action.GO_ON, lambda s: not s.moment.is_last),
    (Code.NOTHING_MEASURED, Action.STOP, lambda s: not s.standings or s.all(S.UNKNOWN)),
    (Code.GUARDRAIL_UNCLEAR, Action.STOP, lambda s: s.any(S.HELD_BACK)),
    (Code.TOO_SMALL, Action.STOP, lambda s: s.all_small),
    (Code.UNDECIDED, Action.STOP, lambda s: True),
)


def decide(
    criteria: Criteria, challengers: Sequence[Challenger], *, guards: Sequence[Guard] = (), moment: Moment
) -> Decision:
    """The first rule that applies. Of several better challengers the one with the largest effect is shipped.

    Raises ValueError for effects made by another method or level than the plan's: they would break the
    promised error rate.
    """
    standings: dict[str, Standing] = {}
    if criteria.method is Method.ALWAYS_VALID or moment.look is not None:
        _check_levels(criteria, challengers)
        standings = {one.variant: standing_of(criteria, one) for one in challengers}
    state = _State(criteria, challengers, tuple(guards), moment, standings)
    code, action, _ = next(rule for rule in RULES if rule[2](state))
    variant = None
    if code is Code.BETTER:
        variant = max(
            (o for o in challengers if standings[o.variant] is S.BETTER), key=_gain(criteria)
        ).variant
    elif code is Code.BASELINE_BETTER:
        variant = criteria.baseline
    in_the_way = {
        guardrail.metric
        for guardrail in criteria.guardrails
        for one in challengers
        if standings.get(one.variant) in (S.HARMFUL, S.HELD_BACK)
        and not _holds(guardrail, one.guardrails.get(guardrail.metric))
    }
    return Decision(action, code, variant, standings, state.guards, tuple(sorted(in_the_way)))


def standing_of(criteria: Criteria, challenger: Challenger) -> Standing:
    """Where one challenger stands; harm on a guardrail outweighs every gain."""
    pairs = [(g, challenger.guardrails.get(g.metric)) for g in criteria.guardrails]
    if any(
        _is_worse(guardrail.direction, effect) and not _holds(guardrail, effect)
        for guardrail, effect in pairs
    ):
        return S.HARMFUL
    if challenger.effect is None:
        return S.UNKNOWN
    if _is_worse(criteria.direction, challenger.effect):
        return S.WORSE
    if not _is_better(criteria.direction, challenger.effect):
        return S.UNCLEAR
    return S.BETTER if all(_holds(*pair) for pair in pairs) else S.HELD_BACK


def _is_better(direction: Direction, effect: Effect | None) -> bool:
    if effect is None:
        return False
    low, high = effect.absolute_ci
    return (low is not None and low > 0) if direction == "up" else (high is not None and high < 0)


def _is_worse(direction: Direction, effect: Effect | None) -> bool:
    return _is_better("down" if direction == "up" else "up", effect)


def _holds(guardrail: Guardrail, effect: Effect | None) -> bool:
    """Whether the interval rules out that the metric got worse by the margin or more (non-inferiority)."""
    interval = effect and (effect.relative_ci if guardrail.is_relative else effect.absolute_ci)
    if not interval:
        return False
    low, high = interval
    worst = high if guardrail.direction == "down" else None if low is None else -low
    return worst is not None and worst < guardrail.margin


def _is_small(effect: Effect | None, criteria: Criteria) -> bool:
    """Whether the interval rules out a gain worth finding."""
    if effect is None or effect.relative_ci is None:
        return False
    low, high = effect.relative_ci
    best = high if criteria.direction == "up" else None if low is None else -low
    return best is not None and best < criteria.minimum_effect


def _gain(criteria: Criteria) -> Callable[[Challenger], float]:
    sign = 1 if criteria.direction == "up" else -1
    return lambda one: sign * one.effect.absolute if one.effect else -math.inf


def _check_levels(criteria: Criteria, challengers: Sequence[Challenger]) -> None:
    for one in challengers:
        for effect in (one.effect, *one.guardrails.values()):
            if effect is None:
                continue
            level = criteria.alpha / len(challengers)
            if effect.horizon != criteria.method:
                raise ValueError(f"the effect of {one.variant} was not made by the method of the plan")
            if effect.alternative != "two-sided" or not math.isclose(effect.alpha, level, rel_tol=1e-9):
                raise ValueError(f"the effect of {one.variant} was not made at the level of the plan")
