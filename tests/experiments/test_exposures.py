"""Exposures come in through the ordinary ingestion, as the client's tracking callback sends them."""

import json
from datetime import timedelta

import pytest
from django.test import Client

from experiments import services
from experiments.assignment import bucket_ranges, choose, hash_fraction
from experiments.exposures import count_exposed, take_in_exposed
from experiments.models import Assignment
from experiments.traffic import holdouts
from personalization.access.services import create_key


@pytest.fixture
def served(make_experiment, start):
    experiment = make_experiment(key="spring", is_served=True)
    services.start_experiment(experiment, at=start)
    return experiment


@pytest.fixture
def view(db, start):
    """Sends "Experiment Viewed" of a userId (or an anonymousId) to the ingestion."""
    token = create_key(name="shop", scopes=["ingest"])[1]
    numbers = iter(range(1000))

    def send(variation, hours=1.0, experiment="spring", **who):
        body = {
            "type": "track", "event": "Experiment Viewed", "messageId": f"m-{next(numbers)}",
            "timestamp": (start + timedelta(hours=hours)).isoformat(),
            "properties": {"experimentId": experiment, "variationId": variation}, **who,
        }  # fmt: skip
        answer = Client().post(
            "/v1/track", json.dumps(body), content_type="application/json",
            headers={"Authorization": f"Bearer {token}"},
        )  # fmt: skip
        assert answer.status_code == 200, answer.content

    return send


def variant_of(value):
    return ("control", "a")[choose(hash_fraction("spring", value), bucket_ranges([0.5, 0.5], 1))]


def test_who_saw_a_variant_is_taken_in_from_the_first_time_on(served, view, start):
    people = [f"u-{n}" for n in range(20)]
    for person in people:
        view(variant_of(person), hours=2, userId=person)
        view(variant_of(person), hours=1, userId=person)
        view("a", experiment="other", userId=person)
    now = start + timedelta(hours=3)
    assert take_in_exposed(now=now) == 20
    assert take_in_exposed(now=now) == 0
    rows = Assignment.objects.values_list(
        "customer__external_id", "variant__key", "propensity", "assigned_at"
    )
    assert sorted(rows) == sorted((p, variant_of(p), 0.5, start + timedelta(hours=1)) for p in people)
    by_variant, contradicted = count_exposed(served)
    assert (sum(by_variant.values()), contradicted) == (20, 0)


def test_a_visitor_is_hashed_by_the_id_the_browser_knows(served, view, start):
    view(variant_of("cookie-1"), anonymousId="cookie-1")
    take_in_exposed(now=start + timedelta(hours=3))
    assert Assignment.objects.get().variant.key == variant_of("cookie-1")


def test_who_saw_something_else_is_counted_as_a_contradiction_and_not_moved(served, view, start):
    right = variant_of("ada")
    wrong = "a" if right == "control" else "control"
    view(wrong, userId="ada")
    view(0 if variant_of("bob") == "control" else 1, userId="bob")  # GrowthBook's number of the variant
    take_in_exposed(now=start + timedelta(hours=3))
    assert Assignment.objects.get(customer__external_id="ada").variant.key == right
    assert count_exposed(served)[1] == 1


def test_members_of_a_holdout_and_views_outside_the_run_take_nobody_in(served, view, start):
    inside = next(f"h-{n}" for n in range(99) if hash_fraction("holdout:all:1", f"h-{n}") < 0.2)
    holdouts.create_holdout(key="all", name="All", share=0.2, at=start, actor="test")
    free = next(f"f-{n}" for n in range(99) if hash_fraction("holdout:all:1", f"f-{n}") >= 0.2)
    view("a", userId=inside)
    view("a", hours=-1, userId=f"{free}")
    services.end_experiment(served, at=start + timedelta(hours=2))
    view("a", hours=2.5, userId=free)
    assert take_in_exposed(now=start + timedelta(hours=3)) == 0
    view("a", hours=1.5, userId=free)
    assert take_in_exposed(now=start + timedelta(hours=3)) == 1


def test_an_experiment_that_is_not_served_takes_nobody_in(make_experiment, view, start):
    services.start_experiment(make_experiment(key="spring"), at=start)
    view("a", userId="ada")
    assert take_in_exposed(now=start + timedelta(hours=3)) == 0
