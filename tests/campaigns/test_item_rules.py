"""Rules for recommended items, from the campaign to what stands in the mails that a real SMTP server got."""

import email
import email.policy
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from campaigns import services
from campaigns.items.last_messages import items_of_last_messages
from campaigns.models import Delivery, Run
from campaigns.planning.checks import check_campaign
from campaigns.sending.context import run_content
from personalization.catalog.models import Item
from personalization.events.services import NewEvent, record_events
from recommender import services as training
from recommender.ranking.rules import ALLOW, ONLY, Rules

pytestmark = pytest.mark.django_db(transaction=True)
ITEMS = (
    "{% for item in items %}[{{ item.external_id }}: {{ item.reason }}]{% endfor %}"
    '<a href="{{ unsubscribe_url }}">Unsubscribe</a>'
)
CATEGORIES = ("Tea", "Coffee", "Cups")


@pytest.fixture
def catalog(settings: Any, tmp_path: Any) -> list[Item]:
    """i0 … i11: in turn Tea, Coffee, Cups, priced 1 … 12, from the brands Leaf (even) and Bean (odd)."""
    settings.MODEL_DIR = tmp_path / "models"
    cache.delete("recommender.popular")
    return Item.objects.bulk_create(
        Item(
            external_id=f"i{n}", name=f"Item {n}", price=Decimal(n + 1), brand=("Leaf", "Bean")[n % 2],
            categories=["All", CATEGORIES[n % 3]],
        )
        for n in range(12)
    )  # fmt: skip


def buy(customer: Any, *items: Item) -> None:
    now = datetime.now(UTC)
    record_events(
        [
            NewEvent(
                customer.pk, f"{customer.pk}-{i.pk}", "Order Line", now - timedelta(days=1), item_id=i.pk
            )
            for i in items
        ]
    )


def shown(sink: Any) -> dict[str, list[str]]:
    """Item ids by recipient, as they stand in the HTML part of the last mail."""
    found = {}
    for recipient, data in sink.accepted:
        message = email.message_from_bytes(data, policy=email.policy.default)
        html = message.get_body(("html",)).get_content()
        found[recipient.partition("@")[0]] = re.findall(r"\[(i\d+): ", html)
    return found


def test_a_chunk_holds_only_items_that_obey_the_rules(
    sink, make_customers, make_campaign, send_all, catalog
) -> None:
    people = make_customers(3)
    buy(people[0], catalog[0], catalog[2])
    rules = Rules(
        categories=("Tea", "Cups"), brands=("Leaf",), price_max=Decimal(9), max_per_category=2,
        pinned=(catalog[8].pk, catalog[1].pk), not_items=(catalog[6].pk,),
    )  # fmt: skip
    run = services.launch(make_campaign(drafts=({"body": ITEMS, "rules": rules},)), actor="test")
    send_all(run)
    # Even numbers below 9 that are Tea (0, 6) or Cups (2, 8), without 6; the Coffee that is pinned stays out.
    found = shown(sink)
    assert found["c0"] == ["i8"]
    for other in ("c1", "c2"):
        assert found[other][0] == "i8" and sorted(found[other]) == ["i0", "i2", "i8"]


def test_the_number_of_items_is_the_messages(sink, make_customers, make_campaign, send_all, catalog) -> None:
    make_customers(2)
    send_all(services.launch(make_campaign(drafts=({"body": ITEMS, "item_count": 9},)), actor="test"))
    assert [len(items) for items in shown(sink).values()] == [9, 9]


def test_each_variant_has_its_own_rules(sink, make_customers, make_campaign, send_all, catalog) -> None:
    people = make_customers(40)
    for person in people:
        buy(person, catalog[3], catalog[4])
    again = {"body": ITEMS, "rules": Rules(bought=ONLY)}
    campaign = make_campaign(drafts=({"body": ITEMS, "item_count": 3}, again))
    run = services.launch(campaign, actor="test")
    send_all(run)
    found, variants = shown(sink), {"m0": set(), "m1": set()}
    rows = Delivery.objects.filter(run=run).values_list("customer__external_id", "variant__key")
    for customer, variant in rows:
        variants[variant].add(tuple(sorted(found[customer])))
    assert variants["m1"] == {("i3", "i4")}
    assert all(len(items) == 3 and not {"i3", "i4"} & set(items) for items in variants["m0"])


def test_rules_are_frozen_at_the_launch(sink, make_customers, make_campaign, send_all, catalog) -> None:
    make_customers(1)
    campaign = make_campaign(drafts=({"body": ITEMS, "rules": Rules(brands=("Bean",))},))
    run = services.launch(campaign, actor="test")
    assert run.content["variants"]["m0"]["rules"] == {"brands": ["Bean"]}
    campaign.messages.update(rules={"brands": ["Leaf"]}, item_count=1)
    send_all(run)
    assert sorted(shown(sink)["c0"]) == ["i1", "i11", "i3", "i5", "i7", "i9"]


def test_a_run_launched_before_there_were_rules_is_sent_as_then(
    sink, make_customers, make_campaign, send_all, catalog
) -> None:
    make_customers(1)
    run = services.launch(make_campaign(drafts=({"body": ITEMS},)), actor="test")
    for part in ("rules", "item_count"):
        del run.content["variants"]["m0"][part]
    Run.objects.filter(pk=run.pk).update(content=run.content)
    run_content.cache_clear()
    send_all(run)
    assert len(shown(sink)["c0"]) == 6


def test_what_stood_in_the_last_messages_does_not_come_again(
    sink, make_customers, make_campaign, send_all, catalog
) -> None:
    make_customers(2)
    draft = {"body": ITEMS, "item_count": 4, "rules": Rules(bought=ALLOW, not_in_last_messages=2)}
    seen: list[dict[str, set[str]]] = []
    for _ in range(4):
        sink.accepted.clear()
        send_all(services.launch(make_campaign(drafts=(draft,)), actor="test"))
        seen.append({customer: set(items) for customer, items in shown(sink).items()})
    for customer in ("c0", "c1"):
        first, second, third, fourth = (one[customer] for one in seen)
        assert len(first | second | third) == 12  # three times four, none twice
        assert fourth == first  # of two messages ago only the last two count


def test_the_last_messages_are_read_in_one_query(make_customers, make_campaign, catalog) -> None:
    people = make_customers(4)
    times = {"sent": timezone.now(), "unknown": None, "failed": None}
    for days, status in ((3, "sent"), (2, "failed"), (1, "unknown"), (0, "sent")):
        run = services.launch(make_campaign(), actor="test")
        at = timezone.now() - timedelta(days=days)
        picks = {"items": [[catalog[days].pk, "popular", None, ""]], "at": int(at.timestamp())}
        Delivery.objects.filter(run=run).update(
            status=status, sent_at=times[status] and at, inputs=picks if days else None
        )
    with CaptureQueriesContext(
        connection,
    ) as queries:
        found = items_of_last_messages({person.pk: n for n, person in enumerate(people)})
    assert len(queries) == 1
    # The last message had no items; before it came one whose arrival is unknown, and three days ago another.
    assert [found[person.pk] for person in people] == [
        set(), set(), {catalog[1].pk}, {catalog[1].pk, catalog[3].pk},
    ]  # fmt: skip
    assert items_of_last_messages({}) == {}


def test_the_ledger_keeps_the_reason_of_every_item(
    sink, make_customers, make_campaign, send_all, catalog
) -> None:
    people = make_customers(1)
    buy(people[0], catalog[0])
    rules = Rules(pinned=(catalog[5].pk,))
    run = services.launch(
        make_campaign(drafts=({"body": ITEMS, "rules": rules, "item_count": 3},)), actor="t"
    )
    send_all(run)
    picks = Delivery.objects.get(run=run).inputs["items"]
    assert picks[0] == [catalog[5].pk, "pinned", None, ""]
    assert [pick[1:] for pick in picks[1:]] == [["popular", None, ""]] * 2


def test_every_kind_of_reason_is_kept_and_said(
    sink, make_customers, make_campaign, send_all, catalog
) -> None:
    people = make_customers(41, city="Rome")
    for n, person in enumerate(people[:40]):
        buy(person, *(catalog[(n + step) % 6] for step in range(3)))
    model = training.train(algorithm="ease")
    training.run_training(model.pk)
    model.refresh_from_db()
    training.promote(model, actor="test", reason="a test")
    draft = {"body": ITEMS, "item_count": 3, "rules": Rules(pinned=(catalog[11].pk,))}
    run = services.launch(make_campaign(drafts=(draft,)), actor="test")
    send_all(run)
    mails = {recipient: data.decode() for recipient, data in sink.accepted}
    said = {"pinned": "Our pick", "because": "Because you bought Item ",
            "similar_customers": "Popular with customers like you"}  # fmt: skip
    kinds = {}
    for delivery in Delivery.objects.filter(run=run).select_related("customer"):
        kinds[delivery.customer.external_id] = [pick[1] for pick in delivery.inputs["items"]]
        text = re.sub(r"=\r?\n", "", mails[delivery.customer.email])
        assert all(said[kind] in text for kind in kinds[delivery.customer.external_id])
    assert kinds["c40"] == ["pinned", "similar_customers", "similar_customers"]
    assert kinds["c0"] == ["pinned", "because", "because"]


def test_the_checks_say_when_the_rules_leave_too_little(make_customers, make_campaign, catalog) -> None:
    make_customers(1)

    def found(**rules: Any) -> list[tuple[str, str]]:
        campaign = make_campaign(drafts=({"body": ITEMS, "rules": Rules(**rules)},))
        return [(one.level, one.field) for one in check_campaign(campaign) if "rules" in one.field]

    assert found() == []
    assert found(brands=("Nobody",)) == [("error", "messages/0/rules")]
    assert found(price_max=Decimal(3)) == [("warning", "messages/0/rules")]
    assert found(pinned=(catalog[0].pk,), not_items=(catalog[0].pk,)) == [
        ("warning", "messages/0/rules/pinned")
    ]


def test_rules_of_a_message_without_items_are_not_checked(make_customers, make_campaign, catalog) -> None:
    make_customers(1)
    campaign = make_campaign(
        drafts=({"body": ITEMS.replace("items", "nothing"), "rules": Rules(brands=("x",))},)
    )
    assert not [one for one in check_campaign(campaign) if "rules" in one.field]
