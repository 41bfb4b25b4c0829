"""The automatic winner: the rest waits, the clock decides once, nobody is lost or mailed twice."""

import multiprocessing
import os
import signal
import time
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connections
from django.template.loader import render_to_string
from django.utils import timezone

from campaigns import ledger, selectors, services, tasks
from campaigns.errors import InvalidState
from campaigns.models import Delivery, Rollout, RolloutStatus, RunStatus
from campaigns.reports.decision_document import decision_context, rest_sentence
from campaigns.rollout import winner
from experiments.errors import InvalidPlan
from experiments.models import Look, Metric, Plan
from experiments.services import ensure_default_metrics
from personalization.customers.models import Customer
from personalization.events.services import NewEvent, record_events

pytestmark = pytest.mark.django_db(transaction=True)
LAUNCH = datetime(2026, 5, 4, 9, tzinfo=UTC)
AFTER_A_DAY, AT_THE_END = LAUNCH + timedelta(days=1, minutes=1), LAUNCH + timedelta(days=2, minutes=1)
BODY = '<p>Hello {{ customer.first_name }}</p><a href="{{ unsubscribe_url }}">Unsubscribe</a>'
PLAN = {"metric": "conversion", "length_days": 2, "guardrails": []}


@pytest.fixture
def tested(sink, make_customers, make_campaign, send_all):
    """A launched campaign whose test half was sent."""
    ensure_default_metrics()
    make_customers(400)

    def make(*, bodies=(BODY, BODY), **fields):
        fields = {"test_share": 0.5, "plan": PLAN, **fields}
        run = services.launch(make_campaign(bodies=bodies, **fields), actor="test", now=LAUNCH)
        send_all(run)
        return run

    return make


def buy(run, variant, *, every, at=LAUNCH + timedelta(hours=5)):
    people = Delivery.objects.filter(run=run, variant__key=variant, is_rest=False).order_by("pk")
    record_events(
        NewEvent(customer_id=pk, message_id=f"order-{pk}", name="Order Completed", occurred_at=at, value=20)
        for n, pk in enumerate(people.values_list("customer_id", flat=True))
        if n % every == 0
    )


def look(run, now):
    return winner.take_look(Plan.objects.get(experiment=run.experiment).pk, now=now)


def balance(run):
    counts = selectors.progress(run)
    parts = ("sent", "failed", "skipped", "unknown", "pending")
    assert counts["audience"] == run.audience_size == sum(counts[part] for part in parts)
    return counts


def test_only_the_test_share_is_sent_and_the_rest_waits(tested, sink) -> None:
    run = tested()
    counts = balance(run)
    rest = Delivery.objects.filter(run=run, is_rest=True)
    assert 150 < counts["sent"] < 250
    assert rest.count() == counts["pending"] == 400 - counts["sent"]
    assert not rest.exclude(variant=None).exists()
    assert run.status == RunStatus.SENDING  # it goes on until the rest is decided


def test_the_rest_does_not_count_as_sent_unevenly(tested, send_all) -> None:
    run = tested()
    buy(run, "m0", every=10)
    buy(run, "m1", every=2)
    before = selectors.stages(run.experiment)
    look(run, AFTER_A_DAY)
    send_all(run)
    assert selectors.stages(run.experiment) == before


def test_the_better_variant_goes_to_everybody_else(tested, sink, send_all) -> None:
    run = tested()
    buy(run, "m0", every=10)
    buy(run, "m1", every=2)
    assert look(run, LAUNCH + timedelta(hours=20)) is None  # no look was planned then
    assert look(run, AFTER_A_DAY).decision.variant == "m1"
    rollout = Rollout.objects.get(run=run)
    assert (rollout.status, rollout.variant.key, rollout.code, rollout.is_fallback) == (
        "decided", "m1", "better", False,
    )  # fmt: skip
    send_all(run)
    counts = balance(run)
    assert (counts["sent"], counts["pending"], run.status) == (400, 0, RunStatus.FINISHED)
    assert max(sink.recipients.values()) == 1
    assert not Delivery.objects.filter(run=run, is_rest=True).exclude(variant__key="m1").exists()


def test_an_unclear_test_waits_for_its_last_look_and_takes_the_stated_fallback(tested, send_all) -> None:
    run = tested(fallback="nobody")
    buy(run, "m0", every=5)
    buy(run, "m1", every=5)
    assert look(run, AFTER_A_DAY).decision.code == "not_yet"
    assert look(run, LAUNCH + timedelta(days=1.6)).decision.code == "not_yet"
    assert look(run, AT_THE_END).decision.code == "undecided"
    rollout = Rollout.objects.get(run=run)
    assert (rollout.variant, rollout.code, rollout.is_fallback) == (None, "undecided", True)
    send_all(run)
    counts = balance(run)
    assert counts["reasons"] == {"no_winner": counts["skipped"]}
    assert (counts["pending"], run.status) == (0, RunStatus.FINISHED)


def test_late_looks_are_taken_one_after_the_other_as_of_their_own_time(tested) -> None:
    run = tested()
    buy(run, "m1", every=2, at=LAUNCH + timedelta(days=1.9))
    taken = [look(run, AT_THE_END) for _ in range(4)]
    assert [one and one.decision.code for one in taken] == ["not_yet", "not_yet", "better", None]
    assert [each.due_at - LAUNCH for each in Look.objects.order_by("number")] == [
        timedelta(days=1), timedelta(days=1.5), timedelta(days=2),
    ]  # fmt: skip


def test_two_clocks_at_once_decide_once(tested) -> None:
    run = tested()
    buy(run, "m0", every=10)
    buy(run, "m1", every=2)
    fork = multiprocessing.get_context("fork")
    connections.close_all()
    clocks = [fork.Process(target=look, args=(run, AFTER_A_DAY)) for _ in range(4)]
    for clock in clocks:
        clock.start()
    for clock in clocks:
        clock.join(30)
    assert [clock.exitcode for clock in clocks] == [0] * 4
    assert Look.objects.count() == 1
    assert run.chunks.count() == len(set(run.chunks.values_list("number", flat=True))) == 2
    assert balance(run)["pending"] == Delivery.objects.filter(run=run, is_rest=True).count()


@pytest.mark.parametrize("line", ["record_look", "_roll_out", "audit"])
def test_a_clock_killed_at_any_line_changes_nothing_and_the_next_decides(tested, monkeypatch, line) -> None:
    """SIGKILL right after each of the writes, before the transaction ends."""
    run = tested()
    buy(run, "m0", every=10)
    buy(run, "m1", every=2)
    place = winner.looks if line == "record_look" else winner
    whole = getattr(place, line)

    def killed(*args, **kwargs):
        whole(*args, **kwargs)
        os.kill(os.getpid(), signal.SIGKILL)

    connections.close_all()
    with monkeypatch.context() as patch:
        patch.setattr(place, line, killed)
        clock = multiprocessing.get_context("fork").Process(target=look, args=(run, AFTER_A_DAY))
        clock.start()
        clock.join(30)
    assert clock.exitcode == -signal.SIGKILL
    assert (Look.objects.count(), Rollout.objects.get(run=run).status) == (0, RolloutStatus.WAITING)
    balance(run)
    assert look(run, AFTER_A_DAY).decision.variant == "m1"
    balance(run)


def test_the_tick_finds_the_look_and_hands_it_over_once(tested) -> None:
    tested()
    assert winner.take_due_plans(now=LAUNCH + timedelta(hours=3)) == []
    (plan_id,) = winner.take_due_plans(now=AFTER_A_DAY)
    assert winner.take_due_plans(now=AFTER_A_DAY) == []
    # A flushed broker: after a while it is handed over again.
    assert winner.take_due_plans(now=AFTER_A_DAY + winner.QUEUED) == [plan_id]


def test_the_tick_sends_the_rest_by_itself(tested, sink, settings) -> None:
    settings.CELERY_TASK_ALWAYS_EAGER = True
    tasks.tick.app.conf.task_always_eager = True
    try:
        run = tested()
        buy(run, "m1", every=2)
        for _ in range(6):
            tasks.tick()
            time.sleep(0.01)
    finally:
        tasks.tick.app.conf.task_always_eager = False
    run.refresh_from_db()
    assert (balance(run)["sent"], run.status) == (400, RunStatus.FINISHED)


def test_a_canceled_run_lets_nobody_wait(tested) -> None:
    run = tested()
    waiting = balance(run)["pending"]
    assert services.cancel(run, actor="test") == waiting
    assert balance(run)["reasons"] == {"canceled": waiting}
    assert look(run, AFTER_A_DAY) is not None  # the test itself is still judged
    assert Rollout.objects.get(run=run).status == RolloutStatus.CANCELED


def test_a_person_may_choose_instead_and_it_is_written_down(tested, send_all) -> None:
    run = tested()
    rollout = winner.decide_by_hand(run, variant="m0", actor="user:ann")
    assert (rollout.variant.key, rollout.code, rollout.decided_by) == ("m0", "by_hand", "user:ann")
    assert rest_sentence(rollout).startswith("ann chose “")
    with pytest.raises(InvalidState):
        winner.decide_by_hand(run, variant="m1", actor="user:bob")
    send_all(run)
    assert balance(run)["sent"] == 400


def test_whoever_may_choose_need_not_wait_until_the_messages_are_counted(tested, monkeypatch) -> None:
    run = tested()
    monkeypatch.setattr(selectors, "recent_stages", lambda experiment: None)  # as for a million messages
    found = decision_context(run)["decision"]
    assert found["waits"] and [key for key, _name in found["messages"]] == ["m0", "m1"]
    page = render_to_string(
        "campaigns/report_decision.html",
        {"decision": found, "can_steer": True, "campaign_id": run.campaign_id, "run": run},
    )
    assert "Choose yourself" in page and "Fixed at the start" not in page


def test_somebody_who_withdrew_while_waiting_gets_nothing(tested, send_all) -> None:
    run = tested()
    gone = Delivery.objects.filter(run=run, is_rest=True).first().customer
    gone.consents.update(granted=False)
    winner.decide_by_hand(run, variant="m0", actor="user:ann")
    send_all(run)
    assert balance(run)["reasons"] == {"no_consent": 1}


def test_a_broken_division_vetoes_and_the_fallback_is_recorded(tested) -> None:
    run = tested(fallback="best")
    buy(run, "m1", every=2)
    people = run.experiment.assignments.filter(variant__key="m0").values_list("pk", flat=True)
    run.experiment.assignments.filter(pk__in=list(people)[:80]).delete()
    assert look(run, AFTER_A_DAY).decision.guards == ("sample_ratio",)
    rollout = Rollout.objects.get(run=run)
    assert (rollout.variant.key, rollout.code, rollout.is_fallback) == ("m0", "guard_broken", True)


def test_a_metric_changed_after_the_launch_vetoes(tested) -> None:
    run = tested()
    buy(run, "m1", every=2)
    Metric.objects.filter(key="conversion").update(window_days=3)
    assert look(run, AFTER_A_DAY).decision.guards == ("metric_changed",)


def test_without_a_rest_nothing_waits_and_the_test_is_judged_all_the_same(tested) -> None:
    run = tested(test_share=1.0)
    assert run.status == RunStatus.FINISHED
    assert not Rollout.objects.exists()
    buy(run, "m1", every=2)
    assert look(run, AFTER_A_DAY).decision.variant == "m1"


def test_a_test_share_without_anything_to_compare_is_an_error_of_the_check_list(
    make_customers, make_campaign
):
    ensure_default_metrics()
    make_customers(5)
    found = services.check_campaign(make_campaign(test_share=0.2, bodies=(BODY,)))
    assert [check.field for check in found if check.level == "error"] == ["test_share"]


def test_a_nonsensical_plan_cannot_be_saved(make_campaign) -> None:
    ensure_default_metrics()
    with pytest.raises(InvalidPlan) as refused:
        make_campaign(bodies=(BODY, BODY), plan={"alpha": 3})
    assert refused.value.errors[0]["pointer"] == "/plan/alpha"


def test_the_ledger_keeps_a_finished_run_open_for_a_rest_only(tested) -> None:
    run = tested()
    ledger.finish_runs(now=timezone.now())
    run.refresh_from_db()
    assert run.status == RunStatus.SENDING
    assert Customer.objects.count() == run.audience_size
