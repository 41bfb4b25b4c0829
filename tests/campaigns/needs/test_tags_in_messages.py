"""What a template asks for by its tags, from the campaign to the mails that a real SMTP server got."""

import email
import email.policy
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from campaigns import ledger, services
from campaigns.errors import CampaignNotReady
from campaigns.items.last_messages import items_of_last_messages
from campaigns.models import Delivery, Run
from campaigns.planning.checks import check_campaign
from campaigns.rehearsing.asking import ask_for_rehearsal
from campaigns.rehearsing.rehearsal import rehearse
from campaigns.sending import gate
from campaigns.tasks import run_rehearsal
from campaigns.why.answers import explain
from personalization.access.models import User
from personalization.catalog.models import Item
from personalization.content.services import save_block
from personalization.events.services import NewEvent, record_events

pytestmark = pytest.mark.django_db(transaction=True)
END = '<a href="{{ unsubscribe_url }}">Unsubscribe</a>'
SHOW = "{% for item in NAME %}[{{ item.external_id }}]{% endfor %}"


@pytest.fixture
def catalog() -> list[Item]:
    """i0 … i11: in turn Tea, Coffee, Cups, priced 1 … 12."""
    return Item.objects.bulk_create(
        Item(
            external_id=f"i{n}", name=f"Item {n}", price=Decimal(n + 1), currency="EUR",
            categories=[("Tea", "Coffee", "Cups")[n % 3]],
        )
        for n in range(12)
    )  # fmt: skip


def buy(customer: Any, *items: Item, order: str = "o1", days: int = 1) -> None:
    at = datetime.now(UTC) - timedelta(days=days)
    name = f"{customer.pk}-{order}"
    record_events(
        [
            NewEvent(
                customer.pk, f"{name}-{item.pk}", "Order Line", at, item_id=item.pk, value=item.price,
                properties={"order_id": order, "quantity": 2, "currency": "EUR"},
            )
            for item in items
        ]
    )  # fmt: skip


def shown(sink: Any) -> dict[str, str]:
    """The HTML part of each mail, by the first half of the address."""
    found = {}
    for recipient, data in sink.accepted:
        message = email.message_from_bytes(data, policy=email.policy.default)
        found[recipient.partition("@")[0]] = message.get_body(("html",)).get_content()
    return found


def ids(html: str) -> list[str]:
    return re.findall(r"\[(i\d+)\]", html)


def test_several_lists_in_one_message_obey_their_arguments_and_do_not_repeat_each_other(
    sink: Any, make_customers: Any, make_campaign: Any, send_all: Any, catalog: list[Item]
) -> None:
    people = make_customers(3, traits={"favorite": "Coffee"})
    buy(people[0], catalog[0])
    body = (
        '{% recommend "for_you" count: 2, category: "Tea" as tea %}<p>' + SHOW.replace("NAME", "tea") + "</p>"
        '{% recommend "popular" count: 3, category: customer.traits.favorite, price_max: 9 as own %}<p>'
        + SHOW.replace("NAME", "own") + "</p>"
        '{% recommend "for_you" count: 3, category: "Tea" as rest %}<p>' + SHOW.replace("NAME", "rest")
        + "</p>" + END
    )  # fmt: skip
    run = services.launch(make_campaign(bodies=(body,)), actor="test")
    send_all(run)
    mails = shown(sink)
    assert len(mails) == 3
    for who, html in mails.items():
        tea, own, rest = (ids(part) for part in re.findall(r"<p>(.*?)</p>", html, re.DOTALL)[:3])
        assert len(tea) == 2 and set(tea + rest) == {"i0", "i3", "i6", "i9"} - (
            {"i0"} if who == "c0" else set()
        )
        assert set(own) == {"i1", "i4", "i7"}
        assert not set(tea) & set(rest)
    row = Delivery.objects.get(run=run, customer=people[1])
    assert len(row.inputs["needs"]) == 3
    # What stood in a list of a tag counts as shown, like any recommended item.
    assert len(items_of_last_messages({people[1].pk: 1})[people[1].pk]) == 7


def test_tags_are_loaded_for_the_chunk_not_for_each_message(
    sink: Any,
    make_customers: Any,
    make_campaign: Any,
    send_all: Any,
    catalog: list[Item],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # What a slow machine asks by the clock: permissions once more, and the lease.
    monkeypatch.setattr(gate, "FRESH_SECONDS", 3600.0)
    monkeypatch.setattr(ledger, "renew", lambda claim: True)
    people = make_customers(30)
    for person in people:
        buy(person, catalog[1])
    body = (
        '{% recommend "for_you" count: 2 as a %}{% recommend "popular" as b %}{% last_orders as o %}x' + END
    )

    def queries(country: str, n: int) -> int:
        type(people[0]).objects.filter(pk__in=[p.pk for p in people[:n]]).update(country="GB")
        type(people[0]).objects.filter(pk__in=[p.pk for p in people[n:]]).update(country="FR")
        run = services.launch(make_campaign(bodies=(body,)), actor="test")
        with CaptureQueriesContext(connection) as captured:
            send_all(run)
        return len(captured)

    queries("GB", 2)  # what is loaded once for the process
    # What the process keeps for some seconds may be asked anew in one of the two.
    assert abs(queries("GB", 30) - queries("GB", 5)) < 5


def test_the_history_of_a_customer_can_be_told(
    sink: Any, make_customers: Any, make_campaign: Any, send_all: Any, catalog: list[Item]
) -> None:
    person = make_customers(2)[0]
    buy(person, catalog[1], catalog[2], order="old", days=9)
    buy(person, catalog[3], order="new", days=2)
    buy(person, catalog[4], order="ancient", days=400)
    body = (
        "{% last_orders count: 2, days: 100 as orders %}{% for o in orders %}"
        '<p>{{ o.id }} {{ o.total | money: o.currency }} {{ o.items | map: "name" | join: "+" }}'
        " {{ o.items.first.quantity }}</p>{% else %}<p>none</p>{% endfor %}" + END
    )
    send_all(services.launch(make_campaign(bodies=(body,)), actor="test"))
    mails = shown(sink)
    assert re.findall(r"<p>(.*?)</p>", mails["c0"]) == ["new €4.00 Item 3 2.0", "old €5.00 Item 1+Item 2 2.0"]
    assert re.findall(r"<p>(.*?)</p>", mails["c1"]) == ["none"]


def test_a_customer_who_lacks_a_value_is_skipped_with_the_reason_if_the_message_says_so(
    sink: Any, make_customers: Any, make_campaign: Any, send_all: Any
) -> None:
    make_customers(2, city="Cork")
    make_customers(1, start=2)
    make_customers(1, start=3, city="Cork", language="xx")
    skip = '{% if customer.language == "xx" %}{% skip_customer "no text in that language" %}{% endif %}'
    draft = {"body": f"{skip}<p>{{{{ customer.city }}}}</p>{END}", "missing": "skip"}
    campaign = make_campaign(drafts=(draft,))
    said = rehearse(campaign)
    told = {(f.reason, f.detail): (f.customers, len(f.examples)) for f in said.failures.values()}
    assert told == {
        ("missing_value", "customer.city: no value"): (1, 1),
        ("left_out", "no text in that language"): (1, 1),
    }
    run = services.launch(campaign, actor="test")
    send_all(run)
    assert sorted(sink.recipients) == ["c0@example.com", "c1@example.com"]
    found = run.deliveries.filter(status="skipped").order_by("pk").values_list("reason", "detail")
    assert list(found) == [
        ("missing_value", "customer.city: no value"), ("left_out", "no text in that language"),
    ]  # fmt: skip
    row = run.deliveries.get(reason="missing_value")
    steps = {one.step: one for one in explain(run, row.customer, row)}
    assert steps["content"].verdict == "stopped" and "customer.city" in steps["content"].sentence


@pytest.mark.parametrize(
    "tag, words",
    [
        ('{% recommend "nonsense" %}', "no such strategy"),
        ('{% recommend "for_you" count: 0 %}', "1 to 50"),
        ('{% recommend "for_you" exclude: "x" %}', "exclude is"),
        ('{% recommend "for_you" price_max: "x" %}', "amount"),
        ("{% last_orders count: 99 %}", "from 1 to 20"),
    ],
)
def test_a_tag_that_cannot_work_for_anybody_stops_the_launch(
    make_customers: Any, make_campaign: Any, tag: str, words: str
) -> None:
    make_customers(1)
    campaign = make_campaign(bodies=(tag + END,))
    assert any(one.level == "error" and words in one.message for one in check_campaign(campaign))
    with pytest.raises(CampaignNotReady):
        services.launch(campaign, actor="test")
    assert not Run.objects.exists()


def test_an_argument_that_is_wrong_for_one_customer_stops_only_that_message(
    sink: Any, make_customers: Any, make_campaign: Any, send_all: Any, catalog: list[Item]
) -> None:
    make_customers(1, traits={"n": 3})
    make_customers(1, start=1, traits={"n": "many"})
    body = '{% recommend "for_you" count: customer.traits.n as a %}' + SHOW.replace("NAME", "a") + END
    run = services.launch(make_campaign(bodies=(body,)), actor="test")
    send_all(run)
    assert len(ids(shown(sink)["c0"])) == 3
    assert run.deliveries.get(status="skipped").reason == "no_content"


def test_the_preview_fills_the_tags_and_the_page_of_a_rehearsal_names_who_fails(
    client: Any, make_customers: Any, make_campaign: Any, catalog: list[Item]
) -> None:
    user = User.objects.create_superuser("boss", "boss@example.com", "x")
    client.force_login(user)
    person = make_customers(1)[0]
    body = '{% recommend "for_you" count: 2 as a %}' + SHOW.replace("NAME", "a") + "{{ customer.city }}" + END
    asked = {"subject": "s", "body": body, "customer": person.pk, "missing": "empty"}
    answer = client.post(reverse("campaigns:preview"), asked, content_type="application/json").json()
    assert len(ids(answer["rendered"]["html"])) == 2
    wrong = {**asked, "body": body.replace("for_you", "nothing")}
    answer = client.post(reverse("campaigns:preview"), wrong, content_type="application/json").json()
    assert any("no such strategy" in problem["message"] for problem in answer["problems"])
    campaign = make_campaign(drafts=({"body": body, "missing": "skip"},))
    run_rehearsal(ask_for_rehearsal(campaign, at=None, days=3, actor="test").pk)
    text = client.get(reverse("campaigns:rehearsal", args=[campaign.pk])).content.decode()
    assert "Whom the message fails" in text and "customer.city: no value" in text
    assert reverse("customers:profile", args=[person.pk]) in text


def test_a_launch_freezes_the_blocks_as_they_are(
    sink: Any, make_customers: Any, make_campaign: Any, send_all: Any
) -> None:
    save_block("footer", texts={"": "<p>old</p>" + END, "zh": "<p>旧</p>" + END}, actor="test")
    make_customers(1)
    make_customers(1, start=1, language="zh")
    campaign = make_campaign(bodies=('Hi {% block "footer" %}',))
    assert not [one for one in check_campaign(campaign) if one.level == "error"]
    run = services.launch(campaign, actor="test")
    save_block("footer", texts={"": "<p>new</p>" + END}, actor="test")
    send_all(run)
    mails = shown(sink)
    assert "<p>old</p>" in mails["c0"] and "<p>旧</p>" in mails["c1"]
    assert run.content["variants"]["m0"]["blocks"]["footer"]["version"] == 1
    with pytest.raises(CampaignNotReady):
        services.launch(make_campaign(bodies=('{% block "gone" %}' + END,)), actor="test")
