"""Looks at a running test: what is known, what follows, and the record that a planned look was taken.

The sums are those of the moment the plan named, however late the clock comes; so the same look always gives
the same answer, and computing it twice does no harm.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction

from experiments import selectors
from experiments.decisions import (
    Action,
    Challenger,
    Code,
    Criteria,
    Decision,
    Guard,
    Method,
    Moment,
    Standing,
    decide,
    weigh,
)
from experiments.models import Look, Metric, Plan
from experiments.plans.plan import criteria_of, definition_of, look_times, start_of
from experiments.reports.report import Report
from experiments.selectors import Stages
from experiments.stats import Ratio, Statistic, check_denominator
from experiments.stats.kinds import plain_of

Statistics = dict[str, dict[str, Statistic]]
# A guard is asked at every look and ends the test: like the sample ratio's it must hardly ever be wrong.
GUARD_ALPHA = 0.001


@dataclass(frozen=True)
class Judgement:
    """What the rules say at `at`. `look` is the number of the planned look, None between them.

    One that was read back from its record comes without challengers and statistics.
    """

    plan: Plan
    at: datetime
    look: int | None
    decision: Decision
    next_look_at: datetime | None
    challengers: tuple[Challenger, ...] = ()
    statistics: Statistics = field(default_factory=dict)

    @property
    def is_final(self) -> bool:
        return self.decision.action is not Action.GO_ON


def judge_now(plan: Plan, *, stages: Stages | None = None) -> Judgement | None:
    """The state for a reader: an always-valid test by the newest stored result, a planned one as its last
    look left it. None before the first result.
    """
    criteria = criteria_of(plan)
    last = plan.taken.order_by("-number").first()
    if last is not None and (criteria.method is not Method.ALWAYS_VALID or plan.next_look_at is None):
        return Judgement(plan, last.due_at, last.number, read_decision(last.decision), plan.next_look_at)
    report = selectors.newest_report(plan.experiment, stages=stages)
    return None if report is None else _judge(plan, criteria, report, at=report.as_of, look=None)


def due_look(plan: Plan, *, now: datetime) -> tuple[int, datetime] | None:
    """Number and moment of the look to be taken now; None when none is due.

    Planned looks are taken one after the other, also late. An always-valid test skips those it missed.
    """
    if plan.next_look_at is None or plan.next_look_at > now:
        return None
    criteria = criteria_of(plan)
    due = list(enumerate(look_times(criteria, start_of(plan)), start=1))
    passed = [(number, at) for number, at in due if plan.next_look_at <= at <= now]
    if not passed:
        return due[-1][0], due[-1][1]  # a plan changed after its end: judged at once
    return passed[-1] if criteria.method is Method.ALWAYS_VALID else passed[0]


def judge_look(plan: Plan, number: int, at: datetime, *, stages: Stages | None = None) -> Judgement:
    """What follows from a look, without recording it. May take long: outside of transactions.

    `stages`: whom a message reached so far, where the caller knows; a control is not asked.
    """
    criteria = criteria_of(plan)
    metrics = Metric.objects.filter(key__in=_keys(criteria))
    report = selectors.report(plan.experiment, metrics=metrics, now=at, stages=stages)
    return _judge(plan, criteria, report, at=at, look=number)


@transaction.atomic
def record_look(judgement: Judgement, *, now: datetime) -> bool:
    """Writes the look down and sets the clock to the next; False when somebody was faster."""
    assert judgement.look is not None
    plan = Plan.objects.select_for_update().get(pk=judgement.plan.pk)
    if plan.next_look_at is None or plan.next_look_at > judgement.at or _is_taken(plan, judgement.look):
        return False
    Look.objects.create(
        plan=plan, number=judgement.look, due_at=judgement.at, taken_at=now,
        statistics=statistics_document(judgement.statistics), decision=decision_document(judgement.decision),
    )  # fmt: skip
    following = None if judgement.is_final else judgement.next_look_at
    Plan.objects.filter(pk=plan.pk).update(next_look_at=following, queued_until=None)
    return True


def decision_document(decision: Decision) -> dict[str, Any]:
    return {
        "action": decision.action.value,
        "code": decision.code.value,
        "variant": decision.variant,
        "standings": {variant: standing.value for variant, standing in decision.standings.items()},
        "guards": [guard.value for guard in decision.guards],
        "guardrails": list(decision.guardrails),
    }


def read_decision(document: dict[str, Any]) -> Decision:
    return Decision(
        Action(document["action"]),
        Code(document["code"]),
        document["variant"],
        {variant: Standing(standing) for variant, standing in document["standings"].items()},
        tuple(Guard(guard) for guard in document["guards"]),
        tuple(document["guardrails"]),
    )


def statistics_document(statistics: Statistics) -> dict[str, Any]:
    return {
        metric: {variant: _exact(asdict(found)) for variant, found in variants.items()}
        for metric, variants in statistics.items()
    }


def _exact(sums: dict[str, Any]) -> dict[str, Any]:
    # Decimal sums as text: no digit is lost on the way.
    return {name: str(value) if isinstance(value, Decimal) else value for name, value in sums.items()}


def _is_taken(plan: Plan, number: int) -> bool:
    return plan.taken.filter(number=number).exists()


def _keys(criteria: Criteria) -> list[str]:
    return [criteria.metric, *(guardrail.metric for guardrail in criteria.guardrails)]


def _judge(plan: Plan, criteria: Criteria, report: Report, *, at: datetime, look: int | None) -> Judgement:
    keys = _keys(criteria)
    statistics = {metric.key: dict(metric.statistics) for metric in report.metrics if metric.key in keys}
    guards = _broken(report, criteria, statistics)
    metrics = Metric.objects.filter(key__in=keys)
    if {metric.key: definition_of(metric) for metric in metrics} != plan.terms["metrics"]:
        guards.append(Guard.METRIC_CHANGED)
    challengers = weigh(criteria, statistics, look=look)
    times = look_times(criteria, start_of(plan))
    moment = Moment(
        days=(at - start_of(plan)) / timedelta(days=1),
        look=look,
        is_last=at >= times[-1],
    )
    decision = decide(criteria, challengers, guards=guards, moment=moment)
    following = next((each for each in times if each > at), None)
    return Judgement(plan, at, look, decision, following, challengers, statistics)


def _broken(report: Report, criteria: Criteria, statistics: Statistics) -> list[Guard]:
    guards = []
    if any(ratio and ratio.mismatch for ratio in (report.sample_ratio, *report.stages.values())):
        guards.append(Guard.SAMPLE_RATIO)
    if report.seen_twice and report.seen_twice.excessive:
        guards.append(Guard.SEVERAL_VARIANTS)
    if _moves_denominator(criteria, statistics.get(criteria.metric, {})):
        guards.append(Guard.UNSUITABLE_METRIC)
    return guards


def _moves_denominator(criteria: Criteria, variants: Mapping[str, Statistic]) -> bool:
    baseline = variants.get(criteria.baseline)
    if baseline is None or not isinstance(plain_of(baseline), Ratio):
        return False
    others = [found for key, found in variants.items() if key != criteria.baseline]
    return any(check_denominator(baseline, other, alpha=GUARD_ALPHA / len(others)).moved for other in others)
