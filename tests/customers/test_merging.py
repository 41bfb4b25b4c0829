"""A visitor turns out to be a customer: what other rooms know of the visitor follows where they say so."""

from datetime import UTC, datetime

import pytest

from experiments import services
from experiments.models import Assignment, HoldoutMember
from experiments.services import VariantSpec
from experiments.traffic import holdouts
from personalization.customers.identity import resolve
from personalization.customers.models import Customer
from personalization.events.identity import connect

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def experiment():
    specs = [VariantSpec("a", "A", 1), VariantSpec("b", "B", 1)]
    return services.create_experiment(key="spring", name="Spring", variants=specs)


def people() -> tuple[int, int]:
    found = resolve(user_ids=["ada"], anonymous_ids=["cookie"], at=NOW)
    return found.visitors["cookie"], found.users["ada"]


def test_the_visitors_variant_becomes_the_customers(experiment):
    visitor, customer = people()
    before = services.assign(experiment, [visitor], at=NOW)[visitor]
    connect([("ada", "cookie")])
    assert services.assign(experiment, [customer], at=NOW)[customer] == before
    assert not Customer.objects.filter(pk=visitor).exists()


def test_a_customer_who_has_a_variant_keeps_it_and_the_counts_add_up(experiment):
    visitor, customer = people()
    before = services.assign(experiment, [visitor, customer], at=NOW)
    connect([("ada", "cookie")])
    assert services.assign(experiment, [customer], at=NOW)[customer] == before[customer]
    assert dict(Assignment.objects.values_list("customer", "variant")) == {
        pk: variant for pk, (variant, _chance) in before.items()
    }


def test_a_visitor_who_gets_a_name_keeps_the_variant(experiment):
    visitor = resolve(anonymous_ids=["cookie"], at=NOW).visitors["cookie"]
    before = services.assign(experiment, [visitor], at=NOW)
    connect([("ada", "cookie")])
    assert services.assign(experiment, [visitor], at=NOW) == before
    assert Customer.objects.get(pk=visitor).external_id == "ada"


def test_a_stay_in_a_holdout_follows_too():
    visitor, customer = people()
    holdout = holdouts.create_holdout(key="all", name="All", share=0.5, at=NOW, actor="test")
    HoldoutMember.objects.all().delete()
    HoldoutMember.objects.create(
        holdout=holdout, version=holdout.versions.get(), customer_id=visitor, entered_at=NOW
    )
    connect([("ada", "cookie")])
    assert customer in holdouts.draw([customer], at=NOW)[0]
