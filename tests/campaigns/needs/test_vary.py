"""`{% vary %}`: drawn with known chances, the same wherever it stands, told in the report, learned from."""

import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.urls import reverse
from scipy.stats import binomtest

from campaigns import services
from campaigns.models import Delivery
from campaigns.planning.checks import check_campaign
from campaigns.rehearsing.rehearsal import rehearse
from campaigns.reports.allocation import learned_from
from campaigns.reports.varied import told
from experiments import selectors as experiments
from experiments.models import Assignment, Experiment
from experiments.services import ensure_default_metrics
from personalization.access.models import User
from personalization.events.models import Event
from personalization.events.services import NewEvent, record_events
from tests.campaigns.needs.test_tags_in_messages import END, shown

pytestmark = pytest.mark.django_db(transaction=True)
HERO = '{% vary "hero" %}<p>A</p>{% or %}<p>B</p>{% or %}<p>C</p>{% endvary %}'


def drawn(sink: Any) -> dict[str, str]:
    return {who: re.findall(r"<p>([ABC])</p>", html)[0] for who, html in shown(sink).items()}


def test_versions_are_shared_out_by_known_chances_and_kept_in_the_ledger(
    sink: Any, make_customers: Any, make_campaign: Any, send_all: Any
) -> None:
    make_customers(150)
    run = services.launch(make_campaign(bodies=(HERO + END,)), actor="test")
    send_all(run)
    got = drawn(sink)
    counts = Counter(got.values())
    assert sum(counts.values()) == 150
    # The key of the experiment seeds the hash, and holds a number of the database.
    assert all(binomtest(counts[one], 150, 1 / 3).pvalue > 1e-7 for one in "ABC")
    experiment = Experiment.objects.get(within=run.experiment)
    assert Assignment.objects.filter(experiment=experiment).count() == 150
    by_key = {f"{n}-": one for n, one in enumerate("ABC", start=1)}
    for row in Delivery.objects.filter(run=run).select_related("customer"):
        (record,) = row.inputs["needs"].values()
        assert record["chance"] == pytest.approx(1 / 3, abs=1e-6)
        assert by_key[record["version"][:2]] == got[row.customer.external_id]


def test_one_name_is_one_choice_in_subject_body_and_text(
    sink: Any, make_customers: Any, make_campaign: Any, send_all: Any
) -> None:
    make_customers(40)
    subject = '{% vary "tone" %}Formal{% or %}Casual{% endvary %}'
    body = '<p>{% vary "tone" %}Formal{% or %}Casual{% endvary %}</p>' + END
    run = services.launch(make_campaign(drafts=({"subject": subject, "body": body},)), actor="test")
    send_all(run)
    seen = set()
    for _recipient, data in sink.accepted:
        words = set(re.findall(rb"Formal|Casual", data))
        assert len(words) == 1
        seen |= words
    assert len(seen) == 2 and Experiment.objects.filter(within=run.experiment).count() == 1


def test_a_rehearsal_draws_but_keeps_nothing_and_a_preview_needs_no_run(
    client: Any, make_customers: Any, make_campaign: Any
) -> None:
    people = make_customers(4)
    campaign = make_campaign(bodies=(HERO + END,))
    assert rehearse(campaign).sent == 4
    assert not Experiment.objects.exists()
    client.force_login(User.objects.create_superuser("boss", "boss@example.com", "x"))
    asked = {"subject": "s", "body": HERO, "customer": people[0].pk}
    answer = client.post(reverse("campaigns:preview"), asked, content_type="application/json").json()
    assert re.search(r"<p>[ABC]</p>", answer["rendered"]["html"])


@pytest.mark.parametrize(
    "tag, words",
    [
        ('{% vary "a" learn: 3 %}x{% or %}y{% endvary %}', "true or false"),
        ('{% vary "a" floor: 0.6 %}x{% or %}y{% endvary %}', "floor lies"),
        ('{% vary "a" learn: true, metric: "none" %}x{% or %}y{% endvary %}', "metric"),
        ('{% vary "a" learn: customer.traits.x %}x{% or %}y{% endvary %}', "the same for everybody"),
        ('{% vary "a" %}x{% or %}y{% endvary %}{% vary "a" %}{% or %}{% or %}{% endvary %}', "different"),
        ('{% vary "A b" %}x{% or %}y{% endvary %}', "small letters"),
        ('{% vary "a" %}x{% endvary %}', "2 to 10"),
        ('{% vary "a" %}' + "x{% or %}" * 10 + "y{% endvary %}", "2 to 10"),
    ],
)  # fmt: skip
def test_what_is_no_choice_stops_the_launch(
    make_customers: Any, make_campaign: Any, tag: str, words: str
) -> None:
    ensure_default_metrics()
    make_customers(1)
    found = check_campaign(make_campaign(bodies=(tag + END,)))
    assert any(one.level == "error" and words in one.message for one in found), found


def click(run: Any, customer_ids: list[int]) -> None:
    at, key = datetime.now(UTC), run.experiment.key
    record_events(
        [
            NewEvent(pk, f"{run.pk}-{pk}-click", "Message Clicked", at, properties={"experiment": key})
            for pk in customer_ids
        ]
    )  # fmt: skip


def test_the_report_tells_which_version_earned_more(
    client: Any, sink: Any, make_customers: Any, make_campaign: Any, send_all: Any
) -> None:
    ensure_default_metrics()
    people = {person.external_id: person for person in make_customers(200)}
    run = services.launch(make_campaign(bodies=(HERO + END,)), actor="test")
    send_all(run)
    best = [people[who].pk for who, version in drawn(sink).items() if version == "B"]
    click(run, best)
    experiment = Experiment.objects.get(within=run.experiment)
    report = experiments.report(experiment)
    clicks = next(metric for metric in report.metrics if metric.event == "Message Clicked")
    effects = {one.variant[:2]: one.effect for one in clicks.comparisons}
    assert effects["2-"].absolute == pytest.approx(1.0)
    told_now = told(run, whole=True)
    assert [one["name"] for one in told_now] == ["hero"]
    assert [one["name"] for one in told_now[0]["versions"]] == ["1: A", "2: B", "3: C"]
    client.force_login(User.objects.create_superuser("boss", "boss@example.com", "x"))
    page = client.get(reverse("campaigns:report", args=[run.campaign_id])).content.decode()
    assert (
        "Tried inside of the messages" in page
        and reverse("experiments:report", args=[experiment.key]) in page
    )


def test_a_choice_that_learns_draws_the_better_version_more_often_in_the_next_run(
    sink: Any, make_customers: Any, make_campaign: Any, send_all: Any
) -> None:
    ensure_default_metrics()
    people = {person.external_id: person for person in make_customers(120)}
    body = HERO.replace('"hero"', '"hero" learn: true, floor: 0.05') + END
    campaign = make_campaign(bodies=(body,))
    run = services.launch(campaign, actor="test")
    send_all(run)
    click(run, [people[who].pk for who, version in drawn(sink).items() if version == "C"])
    Assignment.objects.update(assigned_at=datetime.now(UTC) - timedelta(days=2))
    type(people["c0"]).objects.all().update(country="FR")
    make_customers(100, start=200)
    sink.accepted.clear()
    cache.clear()
    type(campaign).objects.filter(pk=campaign.pk).update(status="draft")
    campaign.refresh_from_db()
    event_time = datetime.now(UTC) - timedelta(days=2) + timedelta(hours=1)
    Event.objects.filter(name="Message Clicked").update(occurred_at=event_time)
    again = services.launch(campaign, actor="test")
    send_all(again)
    counts = Counter(drawn(sink).values())
    assert counts["C"] > 75 and counts["C"] < 100
    keys = [
        set(Experiment.objects.get(within=one.experiment).variants.values_list("key", flat=True))
        for one in (run, again)
    ]
    assert keys[0] == keys[1]
    assert learned_from(Experiment.objects.get(within=again.experiment)) == "clicked"
    assert learned_from(again.experiment) is None
    chances = {
        row["version"][:1]: row["chance"]
        for one in Delivery.objects.filter(run=again)
        for row in one.inputs["needs"].values()
    }
    assert chances["3"] == pytest.approx(0.9, abs=0.01)
