"""Plans: good defaults, frozen at the start, changed only with a reason."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from experiments.decisions import Method
from experiments.errors import InvalidPlan
from experiments.looks import looks
from experiments.models import Metric, Plan
from experiments.plans.draft import Entrant, default_looks, draft_criteria, entrants_of
from experiments.plans.plan import amend_plan, criteria_of, current_plan, freeze_plan, look_times
from experiments.services import ensure_default_metrics
from tests.experiments.conftest import START

pytestmark = pytest.mark.django_db
WITH_CONTROL = [Entrant("control", True), Entrant("a", False)]
TWO_MESSAGES = [Entrant("a", False), Entrant("b", False)]


@pytest.fixture(autouse=True)
def metrics(db):
    ensure_default_metrics()


@pytest.fixture
def planned(make_experiment):
    experiment = make_experiment()
    criteria = draft_criteria(entrants_of(experiment), wishes={}, start=START)
    freeze_plan(experiment, criteria, actor="ann", at=START)
    return experiment


def test_nothing_need_be_filled_in() -> None:
    criteria = draft_criteria(WITH_CONTROL, wishes={}, start=START)
    assert (criteria.metric, criteria.baseline, criteria.method) == (
        "revenue", "control", Method.GROUP_SEQUENTIAL,
    )  # fmt: skip
    assert (criteria.length_days, criteria.looks, criteria.min_days) == (14, (0.5, 1.0), 7)
    # Nobody leaves by a mail that was not sent: against a control this guardrail cannot be asked.
    assert criteria.guardrails == ()


def test_a_test_for_the_winner_is_short_and_between_messages() -> None:
    criteria = draft_criteria(
        [Entrant("control", True), *TWO_MESSAGES], wishes={}, start=START, is_winner_test=True
    )
    assert (criteria.baseline, criteria.length_days, criteria.looks) == ("a", 2, (0.5, 0.75, 1.0))
    assert [(g.metric, g.margin) for g in criteria.guardrails] == [("unsubscribed", 0.002)]


def test_looks_may_be_dates_which_fix_the_length() -> None:
    wishes = {"looks": ["2026-03-05T09:00:00+00:00", "2026-03-09T09:00:00+00:00"]}
    criteria = draft_criteria(TWO_MESSAGES, wishes=wishes, start=START)
    assert (criteria.looks, criteria.length_days, criteria.min_days) == ((0.5, 1.0), 8, 4)


def test_weekly_looks_see_whole_weeks() -> None:
    assert default_looks(14) == (0.5, 1.0)
    assert default_looks(21) == (1 / 3, 2 / 3, 1.0)
    assert default_looks(15) == (7 / 15, 14 / 15, 1.0)


@pytest.mark.parametrize(
    ("wishes", "pointer"),
    [
        ({"alpha": 2}, "/plan/alpha"),
        ({"alpha": "much"}, "/plan/alpha"),
        ({"metric": "nothing"}, "/plan/metric"),
        ({"metric": "clicked"}, "/plan/metric"),
        ({"method": "guess"}, "/plan/method"),
        ({"looks": [0.5, 0.4]}, "/plan/looks"),
        ({"looks": ["someday"]}, "/plan/looks"),
        ({"looks": 3}, "/plan/looks"),
        ({"guardrails": [{"metric": "nothing"}]}, "/plan/guardrails"),
        ({"guardrails": "none"}, "/plan/guardrails"),
        ({"baseline": "z"}, "/plan/baseline"),
        ({"shoe_size": 44}, "/plan/shoe_size"),
    ],
)
def test_what_makes_no_sense_is_refused_where_it_stands(wishes, pointer) -> None:
    with pytest.raises(InvalidPlan) as refused:
        draft_criteria(WITH_CONTROL, wishes=wishes, start=START)
    assert refused.value.errors[0]["pointer"] == pointer


def test_what_was_frozen_is_read_back_as_it_was(planned) -> None:
    plan = current_plan(planned)
    assert criteria_of(plan) == draft_criteria(WITH_CONTROL, wishes={}, start=START)
    assert plan.terms["metrics"]["revenue"]["event"] == "Order Completed"
    assert plan.next_look_at == START + timedelta(days=7)


def test_a_plan_is_frozen_once(planned) -> None:
    with pytest.raises(InvalidPlan):
        freeze_plan(planned, criteria_of(current_plan(planned)), actor="bob", at=START)


def test_a_change_is_a_new_version_that_says_who_when_and_why(planned) -> None:
    later = START + timedelta(days=8)
    changed = amend_plan(planned, {"length_days": 28}, actor="bob", at=later, reason="Easter came between")
    assert (changed.version, changed.made_by, changed.reason) == (2, "bob", "Easter came between")
    assert criteria_of(changed).looks == (0.25, 0.5, 0.75, 1.0)
    # The look at day 7 lies before the change: it is not taken again under the new plan.
    assert changed.next_look_at == START + timedelta(days=14)
    first = Plan.objects.get(experiment=planned, version=1)
    assert (first.next_look_at, first.terms["length_days"]) == (None, 14)


def test_a_change_without_a_reason_is_refused_by_service_and_database(planned) -> None:
    with pytest.raises(InvalidPlan):
        amend_plan(planned, {"alpha": 0.1}, actor="bob", at=START, reason=" ")
    with pytest.raises(IntegrityError), transaction.atomic():
        Plan.objects.create(experiment=planned, version=2, terms={}, made_by="bob", made_at=START)


def test_an_always_valid_test_is_looked_at_by_the_clock_and_skips_what_it_missed(make_experiment) -> None:
    experiment = make_experiment()
    criteria = draft_criteria(entrants_of(experiment), wishes={"method": "always_valid"}, start=START)
    plan = freeze_plan(experiment, criteria, actor="ann", at=START)
    assert len(look_times(criteria, START)) == 48
    assert looks.due_look(plan, now=START) is None
    assert looks.due_look(plan, now=START + timedelta(days=7)) == (24, START + timedelta(days=7))


def test_the_name_of_a_metric_may_change_but_not_what_it_asks(planned) -> None:
    plan = current_plan(planned)
    Metric.objects.filter(key="revenue").update(name="Takings")
    assert looks.judge_look(plan, 1, START + timedelta(days=7)).decision.guards == ()
    Metric.objects.filter(key="revenue").update(cap=500)
    assert looks.judge_look(plan, 1, START + timedelta(days=7)).decision.guards == ("metric_changed",)
