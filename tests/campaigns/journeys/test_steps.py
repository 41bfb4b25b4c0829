"""Steps that run at the same time, break, stand still or are not complete."""

from typing import Any

import pytest
from django.utils import timezone

from campaigns.errors import InvalidJourney
from campaigns.journeys import entering, passing, services
from campaigns.models import Delivery, Passage, PassageStep, Run, WebhookCall
from tests.campaigns.journeys.test_journeys import HOUR, START, node, states

pytestmark = pytest.mark.django_db(transaction=True)


def test_two_workers_at_once_move_everybody_once(
    make_customers: Any, make_message: Any, make_journey: Any
) -> None:
    import threading

    from django.db import connections

    people = make_customers(300)
    campaign = make_message()
    journey = make_journey(
        {"m": node("message", {"campaign": campaign}, done="h"), "h": node("webhook", {"url": "https://a.example/"})},
        now=START,
    )  # fmt: skip
    services.enter_by_api(journey, [(p.pk, {}) for p in people], key="1", actor="test")

    def work() -> None:
        now = timezone.now()
        while due := passing.due_nodes(now=now):
            for one in due:
                passing.step(one, now=now, limit=20)
        connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Passage.objects.filter(status="finished").count() == 300
    assert Delivery.objects.count() == 300 == Run.objects.get().audience_size
    assert WebhookCall.objects.count() == 300 and PassageStep.objects.count() == 600


def test_a_step_that_breaks_moves_nobody_and_writes_nothing(
    make_customers: Any, make_message: Any, make_journey: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = make_customers(1)[0]
    journey = make_journey({"m": node("message", {"campaign": make_message()})}, now=START)
    services.enter_by_api(journey, [(person.pk, {})], key="1", actor="test")

    def fail(*args: Any) -> None:
        raise OSError

    monkeypatch.setattr(passing, "_write", fail)
    with pytest.raises(OSError):
        passing.run_due(now=timezone.now())
    assert Delivery.objects.count() == 0 and Passage.objects.get().node == "m"


def test_a_paused_journey_stands_still(make_customers: Any, make_journey: Any, go: Any, did: Any) -> None:
    person = make_customers(1)[0]
    journey = make_journey(
        {"w": node("delay", {"hours": 1})}, now=START,
        entry={"kind": "event", "params": {"event": "Cart Updated"}},
    )  # fmt: skip
    did(person.pk, "Cart Updated", START + HOUR)
    services.pause(journey, actor="test")
    assert go(journey, START + 9 * HOUR) == 0
    services.resume(journey, actor="test")
    assert go(journey, START + 9 * HOUR) == 1 and states(journey)["c0"][0] == "finished"


def test_what_is_not_complete_cannot_be_published(make_message: Any) -> None:
    graph = {
        "entry": {"kind": "event", "params": {}}, "start": "m",
        "nodes": {"m": node("message", {"campaign": 0}, done="d"), "d": node("delay", {"hours": -1})},
    }  # fmt: skip
    journey = services.save_journey(None, name="J", graph=graph, actor="test")
    with pytest.raises(InvalidJourney) as error:
        services.publish(journey, actor="test")
    assert {one["pointer"] for one in error.value.errors} == {
        "/entry/params/event", "/nodes/m/params/campaign", "/nodes/d/params/hours",
    }  # fmt: skip
    assert entering.look(journey.pk, now=START) == 0
