"""Journeys: how long a step of many people takes, kind by kind, and whether killed workers do anything twice.

    python benchmarks/journeys.py [--quick] [--save]

100,000 people (--quick: 10,000), 20 events each, step by step through a journey with every kind of node; the
time of each step is of one worker. Then two workers carry a fifth of them over a message and a webhook while
one after the other is killed with SIGKILL: each must have one message and one call.
"""

import os
import random
import signal
import sys
import time
from datetime import timedelta
from typing import Any

from _run import parse_args, report
from _sending import fill, fork, own_database

GOAL_SECONDS = 60
KILLS = 10
HTML = '<p>{{ trigger.cart }}</p><a href="{{ unsubscribe_url }}">Unsubscribe</a>'


def main() -> None:
    args = parse_args(__doc__)
    people = 10_000 if args.quick else 100_000
    with own_database("journeys"):
        figures = measure(people)
    slowest = max(value for key, value in figures.items() if key.endswith("_s"))
    report("journeys", figures, {"goal_to_slowest": GOAL_SECONDS / slowest}, args=args, packages=("psycopg",))
    if figures["lost"] or figures["doubled"]:
        sys.exit(1)


def measure(people: int) -> dict[str, Any]:
    fill(people)
    events(people)
    figures: dict[str, Any] = {"people": people}
    figures.update(steps())
    figures.update(kills(people // 5))
    return figures


def events(people: int) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO events_event (customer_id, message_key, name, value, properties, context,
                occurred_at, received_at)
            SELECT c.id, md5(c.id || '-' || n)::uuid, (ARRAY['Product Viewed', 'Order Completed'])[1 + n % 2],
                10, '{}', '{}', now() - random() * interval '60 days', now() - interval '1 day'
            FROM customers_customer c CROSS JOIN generate_series(1, 20) n"""
        )
        cursor.execute("ANALYZE")


def node(kind: str, params: dict[str, Any], **ways: str) -> dict[str, Any]:
    return {"kind": kind, "params": params, "next": ways}


def message(name: str) -> int:
    from campaigns import services

    return services.save_campaign(
        None, name=name, segment=None, kind="triggered", control_share=0.0, actor="benchmark",
        sender_address="shop@shop.example",
        messages=[services.MessageDraft(key="a", subject="Hello", body=HTML)],
    ).pk  # fmt: skip


def start(nodes: dict[str, Any], *, segment: int) -> Any:
    """A journey for everybody in the segment, and those let in; the second part is how long that took."""
    from django.utils import timezone

    from campaigns.journeys import entering, services

    graph = {
        "entry": {"kind": "segment", "params": {"segment": segment, "with_present": True}},
        "start": next(iter(nodes)), "nodes": nodes, "exits": [{"event": "Gone"}],
    }  # fmt: skip
    journey = services.save_journey(None, name="Benchmark", graph=graph, actor="benchmark")
    services.publish(journey, actor="benchmark")
    journey.refresh_from_db()
    type(journey).objects.filter(pk=journey.pk).update(read_at=timezone.now() - timedelta(hours=1))
    begun = time.perf_counter()
    entering.look(journey.pk, now=timezone.now())
    return journey, time.perf_counter() - begun


def steps() -> dict[str, float]:
    from django.utils import timezone

    from campaigns.journeys import passing
    from campaigns.models import Passage
    from personalization.segments.services import save_segment

    everybody = save_segment(
        None, name="Everybody", definition={"trait": "country", "op": "in", "value": ["GB"]}
    ).segment_id
    chain = {
        "wait": node("delay", {"hours": 0, "clock": "09:00"}, done="event"),
        "event": node("until_event", {"event": "Gone too", "hours": 1}, timeout="did"),
        "did": node("split_event", {"event": "Order Completed", "days": 30}, yes="in", no="in"),
        "in": node("split_segment", {"segment": everybody}, **{"in": "chance"}),
        "chance": node("split_random", {"ways": [["a", 1], ["b", 1]]}, a="trait", b="trait"),
        "trait": node("trait", {"trait": "stage", "value": "in"}, done="mail"),
        "mail": node("message", {"campaign": message("Step")}, done="hook"),
        "hook": node("webhook", {"url": "https://shop.example/hook"}, done="goal"),
        "goal": node("goal", {}),
    }
    _journey, seconds = start(chain, segment=everybody)
    figures = {"enter_s": round(seconds, 1)}
    now = timezone.now()
    for key in chain:
        begun = time.perf_counter()
        while found := [due for due in passing.due_nodes(now=now) if due.node == key]:
            for due in found:
                while passing.step(due, now=now) == passing.BATCH:
                    pass
        figures[f"{chain[key]['kind']}_s"] = round(time.perf_counter() - begun, 1)
        # Whoever waits is due at once: what is measured is the step, not the wait.
        ago = now - timedelta(days=2)
        Passage.objects.filter(status="inside", due_at__gt=now).update(due_at=now, arrived_at=ago)
        while waiting := [due for due in passing.due_nodes(now=now) if due.node == key]:
            for due in waiting:
                while passing.step(due, now=now) == passing.BATCH:
                    pass
    return figures


def work(until: float) -> None:
    from django.utils import timezone

    from campaigns.journeys import passing

    while time.monotonic() < until:
        for due in passing.due_nodes(now=timezone.now()):
            passing.step(due, now=timezone.now(), limit=200)


def kills(people: int) -> dict[str, Any]:
    from django.db import connection, connections

    from campaigns.models import Delivery, Passage, WebhookCall
    from personalization.segments.services import save_segment

    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE customers_customer SET country = 'FR' WHERE id IN"
            " (SELECT id FROM customers_customer ORDER BY id LIMIT %s)", [people]
        )  # fmt: skip
    some = save_segment(
        None, name="Some", definition={"trait": "country", "op": "in", "value": ["FR"]}
    ).segment_id
    campaign = message("Killed")
    journey, _seconds = start(
        {"mail": node("message", {"campaign": campaign}, done="hook"),
         "hook": node("webhook", {"url": "https://shop.example/hook"})},
        segment=some,
    )  # fmt: skip
    rng = random.Random(7)

    def begin() -> Any:
        connections.close_all()
        process = fork.Process(target=work, args=(time.monotonic() + 120,), daemon=True)
        process.start()
        return process

    workers, killed = [begin(), begin()], 0
    inside = Passage.objects.filter(journey=journey, status="inside")
    while inside.exists():
        time.sleep(rng.uniform(0.05, 0.3))
        if killed < KILLS:
            victim = rng.randrange(2)
            os.kill(workers[victim].pid, signal.SIGKILL)
            workers[victim].join()
            workers[victim] = begin()
            killed += 1
    for worker in workers:
        worker.kill()
    messages = Delivery.objects.filter(run__campaign=campaign).count()
    calls = WebhookCall.objects.filter(passage__journey=journey)
    each = calls.values("passage").distinct().count()
    customers = Delivery.objects.filter(run__campaign=campaign).values("customer").distinct().count()
    return {
        "killed_people": people, "kills": killed,
        "lost": (people - customers) + (people - each),
        "doubled": (messages - customers) + (calls.count() - each),
    }  # fmt: skip


if __name__ == "__main__":
    main()
