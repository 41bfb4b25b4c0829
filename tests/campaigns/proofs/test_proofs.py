"""The page and the API: what a customer would get, in the situation asked for, to whom may see it."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from campaigns.proofs.dark import darken
from personalization.access.models import AuditEntry, User
from personalization.access.services import create_key
from personalization.customers.services import record_consent
from personalization.events.models import Event

pytestmark = pytest.mark.django_db(transaction=True)
BODY = """<p>{{ customer.first_name }} in {{ context.place.city }} at {{ context.local | date: "%H:%M" }} on
{{ context.device.kind }}</p><a href="https://127.0.0.1:1/x">Jars</a>
<a href="{{ unsubscribe_url }}">Leave</a>"""


@pytest.fixture
def ask(client: Any) -> Any:
    def get(
        campaign: Any, *, scopes: tuple[str, ...] = ("campaigns:read", "customers:read"), **query: str
    ) -> Any:
        _key, token = create_key(name="k", scopes=list(scopes))
        headers = {"authorization": f"Bearer {token}"}
        return client.get(f"/api/v1/campaigns/{campaign.pk}/proofs", query, headers=headers)

    return get


def test_place_time_and_device_of_the_question_win_over_the_profile(
    make_customers: Any, make_campaign: Any, ask: Any
) -> None:
    make_customers(1, city="London", time_zone="Europe/London")
    answer = ask(
        make_campaign(bodies=(BODY,)), customer="c0", at="2026-06-01T00:30Z", city="Xi'an", country="cn",
        zone="Asia/Shanghai", device="tablet",
    ).json()  # fmt: skip
    assert len(answer) == 1
    assert "Name0 in Xi&#39;an at 08:30 on\ntablet" in answer[0]["shown"]["html"]
    facts = {one["step"]: one["facts"] for one in answer[0]["decisions"]}["moment"]
    assert facts["time_zone"] == "Asia/Shanghai" and facts["daypart"] == "morning"


def test_unlike_customers_of_the_segment_are_shown_with_reason_size_and_trail(
    make_customers: Any, make_campaign: Any, ask: Any
) -> None:
    people = (
        make_customers(3) + make_customers(1, start=3, language="ar") + make_customers(1, start=4, city="Ur")
    )
    make_customers(1, start=9, country="FR")
    record_consent(people[3].pk, channel="email", topic="marketing", granted=False, source="link")
    found = ask(make_campaign(bodies=(BODY,))).json()
    assert len(found) == 5 and {one["customer"] for one in found} == {one.pk for one in people}
    first = found[0]
    assert first["customer"] == people[3].pk and "right to left" in first["reason"]
    verdicts = {one["step"]: one["verdict"] for one in first["decisions"]}
    assert verdicts["audience"] == "passed" and verdicts["consent"] == "stopped"
    # The tracked links make it larger than what is shown.
    assert first["sent_bytes"] > len(first["shown"]["html"].encode()) and not first["is_clipped"]
    assert any("lang" in hint["message"] for hint in first["problems"])
    assert not Event.objects.exists()


def test_five_customers_ask_the_database_no_more_often_than_one(
    make_customers: Any, make_campaign: Any, ask: Any
) -> None:
    make_customers(6)
    campaign = make_campaign(bodies=(BODY + "{% for item in items %}{{ item.name }}{% endfor %}",))
    ask(campaign)  # the first answer of a process reads what it then keeps
    asked = []
    for query, shown in (({"customer": "c0"}, 1), ({}, 5)):
        with CaptureQueriesContext(connection) as seen:
            assert len(ask(campaign, **query).json()) == shown
        asked.append(len(seen))
    # One is looked up by its id; five are chosen from the segment, by three.
    assert asked[1] <= asked[0] + 2, asked


def test_a_missing_value_is_told_as_the_reason_why_there_is_no_message(
    make_customers: Any, make_campaign: Any, ask: Any
) -> None:
    make_customers(1, city="")
    found = ask(make_campaign(drafts=({"body": "<p>{{ customer.city }}</p>", "missing": "skip"},))).json()
    assert found[0]["failure"] and found[0]["shown"] == {} and found[0]["sent_bytes"] == 0


def test_a_key_without_customers_sees_no_names_and_wrong_words_are_refused(
    make_customers: Any, make_campaign: Any, ask: Any
) -> None:
    make_customers(1, city="London")
    campaign = make_campaign(bodies=(BODY,))
    answer = ask(campaign, scopes=("campaigns:read",))
    assert "Name0" not in answer.content.decode() and "London" not in answer.content.decode()
    for query in (
        {"zone": "Mars"},
        {"at": "9999-12-31T23:59"},
        {"country": "GBR"},
        {"device": "tv"},
        {"variant": "x"},
    ):
        assert ask(campaign, **query).status_code == 400, query


def test_the_page_shows_each_view_and_asks_links_only_for_those_who_may_change(
    make_customers: Any, make_campaign: Any, client: Any
) -> None:
    make_customers(2)
    campaign = make_campaign(bodies=(BODY,))
    url = reverse("campaigns:proofs", args=[campaign.pk])
    client.force_login(User.objects.create_user("bob", password="x", is_staff=True))
    assert client.get(url).status_code == 403 == client.post(url).status_code
    client.force_login(User.objects.create_superuser("ann", "ann@shop.example", "x"))
    for view, part in (
        ("desktop", "ce-stage-desktop"),
        ("dark", "hue-rotate"),
        ("text", "pf-text"),
        ("?", "srcdoc"),
    ):
        assert part in client.get(url, {"as": view}).content.decode(), view
    assert "Spring: " not in client.get(url).content.decode()
    chosen = client.post(url, {"q": "c1@", "zone": "Asia/Tokyo", "look": ""}, follow=True)
    assert "Chosen by you" in chosen.content.decode() and 'value="Asia/Tokyo"' in chosen.content.decode()
    assert "c1" not in chosen.redirect_chain[0][0]
    assert "Nobody is found" in client.post(url, {"q": "nobody@", "look": ""}).content.decode()
    assert "no such time zone" in client.get(url, {"zone": "Mars"}).content.decode()
    page = client.post(url).content.decode()
    assert 'id="addresses"' in page and "Not called from here" in page
    assert AuditEntry.objects.filter(action="campaign.links_checked").count() == 1
    assert client.get(reverse("campaigns:compare", args=[campaign.pk])).status_code == 200


def test_the_page_tells_why_in_the_readers_words(
    make_customers: Any, make_campaign: Any, client: Any
) -> None:
    make_customers(1)
    campaign = make_campaign(bodies=(BODY,))
    client.force_login(User.objects.create_superuser("ann", "ann@shop.example", "x"))
    client.cookies["django_language"] = "zh-hans"
    page = client.get(reverse("campaigns:proofs", args=[campaign.pk])).content.decode()
    assert "<dt>需要同意</dt><dd>是</dd>" in page and "<dt>渠道</dt><dd>电子邮件</dd>" in page
    assert "<dt>is_needed</dt>" not in page and "<dt>local_time</dt>" not in page


def test_differences_are_told_by_api_and_unknown_versions_named(
    make_customers: Any, make_campaign: Any, client: Any
) -> None:
    make_customers(1)
    campaign = make_campaign(drafts=({"body": "a\nb"}, {"body": "a\nc"}))
    _key, token = create_key(name="k", scopes=["campaigns:read"])
    url, headers = f"/api/v1/campaigns/{campaign.pk}/diff", {"authorization": f"Bearer {token}"}
    found = client.get(url, {"older": "draft:m0", "newer": "draft:m1"}, headers=headers).json()
    body = next(part for part in found["parts"] if part["part"] == "body")
    assert [line["kind"] for line in body["lines"]] == ["same", "removed", "added"]
    answer = client.get(url, {"older": "run:7:m0", "newer": "draft:m1"}, headers=headers)
    assert answer.status_code == 400 and b"draft:m0" in answer.content


def test_a_message_with_dark_colors_of_its_own_shows_those() -> None:
    own = "<head><style>@media (prefers-color-scheme: dark){p{color:#fff}}</style></head>"
    assert "(min-width: 0)" in darken(own) and "invert" not in darken(own)
    assert darken("<head></head><p>").startswith("<head><style>html{filter:invert(1)")
