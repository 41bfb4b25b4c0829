"""A step that fails for some: the others go on, and those set aside can be sent on."""

from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from campaigns.journeys import passing, services, stuck
from campaigns.journeys.nodes import goal
from campaigns.models import Passage
from personalization.access.models import AuditEntry
from tests.campaigns.journeys.test_journeys import START, node

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def fails_for(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """The numbers of customers with whom the goal cannot deal."""
    some: set[int] = set()
    decide = goal.GoalNode.decide

    def hostile(self: Any, travelers: Any, place: Any) -> Any:
        if any(one.customer_id in some for one in travelers):
            raise KeyError("a name")
        return decide(self, travelers, place)

    monkeypatch.setattr(goal.GoalNode, "decide", hostile)
    return some


@pytest.fixture
def journey(make_journey: Any) -> Any:
    return make_journey({"g": node("goal", {})}, now=START)


def step_all() -> None:
    now = timezone.now()
    for due in passing.due_nodes(now=now):
        while stuck.step(due, now=now):
            pass


def states() -> dict[int, str]:
    return dict(Passage.objects.values_list("customer_id", "status"))


def test_one_whom_the_step_cannot_move_holds_up_nobody(
    make_customers: Any, journey: Any, fails_for: set[int]
) -> None:
    people = make_customers(250)
    bad = {people[0].pk, people[120].pk, people[249].pk}
    fails_for |= bad
    services.enter_by_api(journey, [(p.pk, {}) for p in people], key="1", actor="test")
    step_all()
    found = states()
    assert {pk for pk, status in found.items() if status == "failed"} == bad
    assert sum(status == "finished" for status in found.values()) == 247
    set_aside = Passage.objects.filter(status="failed")
    assert set(set_aside.values_list("end_reason", "node")) == {("KeyError", "g")}  # and not the name


def test_a_step_that_fails_for_everybody_ends_soon(
    make_customers: Any, journey: Any, fails_for: set[int], django_assert_max_num_queries: Any
) -> None:
    people = make_customers(600)
    fails_for.update(p.pk for p in people)
    services.enter_by_api(journey, [(p.pk, {}) for p in people], key="1", actor="test")
    with django_assert_max_num_queries(500):
        step_all()
    assert set(states().values()) == {"failed"}


def test_a_database_that_is_gone_sets_nobody_aside(
    make_customers: Any, journey: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = make_customers(1)[0]
    services.enter_by_api(journey, [(person.pk, {})], key="1", actor="test")

    def gone(*args: Any) -> Any:
        raise OperationalError

    monkeypatch.setattr(goal.GoalNode, "decide", gone)
    with pytest.raises(OperationalError):
        step_all()
    assert states() == {person.pk: "inside"}


def test_those_set_aside_are_sent_on_once_it_is_mended(
    make_customers: Any, journey: Any, fails_for: set[int], staff: Any
) -> None:
    people = make_customers(3)
    fails_for |= {people[0].pk, people[1].pk}
    services.enter_by_api(journey, [(p.pk, {}) for p in people], key="1", actor="test")
    step_all()
    fails_for.clear()
    client = staff("view_journey", "change_journey", "launch_campaign", "view_customer", "view_personal_data")
    page = client.get(f"/app/journeys/{journey.pk}/?node=g&show=published").content.decode()
    assert "Send them on" in page and "The step failed (KeyError)" in page
    client.post(f"/app/journeys/{journey.pk}/retry")
    step_all()
    assert set(states().values()) == {"finished"}
    assert AuditEntry.objects.get(action="journey.retried").detail == {"people": 2}


def test_those_set_aside_are_found_among_many(
    make_customers: Any, make_journey: Any, fails_for: set[int], staff: Any
) -> None:
    journey = make_journey({"g": node("goal", {}, done="w"), "w": node("delay", {"hours": 9})}, now=START)
    first, *others = make_customers(40)
    fails_for.add(first.pk)
    services.enter_by_api(journey, [(first.pk, {})], key="1", actor="test")
    step_all()
    fails_for.clear()
    services.enter_by_api(journey, [(p.pk, {}) for p in others], key="2", actor="test")
    client = staff("view_journey", "view_customer", "view_personal_data")
    page = client.get(f"/app/journeys/{journey.pk}/?node=g").content.decode()
    assert '<a href="?node=g#jn-people">Goal</a> (1)' in page
    assert '<strong class="jn-fault">1 stuck</strong>' in page  # in the box of the step
    assert "The step failed (KeyError)" in page  # on the first page, though they came in first


def test_who_came_in_anew_meanwhile_is_not_sent_on(
    make_customers: Any, journey: Any, fails_for: set[int]
) -> None:
    person = make_customers(1)[0]
    fails_for.add(person.pk)
    services.enter_by_api(journey, [(person.pk, {})], key="1", actor="test")
    step_all()
    old = Passage.objects.get()
    Passage.objects.create(
        journey=journey, version=old.version, customer=person, entry_key="again", node="g",
        entered_at=START, arrived_at=START, due_at=START,
    )  # fmt: skip
    assert stuck.send_on(journey, actor="test") == 0
    old.refresh_from_db()
    assert old.status == "failed"
