"""A campaign that learns while it is sent: waves, known chances, a floor, and a report that weighs by
them."""

from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from campaigns import selectors, services, steering, tasks
from campaigns.errors import InvalidCampaign
from campaigns.models import Chunk, Delivery, Learning, LearningStatus
from campaigns.reports.allocation import learned_from
from campaigns.rollout import waves as learning
from experiments.models import Assignment
from experiments.selectors import newest_report
from experiments.services import ensure_default_metrics
from personalization.customers.models import Customer
from personalization.events.services import NewEvent, record_events

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
BODY = '<p>Hi</p><a href="{{ unsubscribe_url }}">Stop</a>'
PLAN = {"metric": "clicked", "waves": 3, "hours": 6, "floor": 0.1}


@pytest.fixture
def people(make_customers):
    ensure_default_metrics()
    return make_customers(900)


def launch(make_campaign, now, *, allocation="learning", **fields):
    campaign = make_campaign(
        control_share=0.2, bodies=(BODY, BODY), allocation=allocation, learning=PLAN, **fields
    )
    return services.launch(campaign, actor="test", now=now)


def react(run, at, *, likes):
    """Who got the message that they like clicks and orders."""
    rows = Assignment.objects.filter(experiment=run.experiment).select_related("variant", "customer")
    record_events(
        NewEvent(
            customer_id=row.customer_id, message_id=f"{name}-{row.pk}", name=name, occurred_at=at,
            value=20 if name == "Order Completed" else None,
            properties={"experiment": run.experiment.key},
        )
        for row in rows
        if row.variant.key == likes(row.customer) and row.pk % 4
        for name in ("Message Clicked", "Order Completed")
    )  # fmt: skip


def shares(run, **only):
    rows = Assignment.objects.filter(experiment=run.experiment, **only).values_list("variant__key", flat=True)
    counts = Counter(rows)
    return {key: n / sum(counts.values()) for key, n in counts.items()}


def test_waves_follow_what_was_clicked_and_everybody_gets_one_place(
    people, make_campaign, analyse, admin_client
):
    # Who is drawn depends on the campaign's number, and one division in a thousand is a mismatch.
    with connection.cursor() as cursor:
        cursor.execute("SELECT setval(pg_get_serial_sequence('campaigns_campaign', 'id'), 1000000)")
    now = timezone.now() - timedelta(days=2)
    run = launch(make_campaign, now)
    clock = Learning.objects.get(run=run)
    first = Assignment.objects.filter(experiment=run.experiment).count()
    assert 230 <= first <= 370, "about a third of the audience"
    assert learning.send_wave(clock.pk, now=now + 5 * HOUR) == 0, "too early"
    react(run, now + HOUR, likes=lambda customer: "m1")
    later = now + 6 * HOUR
    sent = learning.send_wave(clock.pk, now=later)
    assert learning.send_wave(clock.pk, now=later) == 0, "two workers at once send one wave"
    found = shares(run, assigned_at=later)
    assert found["m1"] > 0.6
    assert found["control"] == pytest.approx(0.2, abs=0.08)
    assert sent == round((1 - found["control"]) * Assignment.objects.filter(assigned_at=later).count())
    chances = set(
        Assignment.objects.filter(assigned_at=later, variant__key="m0").values_list("propensity", flat=True)
    )
    assert {round(chance, 3) for chance in chances} <= {0.08}, (
        "the floor of a tenth of what the control leaves"
    )
    learning.send_wave(clock.pk, now=later + 6 * HOUR)
    clock.refresh_from_db()
    assert clock.status == LearningStatus.DONE
    progress = selectors.progress(run)
    assert progress["audience"] == 900 == Assignment.objects.filter(experiment=run.experiment).count()
    assert not Delivery.objects.filter(run=run, is_rest=True).exists()
    rows = Delivery.objects.filter(run=run).exclude(variant=None)
    stored = dict(Assignment.objects.values_list("customer_id", "propensity"))
    assert all(row.propensity == stored[row.customer_id] for row in rows)
    assert Chunk.objects.filter(run=run).count() >= 3
    analyse(run.experiment)
    report = newest_report(run.experiment)
    assert report.sample_ratio is not None and not report.sample_ratio.mismatch
    assert report.allocation.kind == "learning" and report.allocation.drawn is not None
    effects = {one.variant: one for one in report.primary.comparisons}
    assert effects["m1"].effect.method == "snipw" and effects["m1"].effect.absolute > 0
    assert report.verdict.variant == "m1"
    assert report.breakdown is None and report.primary.series == ()
    assert learned_from(run.experiment) == "clicked"
    told = admin_client.get(f"/api/v1/experiments/{run.experiment.key}/report").json()["allocation"][
        "learned"
    ]
    assert [one["key"] for one in told] == [report.primary.key, "clicked"]
    assert [one["best"] is None for one in told[1]["variants"]] == [True, False, False]
    assert told[1]["variants"][2]["best"] > 0.99
    page = admin_client.get(f"/app/campaigns/{run.campaign_id}/report/").content.decode()
    assert "is the best message by “Customers who clicked” with a chance of" in page


def test_each_gets_what_customers_like_them_did_best_with(people, make_campaign):
    Customer.objects.filter(pk__in=[one.pk for one in people[::2]]).update(traits={"tea": 1})
    Customer.objects.filter(pk__in=[one.pk for one in people[1::2]]).update(traits={"tea": 0})
    now = timezone.now() - timedelta(days=2)
    run = launch(make_campaign, now, allocation="personal")
    react(run, now + HOUR, likes=lambda customer: "m1" if customer.traits["tea"] else "m0")
    learning.send_wave(Learning.objects.get().pk, now=now + 6 * HOUR)
    later = {"assigned_at": now + 6 * HOUR}
    tea, other = shares(run, customer__traits__tea=1, **later), shares(run, customer__traits__tea=0, **later)
    assert tea["m1"] > 0.6 and other["m0"] > 0.6
    assert min(tea["m0"], other["m1"]) > 0.02, "a floor for both"


def test_the_tick_hands_over_a_due_wave_once(people, make_campaign):
    run = launch(make_campaign, timezone.now() - timedelta(days=1))
    assert learning.take_due() == [Learning.objects.get(run=run).pk]
    assert learning.take_due() == []
    tasks.send_wave(Learning.objects.get().pk)
    assert Learning.objects.get().next_wave == 2


def test_a_paused_run_sends_no_wave_and_a_canceled_one_lets_nobody_wait(people, make_campaign):
    run = launch(make_campaign, timezone.now() - timedelta(days=1))
    steering.pause(run, actor="test")
    assert learning.take_due() == []
    assert learning.send_wave(Learning.objects.get().pk) == 0
    steering.cancel(run, actor="test")
    assert Learning.objects.get().status == LearningStatus.CANCELED
    progress = selectors.progress(run)
    assert (progress["pending"], progress["audience"]) == (0, 900)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"learning": {"waves": 1}}, "/learning/waves"),
        ({"learning": {"hours": 0}}, "/learning/hours"),
        ({"learning": {"floor": 0.6}}, "/learning/floor"),
        ({"learning": {"metric": "nothing"}}, "/learning/metric"),
        ({"learning": {"colour": "red"}}, "/allocation"),
        ({"test_share": 0.5}, "/allocation"),
        ({"allocation": "random"}, "/allocation"),
    ],
)
def test_what_cannot_be_learned_is_refused_where_it_stands(people, make_campaign, change, pointer):
    fields = {"allocation": "learning", "learning": {}, **change}
    with pytest.raises(InvalidCampaign) as raised:
        make_campaign(bodies=(BODY, BODY), **fields)
    assert raised.value.errors[0]["pointer"] == pointer
