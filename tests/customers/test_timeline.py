"""Everything of a customer in one order, page by page, at a cost that does not grow with the history."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from campaigns.models import Campaign, Delivery, Run
from experiments import services as experiments
from experiments.services import VariantSpec
from experiments.traffic import holdouts
from personalization.customers import services
from personalization.customers.models import Consent, Customer, Identifier
from personalization.customers.timeline import read_timeline, timeline_sources
from personalization.events.merging import merge_customers
from personalization.events.models import Event
from personalization.events.services import NewEvent, record_events

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def ada() -> Customer:
    return Customer.objects.create(external_id="ada", created_at=NOW)


def fill(customer: Customer, number: int) -> None:
    """So many events, three at each moment."""
    record_events(
        [
            NewEvent(customer.pk, f"m{n}", "Page Viewed", NOW - timedelta(minutes=n // 3))
            for n in range(number)
        ]
    )


def full_story(ada: Customer) -> Run:
    services.record_consent(ada.pk, channel="email", topic="news", granted=True, source="form", at=NOW)
    services.update_traits(ada.pk, {"plan": "gold"})
    visitor = Customer.objects.create(created_at=NOW)
    merge_customers(visitor.pk, into_id=ada.pk, reason="staff", actor="user:boss", note="called us")
    specs = [VariantSpec("a", "A", 1), VariantSpec("b", "B", 1)]
    experiment = experiments.create_experiment(key="spring", name="Spring", variants=specs)
    experiments.assign(experiment, [ada.pk], at=NOW)
    holdouts.create_holdout(key="all", name="Everybody", share=0.5, at=NOW, actor="test")
    holdouts.draw([ada.pk], at=NOW)
    campaign = Campaign.objects.create(name="Letter", sender_address="shop@example.com")
    run = Run.objects.create(
        campaign=campaign, number=1, experiment=experiment, content={}, audience_size=1, launched_at=NOW
    )
    Delivery.objects.create(
        run=run, customer=ada, variant=experiment.variants.get(key="a"), status="sent", sent_at=NOW,
        inputs={"items": [[1, "popular", None, ""]]},
    )  # fmt: skip
    fill(ada, 1)
    return run


def test_every_room_tells_what_it_knows(ada):
    full_story(ada)
    told = {entry.kind: (entry.title, entry.detail) for entry in read_timeline(ada.pk, limit=50).entries}
    assert told["message"] == ("Letter: Sent", "variant A · with 1 chosen items")
    assert told["consent"] == ("Consent granted: E-mail, news", "form")
    assert told["trait"] == ("Trait plan: gold", "")
    assert told["merge"][1] == "called us"
    assert told["experiment"][0].startswith("Experiment Spring: ")
    assert told["event"][0] == "Page Viewed"
    assert {source.kind for source in timeline_sources()} >= {
        "event",
        "message",
        "consent",
        "merge",
        "experiment",
    }


def test_pages_together_are_the_whole_story_once_and_in_order(ada):
    full_story(ada)
    fill(ada, 40)
    seen, cursor = [], ""
    while True:
        page = read_timeline(ada.pk, cursor=cursor, limit=7)
        seen += page.entries
        cursor = page.next
        if not cursor:
            break
    whole = read_timeline(ada.pk, limit=500).entries
    assert [(e.kind, e.key) for e in seen] == [(e.kind, e.key) for e in whole]
    assert len({(e.kind, e.key) for e in seen}) == len(seen) >= 44
    assert [e.at for e in seen] == sorted((e.at for e in seen), reverse=True)


def test_ten_thousand_events_cost_what_ten_do(ada):
    bob = Customer.objects.create(external_id="bob", created_at=NOW)
    fill(bob, 10)
    fill(ada, 10_000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE events_event")
    counts = []
    for person in (bob, ada):
        with CaptureQueriesContext(connection) as queries:
            first = read_timeline(person.pk, limit=30)
        counts.append(len(queries))
    assert counts[0] == counts[1] == len(timeline_sources())
    middle = read_timeline(ada.pk, cursor=first.next, limit=30)
    at, key = middle.entries[-1].at, middle.entries[-1].key
    rows = Event.objects.filter(customer_id=ada.pk, occurred_at__lte=at).exclude(
        occurred_at=at, message_key__gte=key
    )
    plan = rows.order_by("-occurred_at", "-message_key")[:31].explain(analyze=True, format="json")
    assert "event_customer_at" in plan and "Seq Scan" not in plan


@pytest.mark.parametrize(
    "address", ["/app/customers/{pk}", "/api/v1/customers/{id}", "/app/customers/{pk}?kind=event"]
)
def test_a_profile_of_ten_thousand_events_reads_one_page_of_them(boss, ada, address):
    bob = Customer.objects.create(external_id="bob", created_at=NOW)
    fill(bob, 40)
    fill(ada, 10_000)
    rows = [
        Consent(
            customer=ada, channel="email", topic="news", granted=bool(n % 2), source="form",
            is_current=n == 0, recorded_at=NOW - timedelta(hours=n),
        )
        for n in range(200)
    ]  # fmt: skip
    Consent.objects.bulk_create(rows)
    Identifier.objects.bulk_create(
        Identifier(customer=ada, kind="anonymous_id", value=f"cookie-{n}") for n in range(200)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE events_event")
    answers = []
    for person in (bob, ada):
        url = address.format(pk=person.pk, id=person.external_id)
        boss.get(url)  # what is remembered from then on
        with CaptureQueriesContext(connection) as queries:
            answers.append((boss.get(url), queries.captured_queries))
    assert len(answers[0][1]) == len(answers[1][1])
    told = [query["sql"] for query in answers[1][1] if 'FROM "events_event"' in query["sql"]]
    assert told and max(map(rows_read, told)) <= 40
    if address.startswith("/app"):
        page = answers[1][0].content.decode()
        assert page.count("cookie-") == 30 and "Show all ids" in page and "Show all statements" in page
        whole = boss.get(f"/app/customers/{ada.pk}?all").content.decode()
        assert whole.count("cookie-") == 200 and "Show all" not in whole


def rows_read(sql: str) -> int:
    """The most rows that any step of the plan touched, those that it threw away included."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}")
        plan = cursor.fetchone()[0]
    steps, most = [(json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]], 0
    while steps:
        step = steps.pop()
        each = step["Actual Rows"] + step.get("Rows Removed by Filter", 0)
        most = max(most, int(each * step["Actual Loops"]))
        steps += step.get("Plans", [])
    return most


def test_the_api_filters_pages_and_refuses_a_made_up_place(api, ada):
    full_story(ada)
    fill(ada, 5)
    page = api("get", "customers/ada/timeline?kind=event&kind=consent&page_size=2").json()
    assert len(page["entries"]) == 2 and {entry["kind"] for entry in page["entries"]} <= {"event", "consent"}
    rest = api("get", f"customers/ada/timeline?kind=event&page_size=2&cursor={page['next']}").json()
    assert rest["entries"]
    for wrong in ("cursor=xyz", "kind=gossip", "page_size=0", "cursor=WyIyMDI2IiwgImV2ZW50IiwgIngiXQ"):
        assert api("get", f"customers/ada/timeline?{wrong}").status_code == 400
    assert api("get", "customers/nobody/timeline").status_code == 404
    assert api("get", f"customers/%23{ada.pk}/timeline").status_code == 200


def test_one_call_shows_the_whole_profile(api, ada):
    services.link(ada.pk, kind="anonymous_id", value="cookie")
    fill(ada, 30)
    shown = api("get", "customers/ada").json()
    assert [(one["kind"], one["value"]) for one in shown["identifiers"]] == [("anonymous_id", "cookie")]
    assert len(shown["timeline"]["entries"]) == 20 and shown["timeline"]["next"]


def test_staff_see_only_the_kinds_they_may(boss, ada, django_user_model):
    full_story(ada)
    page = boss.get(f"/app/customers/{ada.pk}").content.decode()
    assert "Letter: Sent" in page and "Experiment Spring" in page
    assert "Letter: Sent" not in boss.get(f"/app/customers/{ada.pk}?kind=consent").content.decode()
    viewer = django_user_model.objects.create_user("viewer", password="x", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_customer"))
    client = Client()
    client.force_login(viewer)
    page = client.get(f"/app/customers/{ada.pk}").content.decode()
    assert "Letter: Sent" not in page and "Trait plan" in page
