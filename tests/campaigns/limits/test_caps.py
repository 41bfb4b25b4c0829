"""Caps and quiet hours at the moment of sending, on PostgreSQL, a real SMTP server and with many at once."""

import multiprocessing
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
import time_machine
from django.conf import settings as configured
from django.db import connection, connections
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from campaigns import ledger, selectors, services
from campaigns.ledger import Row
from campaigns.limits import caps
from campaigns.limits.caps import Cap
from campaigns.models import Chunk, Delivery, FrequencyCap, QuietHours, SendLock, TopicRule, Touch
from campaigns.sending import chunk
from personalization.customers.models import Customer
from personalization.customers.services import record_consent

pytestmark = pytest.mark.django_db(transaction=True)
BODY = '<p>Hello</p><a href="{{ unsubscribe_url }}">Unsubscribe</a>'
DAY = timedelta(days=1)
fork = multiprocessing.get_context("fork")


def launch(make_campaign: Callable[..., Any], *, topic: str = "marketing", **timing: Any) -> Any:
    campaign = make_campaign(bodies=(BODY,), topic=topic, timing=timing)
    return services.launch(campaign, actor="test")


def at_once(runs: list[Any], *, workers: int) -> None:
    """Threads that take whatever chunk is due, of all runs."""

    def work() -> None:
        while due := list(
            Chunk.objects.filter(ledger.open_chunks(timezone.now()), run__in=runs)
            .order_by("?")
            .values_list("pk", flat=True)[:5]
        ):
            for pk in due:
                chunk.send_chunk(pk)
        chunk.close_sessions()
        connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_fifty_campaigns_at_once_never_pass_a_cap(sink: Any, make_customers: Any, make_campaign: Any) -> None:
    FrequencyCap.objects.create(max_messages=3, window_hours=24)
    FrequencyCap.objects.create(topic="sale", max_messages=1, window_hours=48, channel="email")
    people = make_customers(30)
    for person in people:
        record_consent(person.pk, channel="email", topic="sale", granted=True, source="test")
    runs = [launch(make_campaign, topic="sale" if n % 2 else "marketing") for n in range(50)]
    at_once(runs[1:2], workers=1)  # a sale comes first, so that the others find its place taken
    at_once(runs, workers=8)
    assert sink.recipients == {person.email: 3 for person in people}
    sales = Delivery.objects.filter(run__in=runs, status="sent", run__content__topic="sale")
    assert set(Counter(sales.values_list("customer_id", flat=True)).values()) == {1}
    skipped = Delivery.objects.filter(run__in=runs, status="skipped")
    assert skipped.filter(reason="cap").count() == skipped.count() == 50 * 30 - 90
    assert Touch.objects.filter(is_reserved=True).count() == 0 and Touch.objects.count() == 90


def test_a_reservation_of_a_killed_worker_is_given_back(
    sink: Any, make_customers: Any, make_campaign: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "LEASE", timedelta(seconds=1))
    FrequencyCap.objects.create(max_messages=1, window_hours=24)
    make_customers(40)
    first, second = launch(make_campaign), launch(make_campaign, cap_rule="wait")
    sink.on_data = lambda recipient: time.sleep(0.02)
    connections.close_all()
    worker = fork.Process(target=chunk.send_chunk, args=(first.chunks.get().pk,), daemon=True)
    worker.start()
    while len(sink.accepted) < 10:
        time.sleep(0.005)
    os.kill(worker.pid, signal.SIGKILL)  # type: ignore[arg-type]
    worker.join()
    # The dead one's places are all taken until somebody knows what became of them.
    at_once([second], workers=1)
    assert selectors.progress(second)["waiting"] == {"cap": 40}
    services.pause(first, actor="test")
    time.sleep(1.1)
    services.resume(first, actor="test")
    at_once([first], workers=1)
    services.cancel(first, actor="test")
    found = selectors.progress(first)
    assert found["sent"] + found["unknown"] == 40
    assert found["unknown"] <= configured.SEND_CONNECTIONS  # one for each connection of the dead worker
    assert max(sink.recipients.values()) == 1


def test_a_place_that_was_not_used_goes_to_the_next_campaign(
    sink: Any, make_customers: Any, make_campaign: Any
) -> None:
    FrequencyCap.objects.create(max_messages=1, window_hours=24)
    make_customers(3)
    sink.fault = lambda recipient, number: "5xx"
    first, second = launch(make_campaign), launch(make_campaign)
    at_once([first], workers=1)
    sink.fault = lambda recipient, number: ""
    at_once([second], workers=1)
    assert selectors.progress(first)["failed"] == 3 and selectors.progress(second)["sent"] == 3


def test_a_dead_workers_places_under_a_paused_run_count_until_its_lease_ended(
    make_customers: Any, make_campaign: Any
) -> None:
    people = make_customers(2)
    run = launch(make_campaign)
    claim = ledger.claim(run.chunks.get().pk, owner="j/b/1", journal="j/b")
    assert claim is not None
    start = timezone.now()
    caps.reserve(ledger.pending(claim.chunk_id), caps=(), channel="email", topic="marketing", now=start)
    services.pause(run, actor="test")
    assert caps.count_lapsed(now=start + ledger.LEASE) == 0
    assert caps.count_lapsed(now=start + 4 * ledger.LEASE) == len(people)
    assert all(touch.at < start + 2 * ledger.LEASE for touch in Touch.objects.filter(is_reserved=False))


def test_nothing_is_kept_of_somebody_who_was_erased_between_reservation_and_sending(
    make_customers: Any, make_campaign: Any
) -> None:
    erased, other = make_customers(2)
    run = launch(make_campaign)
    claim = ledger.claim(run.chunks.get().pk, owner="j/b/1", journal="j/b")
    assert claim is not None
    rows = ledger.pending(claim.chunk_id)
    Delivery.objects.filter(customer=erased).update(customer=None)
    cap = Cap("", "", 3, DAY)
    caps.reserve(rows, caps=[cap], channel="email", topic="marketing", now=timezone.now())
    Delivery.objects.update(status="sent")
    caps.settle(claim.chunk_id, now=timezone.now(), is_held=True)
    assert [touch.customer_id for touch in Touch.objects.all()] == [other.pk]
    assert [lock.customer_id for lock in SendLock.objects.all()] == [other.pk]


def test_settling_a_chunk_never_reads_the_reservations_of_all(
    make_customers: Any, make_campaign: Any
) -> None:
    """In the middle of a large campaign statistics know of no reservation, and their index looks empty."""
    make_customers(2000)
    run = launch(make_campaign)
    Delivery.objects.filter(run=run).update(status="sent")
    touches = Delivery.objects.filter(run=run).values_list("pk", "customer_id")
    now = timezone.now()
    Touch.objects.bulk_create(
        Touch(
            delivery_id=delivery, customer_id=customer, channel="email", topic="x", is_reserved=False, at=now
        )
        for delivery, customer in touches
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE campaigns_touch, campaigns_delivery")
        cursor.execute("SET enable_seqscan = off")  # so small a table is read as a whole
        cursor.execute(f"EXPLAIN {caps._KEEP}", [now, Chunk.objects.filter(run=run).values_list("pk")[0][0]])
        plan = "\n".join(line for (line,) in cursor.fetchall())
        cursor.execute("RESET enable_seqscan")
    assert "touch_pkey" in plan and "touch_reserved" not in plan, plan


def test_a_capped_message_waits_until_there_is_room_and_says_why(
    sink: Any, make_customers: Any, make_campaign: Any, send_all: Any
) -> None:
    FrequencyCap.objects.create(max_messages=1, window_hours=24)
    make_customers(2)
    with time_machine.travel(datetime(2026, 5, 4, 12, tzinfo=UTC)) as clock:
        send_all(launch(make_campaign))
        second = launch(make_campaign, cap_rule="wait")
        send_all(second)
        assert selectors.progress(second)["waiting"] == {"cap": 2} and len(sink.accepted) == 2
        clock.shift(DAY - timedelta(minutes=1))
        send_all(second)
        assert len(sink.accepted) == 2
        clock.shift(timedelta(minutes=2))
        send_all(second)
        assert selectors.progress(second)["sent"] == 2 and selectors.progress(second)["waiting"] == {}


def test_who_waited_too_long_is_dropped_for_the_same_reason(
    sink: Any, make_customers: Any, make_campaign: Any, send_all: Any
) -> None:
    FrequencyCap.objects.create(max_messages=1, window_hours=24 * 7)
    make_customers(1)
    with time_machine.travel(datetime(2026, 5, 4, 12, tzinfo=UTC)) as clock:
        send_all(launch(make_campaign))
        second = launch(make_campaign, cap_rule="wait", max_wait_hours=5)
        send_all(second)
        clock.shift(timedelta(hours=5, minutes=1))
        send_all(second)
        assert selectors.progress(second)["reasons"] == {"cap": 1} and second.status == "finished"


def test_an_exempt_topic_is_neither_limited_nor_counted(
    sink: Any, make_customers: Any, make_campaign: Any, send_all: Any
) -> None:
    FrequencyCap.objects.create(max_messages=1, window_hours=24)
    TopicRule.objects.create(topic="orders", ignores_caps=True, ignores_quiet_hours=True)
    QuietHours.objects.create(starts_at="00:00", ends_at="23:59")
    person = make_customers(1)[0]
    record_consent(person.pk, channel="email", topic="orders", granted=True, source="test")
    with time_machine.travel(datetime(2026, 5, 4, 23, 59, 1, tzinfo=UTC)):
        for _ in range(3):
            send_all(launch(make_campaign, topic="orders"))
        send_all(launch(make_campaign))
    assert len(sink.accepted) == 4


def test_quiet_hours_are_kept_by_each_customers_clock(
    sink: Any, make_customers: Any, make_campaign: Any, send_all: Any
) -> None:
    QuietHours.objects.create(starts_at="21:00", ends_at="08:00")
    make_customers(1, start=0, time_zone="Europe/Berlin")
    make_customers(1, start=1, time_zone="America/New_York")
    make_customers(1, start=2, time_zone="Nowhere/Atall")  # the workspace's own: UTC
    with time_machine.travel(datetime(2026, 6, 1, 20, tzinfo=UTC)) as clock:
        run = launch(make_campaign)
        dropped = launch(make_campaign, quiet_rule="drop")
        send_all(run)
        send_all(dropped)
        assert sink.recipients == {"c1@example.com": 2, "c2@example.com": 2}
        assert selectors.progress(dropped)["reasons"] == {"quiet_hours": 1}
        assert run.chunks.get().due_at == datetime(2026, 6, 2, 6, tzinfo=UTC)  # eight in Berlin
        clock.move_to(datetime(2026, 6, 2, 6, tzinfo=UTC))
        send_all(run)
        assert selectors.progress(run)["sent"] == 3


def test_quiet_hours_that_begin_in_the_middle_of_a_chunk_stop_it(
    sink: Any, make_customers: Any, make_campaign: Any, send_all: Any
) -> None:
    QuietHours.objects.create(starts_at="21:00", ends_at="08:00")
    make_customers(5)
    with time_machine.travel(datetime(2026, 6, 1, 20, 30, tzinfo=UTC)) as clock:
        run = launch(make_campaign)
        # The third message is on its way to the server when the clock strikes nine.
        sink.on_data = lambda recipient: clock.shift(timedelta(minutes=12))
        send_all(run)
        assert selectors.progress(run)["sent"] == 3
        assert selectors.progress(run)["waiting"] == {"quiet_hours": 2}


@hypothesis_settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    steps=st.lists(st.tuples(st.integers(0, 30), st.integers(0, 8), st.booleans()), max_size=40),
    most=st.integers(1, 3),
)
def test_no_span_of_the_window_ever_holds_one_more(
    make_campaign: Any, steps: list[tuple[int, int, bool]], most: int
) -> None:
    """Each step: minutes since the last reservation, minutes until it is handed over, and whether it is."""
    Delivery.objects.all().delete()
    Touch.objects.all().delete()
    person = Customer.objects.get_or_create(external_id="h", defaults={"created_at": timezone.now()})[0]
    window = timedelta(hours=1)
    cap = Cap("", "", most, window)
    now = datetime(2026, 1, 1, tzinfo=UTC)
    open_until: dict[int, tuple[datetime, bool]] = {}
    sent: list[datetime] = []

    def settle_until(moment: datetime) -> None:
        for number, (at, is_sent) in list(open_until.items()):
            if at <= moment:
                del open_until[number]
                if is_sent:
                    Touch.objects.filter(pk=number).update(is_reserved=False, at=at)
                    sent.append(at)
                else:
                    Touch.objects.filter(pk=number).delete()

    for number, (pause, takes, is_sent) in enumerate(steps, start=1):
        now += timedelta(minutes=pause)
        settle_until(now)
        row = Row(number, person.pk, "", 0)
        if not caps.reserve([row], caps=[cap], channel="email", topic="x", now=now):
            open_until[number] = (now + timedelta(minutes=takes), is_sent)
    settle_until(now + DAY)
    sent.sort()
    spans = zip(sent, sent[most:], strict=False) if most > 1 else pairwise(sent)
    assert all(later - earlier >= window for earlier, later in spans)
