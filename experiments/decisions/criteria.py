"""What was promised before the first customer was counted, and which promises make no sense."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Literal

from experiments.stats import LookPlan, plan_looks

Direction = Literal["up", "down"]
MAX_LOOKS = 50


class Method(StrEnum):
    FIXED = "fixed"  # one look, at the end
    GROUP_SEQUENTIAL = "group_sequential"  # looks at set times share the error among them (alpha spending)
    ALWAYS_VALID = "always_valid"  # any number of looks at any time


class Problem(StrEnum):
    """Why criteria are refused."""

    NO_METRIC = "no_metric"
    NO_BASELINE = "no_baseline"
    ALPHA = "alpha"  # not between 0 and 0.5
    POWER = "power"  # not above alpha and below 1
    MINIMUM_EFFECT = "minimum_effect"  # not a positive fraction
    LENGTH = "length"  # not a positive number of days
    MIN_DAYS = "min_days"  # negative, or longer than the test
    LOOKS = "looks"  # not rising fractions from above 0 to exactly 1
    LOOKS_WITHOUT_PLAN = "looks_without_plan"  # several looks at a test that is judged once
    TOO_MANY_LOOKS = "too_many_looks"
    LOOK_TOO_EARLY = "look_too_early"  # before the minimum of days: it would spend error for nothing
    MARGIN = "margin"  # not a positive number
    GUARDRAIL_IS_METRIC = "guardrail_is_metric"  # a guardrail that is the primary metric
    GUARDRAIL_TWICE = "guardrail_twice"


class NonsenseCriteria(ValueError):
    """`problems` are pairs of field and Problem."""

    def __init__(self, problems: list[tuple[str, Problem]]) -> None:
        super().__init__(", ".join(f"{field}: {problem}" for field, problem in problems))
        self.problems = problems


@dataclass(frozen=True)
class Guardrail:
    """A metric that must not get worse by `margin` or more, in its own unit (0.005 of a share is half a
    percentage point) or, when `is_relative`, as a fraction of the baseline's mean."""

    metric: str
    direction: Direction
    margin: float
    is_relative: bool = False


@dataclass(frozen=True)
class Criteria:
    """`looks` are shares of the test's length, in rising order; the last is 1. `minimum_effect` is the
    smallest change worth finding, as a fraction of the baseline's mean. Raises NonsenseCriteria."""

    metric: str
    direction: Direction
    baseline: str
    method: Method
    looks: tuple[float, ...]
    length_days: float
    min_days: float
    alpha: float = 0.05
    power: float = 0.8
    minimum_effect: float = 0.1
    guardrails: tuple[Guardrail, ...] = ()

    def __post_init__(self) -> None:
        if problems := list(problems_of(self)):
            raise NonsenseCriteria(problems)

    @property
    def look_plan(self) -> LookPlan | None:
        """How the error is shared among the looks; None when it is not."""
        return plan_looks(self.looks, alpha=self.alpha) if self.method is Method.GROUP_SEQUENTIAL else None


def problems_of(criteria: Criteria) -> Iterator[tuple[str, Problem]]:
    if not criteria.metric:
        yield "metric", Problem.NO_METRIC
    if not criteria.baseline:
        yield "baseline", Problem.NO_BASELINE
    if not 0 < criteria.alpha < 0.5:
        yield "alpha", Problem.ALPHA
    elif not criteria.alpha < criteria.power < 1:
        yield "power", Problem.POWER
    if not _positive(criteria.minimum_effect):
        yield "minimum_effect", Problem.MINIMUM_EFFECT
    if not _positive(criteria.length_days):
        yield "length_days", Problem.LENGTH
    elif not 0 <= criteria.min_days <= criteria.length_days:
        yield "min_days", Problem.MIN_DAYS
    yield from _looks(criteria)
    yield from _guardrails(criteria)


def _looks(criteria: Criteria) -> Iterator[tuple[str, Problem]]:
    looks = criteria.looks
    if len(looks) > MAX_LOOKS:
        yield "looks", Problem.TOO_MANY_LOOKS
        return
    rising = all(early < late for early, late in pairwise(looks))
    if not looks or not looks[0] > 0 or looks[-1] != 1 or not rising:
        yield "looks", Problem.LOOKS
    elif criteria.method is Method.FIXED and len(looks) > 1:
        yield "looks", Problem.LOOKS_WITHOUT_PLAN
    elif criteria.method is Method.GROUP_SEQUENTIAL and looks[
        0
    ] * criteria.length_days < criteria.min_days * (1 - 1e-9):
        yield "looks", Problem.LOOK_TOO_EARLY


def _guardrails(criteria: Criteria) -> Iterator[tuple[str, Problem]]:
    names = [guardrail.metric for guardrail in criteria.guardrails]
    if criteria.metric in names:
        yield "guardrails", Problem.GUARDRAIL_IS_METRIC
    if len(set(names)) < len(names):
        yield "guardrails", Problem.GUARDRAIL_TWICE
    if any(not (math.isfinite(g.margin) and g.margin > 0) for g in criteria.guardrails):
        yield "guardrails", Problem.MARGIN


def _positive(number: float) -> bool:
    return math.isfinite(number) and number > 0
