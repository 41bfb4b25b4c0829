"""Kinds with a rule of their own, by examples that can be counted by hand."""

from datetime import timedelta

import numpy as np
import pytest
from django.test import override_settings

from personalization.customers.models import Customer
from personalization.events.services import NewEvent, record_events
from personalization.traits.kinds.preferred_hour import best_hour
from personalization.traits.kinds.rfm import rfm_class, rfm_scores
from personalization.traits.models import TraitDefinition
from personalization.traits.refreshing import refresh, refresh_due
from personalization.traits.registry import trait_kinds
from tests.traits.conftest import NOW


def test_every_combination_of_quintiles_has_a_class():
    scores = range(1, 6)
    classes = {rfm_class(r, f, m) for r in scores for f in scores for m in scores}
    assert classes == {
        "champions", "loyal", "cannot_lose", "promising", "new", "needs_attention", "at_risk",
        "big_spender_lapsed", "hibernating",
    }  # fmt: skip
    assert rfm_class(5, 5, 5) == "champions"
    assert rfm_class(1, 5, 1) == "cannot_lose"


def test_scores_are_counted_from_the_bounds_and_the_freshest_is_best():
    bounds = {"recency": [5, 10, 20, 40], "frequency": [1, 1, 2, 4], "money": [9, 20, 50, 90]}
    assert rfm_scores((3, 5, 100), bounds) == (5, 5, 5)
    assert rfm_scores((60, 1, 5), bounds) == (1, 1, 1)
    assert rfm_scores((10, 2, 50), bounds) == (4, 3, 3)


@pytest.mark.parametrize("kind", list(trait_kinds()))
def test_every_kind_explains_itself(kind):
    found = trait_kinds()[kind]
    text = found.formula(TraitDefinition(name="x", kind=kind, event="Order Completed", window_days=30))
    assert len(text) > 15 and str(found.label)
    assert found.value_type in ("number", "text", "time")


@pytest.mark.parametrize(
    ("orders", "stage"),
    [([5], "new"), ([40], "active"), ([5, 60], "active"), ([100], "at_risk"), ([181, 300], "lapsed")],
)
def test_the_stage_follows_the_last_order(ada, happen, define, orders, stage):
    for days in orders:
        happen(ada, days_ago=days)
    refresh(define("stage", "lifecycle", window_days=90), now=NOW)
    assert Customer.objects.get().traits == {"stage": stage}


def test_engagement_counts_recent_deeds_of_people(ada, happen, define):
    happen(ada, "Message Clicked", days_ago=1)
    happen(ada, "Message Clicked", days_ago=1, machine=True)
    happen(ada, "Order Completed", days_ago=20)
    happen(ada, "Page Viewed", days_ago=100)
    refresh(define("score", "engagement"), now=NOW)
    # 3 · 1 + 10 · ½ = 8 points: 100 · (1 − e^(−0.4)) = 32.97
    assert Customer.objects.get().traits == {"score": 33}


def test_the_preferred_channel_is_where_somebody_answers(ada, happen, define):
    for _ in range(2):
        happen(ada, "Message Opened", channel="email", days_ago=2)
    happen(ada, "Message Clicked", channel="sms", days_ago=2)
    refresh(define("channel", "preferred_channel"), now=NOW)
    assert Customer.objects.get().traits == {"channel": "sms"}


@override_settings(TIME_ZONE="UTC")
def test_the_preferred_hour_is_local(ada, happen, define):
    Customer.objects.update(time_zone="Asia/Shanghai")
    for days in (1, 2, 3):
        happen(ada, "Page Viewed", days_ago=days)
    refresh(define("hour", "preferred_hour"), now=NOW)
    assert Customer.objects.get().traits == {"hour": 20}  # 12:00 UTC


def test_hours_are_neighbors_around_midnight():
    counts = np.zeros(24)
    counts[[23, 0, 12]] = [2, 3, 3]
    assert best_hour(counts) == 0


@pytest.mark.django_db
def test_models_of_many_customers_fill_churn_value_and_rfm(define):
    TraitDefinition.objects.all().delete()
    rng = np.random.default_rng(3)
    people = Customer.objects.bulk_create(Customer(external_id=f"c{n}", created_at=NOW) for n in range(300))
    events = []
    for person in people:
        gap, days = rng.gamma(2.0, 20.0), 0.0
        while days < 300 and rng.random() > 0.1:
            at = NOW - timedelta(days=300) + timedelta(days=days)
            events.append(
                NewEvent(person.pk, f"{person.pk}-{days}", "Order Completed", at, None, rng.gamma(4.0, 5.0))
            )
            days += rng.exponential(gap)
    record_events(events, received_at=NOW)
    define("churn", "churn", window_days=60)
    define("worth", "lifetime_value", window_days=365)
    define("rfm", "rfm")
    refresh_due(now=NOW)
    buyers = {event.customer_id for event in events}
    rows = Customer.objects.filter(pk__in=buyers).values_list("traits", flat=True)
    assert all(0 <= row["churn"] <= 1 and row["worth"] >= 0 and row["rfm"] for row in rows)
    churn = TraitDefinition.objects.get(name="churn")
    assert churn.covered == len(buyers)
    assert churn.state["checked"]["brier"] < churn.state["checked"]["brier_base"]
    assert "r=" in trait_kinds()["churn"].formula(churn)
