"""Guards veto a decision: no numbers, however clear, ship anything while one of them speaks up."""

from datetime import timedelta

import pytest

from experiments.decisions import Action, Code, Guard
from experiments.looks import looks
from experiments.models import Metric
from experiments.plans.draft import draft_criteria, entrants_of
from experiments.plans.plan import freeze_plan
from experiments.services import VariantSpec, ensure_default_metrics
from personalization.events.services import NewEvent, record_events
from tests.experiments.conftest import START

pytestmark = pytest.mark.django_db
END = START + timedelta(days=14)


@pytest.fixture
def divided(make_experiment, make_customers, place):
    """400 customers, half in each variant; the metric is chosen by the test."""
    ensure_default_metrics()
    experiment, people = make_experiment(), make_customers(400)
    place(experiment, "control", people[:200])
    place(experiment, "a", people[200:])
    return experiment, people[:200], people[200:]


@pytest.fixture
def judge(divided):
    def judge_(metric, **options):
        experiment = divided[0]
        criteria = draft_criteria(entrants_of(experiment), wishes={"metric": metric}, start=START)
        plan = freeze_plan(experiment, criteria, actor="ann", at=START)
        return looks.judge_look(plan, len(criteria.looks), END, **options).decision

    return judge_


def record(people, name, **fields):
    record_events(
        NewEvent(
            customer_id=person.pk, message_id=f"{name}-{person.pk}", name=name,
            occurred_at=START + timedelta(hours=1), **fields,
        )
        for person in people
    )  # fmt: skip


def test_without_a_guard_the_better_variant_is_shipped(divided, judge) -> None:
    record(divided[2][:60], "Order Completed", value=20)
    record(divided[1][:20], "Order Completed", value=20)
    even = {"sent": {"a": 200}, "delivered": {"a": 199}}
    assert judge("conversion", stages=even).action is Action.SHIP


def test_customers_who_saw_another_variant_than_theirs_veto(divided, judge) -> None:
    record(divided[2][:60], "Order Completed", value=20)
    seen = {"experimentId": "spring", "variationId": "a"}
    record(divided[1][:5], "Experiment Viewed", properties=seen)  # 5 of 400 are more than 1 %
    decision = judge("conversion")
    assert (decision.action, decision.code) == (Action.STOP, Code.GUARD_BROKEN)
    assert decision.guards == (Guard.SEVERAL_VARIANTS,)


def test_a_few_who_saw_another_variant_do_not_veto(divided, judge) -> None:
    record(divided[2][:60], "Order Completed", value=20)
    record(divided[1][:4], "Experiment Viewed", properties={"experimentId": "spring", "variationId": "a"})
    assert judge("conversion").guards == ()


def make_ratio():
    return Metric.objects.create(
        key="orders-per-visit", name="Orders for each visit", kind="ratio", event="Order Completed",
        denominator_event="Store Visited",
    )  # fmt: skip


def test_a_message_that_changes_what_the_metric_divides_by_vetoes(divided, judge) -> None:
    make_ratio()
    record(divided[1][:40], "Store Visited")
    record(divided[2][:120], "Store Visited")
    record([*divided[1][:20], *divided[2][:30]], "Order Completed", value=20)
    assert judge("orders-per-visit").guards == (Guard.UNSUITABLE_METRIC,)


def test_a_ratio_whose_divisor_stays_may_decide(divided, judge) -> None:
    make_ratio()
    record([*divided[1][:100], *divided[2][:104]], "Store Visited")
    record([*divided[1][:20], *divided[2][:60]], "Order Completed", value=20)
    decision = judge("orders-per-visit")
    assert (decision.guards, decision.action) == ((), Action.SHIP)


@pytest.mark.parametrize("stage", ["sent", "delivered"])
def test_messages_that_reach_one_variant_less_veto(make_experiment, make_customers, place, stage) -> None:
    ensure_default_metrics()
    variants = [VariantSpec("a", "A", 0.5), VariantSpec("b", "B", 0.5)]
    experiment, people = make_experiment(variants=variants), make_customers(400)
    place(experiment, "a", people[:200])
    place(experiment, "b", people[200:])
    criteria = draft_criteria(entrants_of(experiment), wishes={"metric": "conversion"}, start=START)
    plan = freeze_plan(experiment, criteria, actor="ann", at=START)
    reached = {"sent": {"a": 200, "b": 200}, "delivered": {"a": 200, "b": 200}}
    assert looks.judge_look(plan, 1, END, stages=reached).decision.guards == ()
    reached[stage] = {"a": 200, "b": 120}
    assert looks.judge_look(plan, 1, END, stages=reached).decision.guards == (Guard.SAMPLE_RATIO,)
