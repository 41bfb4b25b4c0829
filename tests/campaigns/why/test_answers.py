"""Why somebody got a message or not, by API and in the shell."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone, translation

from campaigns import services
from campaigns.models import Delivery, FrequencyCap
from campaigns.sending.chunk import LOST_JOURNAL
from campaigns.why.words import facts_in_words
from personalization.access.models import PersonalRead, User
from personalization.access.services import create_key
from personalization.catalog.models import Item
from personalization.customers.models import Customer
from personalization.customers.services import record_consent

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ask(client: Any) -> Any:
    _key, token = create_key(name="k", scopes=["campaigns:read"])

    def get(run: Any, customer: str) -> dict[str, dict[str, Any]]:
        answer = client.get(
            f"/api/v1/campaigns/{run.campaign_id}/why?customer={customer}&run={run.number}",
            headers={"authorization": f"Bearer {token}"},
        )
        assert answer.status_code == 200, answer.content
        return {one["step"]: one for one in answer.json()["decisions"]}

    return get


def test_each_decision_is_told_with_its_inputs(
    sink: Any, make_customers: Any, make_campaign: Any, send_all: Any, ask: Any
) -> None:
    people = make_customers(3)
    make_customers(1, start=9, country="FR")
    record_consent(people[1].pk, channel="email", topic="marketing", granted=False, source="link")
    FrequencyCap.objects.create(max_messages=1, window_hours=24)
    first = services.launch(make_campaign(), actor="test")
    send_all(first)
    second = services.launch(make_campaign(), actor="test")
    send_all(second)
    sent = ask(first, "c0")
    assert all(one["verdict"] == "passed" for one in sent.values())
    assert sent["audience"]["facts"]["version"] == 1 and sent["variant"]["facts"]["variant"] == "m0"
    assert sent["consent"]["facts"]["source"] == "test" and sent["outcome"]["facts"]["attempts"] == 1
    refused = ask(first, "c1")
    assert refused["consent"]["verdict"] == "stopped" and refused["consent"]["facts"]["source"] == "link"
    capped = ask(second, "c2")
    assert capped["cap"]["verdict"] == "stopped" and capped["cap"]["facts"]["caps"][0]["had"] == 1
    outside = ask(first, "c9")
    assert list(outside) == ["audience"] and outside["audience"]["verdict"] == "stopped"
    assert [one["met"] for one in outside["audience"]["facts"]["conditions"]] == [False]


def test_a_subject_is_told_where_all_get_the_same_and_never_as_code(
    make_customers: Any, make_campaign: Any, ask: Any
) -> None:
    make_customers(1)
    campaign = make_campaign()
    personal = ask(services.launch(campaign, actor="test"), "c0")["content"]["facts"]
    assert personal["subject"] == "" and personal["message"] == campaign.messages.get().name
    other = make_campaign()
    other.messages.update(subject="Spring sale")
    assert ask(services.launch(other, actor="test"), "c0")["content"]["facts"]["subject"] == "Spring sale"


def test_whoever_waits_for_their_own_clock_is_told_until_when(
    make_customers: Any, make_campaign: Any, ask: Any
) -> None:
    make_customers(1)
    Customer.objects.update(time_zone="Asia/Shanghai")
    campaign = make_campaign()
    campaign.timing = {"mode": "local"}
    campaign.save()
    morning = datetime(2040, 3, 5, tzinfo=UTC)  # eight in Shanghai; at nine the message is due
    run = services.launch(campaign, actor="test", now=morning)
    waits = ask(run, "c0")["outcome"]["facts"]
    assert waits["status"] == "pending" and waits["time_zone"] == "Asia/Shanghai"
    assert datetime.fromisoformat(waits["waits_until"]) == datetime(2040, 3, 5, 1, tzinfo=UTC)


def test_each_item_is_told_with_the_reason_that_stood_in_the_message(
    make_customers: Any, make_campaign: Any, ask: Any
) -> None:
    make_customers(1)
    throw, cushion = (Item.objects.create(external_id=name, name=name) for name in ("Throw", "Cushion"))
    run = services.launch(make_campaign(), actor="test")
    picks = [[cushion.pk, "because", throw.pk, "bought"], [throw.pk, "popular", None, ""]]
    Delivery.objects.update(inputs={"items": picks})
    told = ask(run, "c0")["content"]["facts"]["picks"]
    assert [(one["item"], one["because"]) for one in told] == [
        ("Cushion", "Because you bought Throw"), ("Throw", "Popular with other customers"),
    ]  # fmt: skip


def test_the_screen_finds_a_customer_by_words_and_needs_the_right_to_see_them(
    sink: Any, make_customers: Any, make_campaign: Any, send_all: Any, client: Any
) -> None:
    make_customers(1)
    run = services.launch(make_campaign(), actor="test")
    send_all(run)
    url = reverse("campaigns:why", args=[run.campaign_id, run.number])
    client.force_login(User.objects.create_user("bob", password="x", is_staff=True))
    assert client.get(url).status_code == 403
    client.force_login(User.objects.create_superuser("ann", "ann@shop.example", "x"))
    page = client.post(url, {"words": "c0"}).content.decode()
    assert "wy-passed" in page and "Name0" in page
    assert "Consent needed" in page and "is_needed" not in page
    assert PersonalRead.objects.filter(page="why").exists()


def test_who_may_not_see_names_finds_nobody_by_them_and_is_told_none(
    sink: Any, make_customers: Any, make_campaign: Any, send_all: Any, client: Any
) -> None:
    make_customers(1)
    run = services.launch(make_campaign(), actor="test")
    send_all(run)
    url = reverse("campaigns:why", args=[run.campaign_id, run.number])
    call_command("ensure_roles")
    analyst = User.objects.create_user("kim", password="x", is_staff=True)
    analyst.groups.add(Group.objects.get(name="Analyst"))
    client.force_login(analyst)
    assert "wy-passed" not in client.post(url, {"words": "Name0"}).content.decode()
    page = client.get(url, {"customer": Customer.objects.get().pk}).content.decode()
    assert "wy-passed" in page and "Name0" not in page


def test_inputs_are_told_in_words_and_in_the_readers_time() -> None:
    facts = {
        "is_needed": True, "recorded_at": "2026-11-03T23:30:00+00:00", "chance": 0.449999, "channel": "email",
        "reason": "unsubscribed", "granted": False, "picks": [], "quiet_hours": ["22:00–08:00"],
        "answer": LOST_JOURNAL, "sent_at": None,
    }  # fmt: skip
    with timezone.override("Asia/Shanghai"):
        assert dict(facts_in_words(facts)) == {
            "Consent needed": "yes", "Said on": "4 Nov 2026, 07:30", "Chance": "45.0 %",
            "Channel": "E-mail", "Reason": "Unsubscribed", "Agreed": "no", "Quiet hours": "22:00–08:00",
            "Answer of the service": LOST_JOURNAL,
        }  # fmt: skip


def test_the_words_of_an_author_are_translated_by_nobody() -> None:
    with translation.override("zh-hans"):
        # “Order” and “Sent” stand in our catalog.
        assert dict(facts_in_words({"subject": "Order", "variant": "Sent"})) == {
            "主题": "Order",
            "变体": "Sent",
        }
