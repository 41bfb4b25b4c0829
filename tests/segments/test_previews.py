"""Estimates from drawn customers beside the exact counts."""

import pytest

from personalization.customers.models import Customer
from personalization.segments import previews
from tests.segments.conftest import NOW

ORDERS = {"event": "Order", "is": "at_least", "value": 1}
BEST = {"event": "Order", "op": "sum", "is": "top_percent", "value": 10}


def test_one_pass_finds_what_counting_and_looking_find(world):
    people = [world.customer(f"c{n}", country="GB" if n % 2 else "CN") for n in range(16)]
    found = previews.preview({"trait": "country", "op": "is", "value": "GB"}, now=NOW)
    assert (found.count, found.margin) == (8, None)
    assert [customer.pk for customer in found.some] == [people[n].pk for n in (15, 13, 11, 9, 7)]
    assert previews.preview({"trait": "country", "op": "in", "value": ["FR"]}, now=NOW).some == []


def test_an_estimate_of_everybody_is_exact_and_nobody_erased_is_counted(world):
    people = [world.customer(f"c{n}") for n in range(20)]
    for person in people[:6]:
        world.event(person, value=5)
    Customer.objects.filter(pk=people[0].pk).update(erased_at=NOW)
    found = previews.estimate(ORDERS, now=NOW)
    assert (found.count, [c.pk for c in found.some]) == (5, [p.pk for p in people[5:0:-1]])


def test_an_estimate_from_a_part_is_near_and_says_how_near(world, monkeypatch):
    monkeypatch.setattr(previews, "DRAWN", 400)
    Customer.objects.bulk_create(
        Customer(external_id=f"c{n}", country="GB" if n % 10 < 3 else "CN", created_at=NOW)
        for n in range(2000)
    )
    found = previews.estimate({"trait": "country", "op": "is", "value": "GB"}, now=NOW)
    assert found.margin == pytest.approx(1.96 * 2000 * (0.3 * 0.7 / 360) ** 0.5, rel=0.25)
    assert abs(found.count - 600) < 2 * found.margin


def test_the_top_percent_of_a_drawn_part_is_the_top_of_that_part(world, monkeypatch):
    monkeypatch.setattr(previews, "_draw", lambda: ids)
    people = [world.customer(f"c{n}") for n in range(40)]
    for number, person in enumerate(people):
        world.event(person, value=number + 1)
    ids = [person.pk for person in people[:20]]
    found = previews.estimate(BEST, now=NOW)
    assert [customer.pk for customer in found.some] == [people[19].pk, people[18].pk]
    assert found.count == 4  # a tenth of all forty
