# ruff: noqa: E501
"""The preview of the editor: the customer's own message, its problems, and what the rules leave."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone

from campaigns import services
from campaigns.models import Delivery
from personalization.catalog.models import Item
from personalization.customers.models import Customer
from personalization.events.services import NewEvent, record_events
from personalization.segments.services import save_segment
from tests.campaigns.editor.test_pages import BODY, EDIT, VIEW, payload, post

pytestmark = pytest.mark.django_db


def test_the_preview_is_the_customers_own_and_names_problems_by_line(staff, segment):
    client, customer = staff(*EDIT), Customer.objects.latest("pk")
    parts = {"subject": "Hi {{ customer.first_name }}", "preheader": "{{ customer.city }}!", "body": BODY}
    answer = post(client, "preview", data={**parts, "customer": customer.pk}).json()
    assert answer["rendered"]["subject"] == "Hi <Ann>"
    assert answer["rendered"]["preheader"] == "!"
    assert "Hi &lt;Ann&gt;" in answer["rendered"]["html"]
    answer = post(client, "preview", data={**parts, "body": "<p>\n{% if %}</p>"}).json()
    assert answer["rendered"] is None
    assert answer["problems"][0]["line"] == 2


def test_the_preview_works_in_an_empty_shop(staff):
    answer = post(staff(*EDIT), "preview", data={"subject": "s", "preheader": "", "body": BODY}).json()
    assert answer["customer"] is None
    assert answer["rendered"]


@pytest.fixture
def catalog():
    cache.delete("recommender.popular")
    return Item.objects.bulk_create(
        Item(external_id=f"i{n}", name=f"Item {n}", price=n + 1, brand="Leaf" if n % 2 else "Bean", categories=["Tea", f"T{n % 3}"])
        for n in range(10)
    )  # fmt: skip


LISTED = "{% for item in items %}[{{ item.external_id }}]{% endfor %}" + BODY


def example(**changes):
    return {"subject": "s", "preheader": "", "body": LISTED, **changes}


def test_the_preview_obeys_the_rules_and_says_what_they_leave(staff, segment, catalog):
    rules = {"brands": ["Leaf"], "pinned": ["i5"], "not_items": ["i1"], "price_max": "8"}
    answer = post(staff(*EDIT), "preview", data=example(rules=rules, item_count=2)).json()
    assert "[i5]" in answer["rendered"]["html"] and answer["rendered"]["html"].count("[i") == 2
    assert answer["items"] == {
        "sentence": "New to the customer, only by Leaf, priced 8 or less, 1 pinned first, 1 item left out",
        "left": "3 of 10 items can be recommended.", "warning": "",
        "removed": [
            "Only these brands: 5 items fewer", "Price to: 2 items fewer", "Never these items: 1 item fewer",
            "New or bought before: 0 items fewer",
        ],
    }  # fmt: skip
    assert answer["rendered"]["shows_items"]


def test_the_preview_counts_what_this_customer_bought(staff, segment, catalog):
    client, customer = staff(*EDIT), Customer.objects.latest("pk")
    bought = datetime.now(UTC) - timedelta(days=1)
    record_events(
        [NewEvent(customer.pk, f"b{n}", "Order Line", bought, item_id=catalog[n % 3].pk) for n in range(4)]
    )

    def removed(**rules):
        answer = post(client, "preview", data=example(customer=customer.pk, rules=rules)).json()
        return answer["items"]["removed"]

    assert removed() == ["New or bought before: 3 items fewer"]
    assert removed(bought="only") == ["New or bought before: 7 items fewer"]
    assert removed(bought="allow") == []


def test_the_preview_warns_when_the_rules_leave_too_little(staff, segment, catalog):
    client, customer = staff(*EDIT), Customer.objects.latest("pk")

    def warning(**changes):
        answer = post(client, "preview", data=example(customer=customer.pk, **changes)).json()
        return answer["items"]["warning"]

    assert warning() == ""
    assert warning(rules={"price_max": 2}) == "Fewer items fit these rules than the message may show."
    assert warning(rules={"brands": ["None"]}) == "No item fits these rules."
    assert warning(rules={"bought": "only"}) == "For this customer no item is left."


def test_the_preview_leaves_out_what_stood_in_the_last_messages(staff, campaign, catalog):
    client, customer = staff(*EDIT), Customer.objects.latest("pk")
    picks = {"items": [[item.pk, "popular", None, ""] for item in catalog[:7]], "at": 1}
    run = services.launch(campaign, actor="test")
    Delivery.objects.filter(run=run).update(status="sent", sent_at=timezone.now(), inputs=picks)
    data = example(customer=customer.pk, rules={"not_in_last_messages": 1})
    html = post(client, "preview", data=data).json()["rendered"]["html"]
    assert all(f"[i{n}]" in html for n in (7, 8, 9)) and html.count("[i") == 3


def test_wrong_rules_are_answered_beside_their_controls(staff, segment, catalog):
    client = staff(*EDIT)
    answer = post(client, "preview", data=example(rules={"price_min": "x"}, item_count=""))
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/item_count", "/rules/price_min"]
    data = payload(segment)
    data["messages"][1]["rules"] = {"pinned": ["lost"]}
    errors = post(client, "create", data=data).json()["errors"]
    assert errors == [{"pointer": "/messages/1/rules/pinned/0", "detail": "There is no item “lost”."}]


def test_rules_are_saved_and_come_back_to_the_editor(staff, segment, catalog):
    client, data = staff(*EDIT), payload(segment)
    rules = {"pinned": ["i3"], "max_per_category": 2}
    data["messages"][0] |= {"rules": rules, "item_count": 4}
    saved = post(client, "create", data=data).json()["campaign"]
    assert saved["messages"][0]["rules"] == rules and saved["messages"][0]["item_count"] == 4
    assert saved["messages"][1]["rules"] == {} and saved["item_names"] == {"i3": "Item 3"}
    page = client.get(reverse("campaigns:edit", args=[saved["id"]]))
    assert page.context["page_data"]["campaign"]["messages"] == saved["messages"]
    catalog[3].delete()
    page = client.get(reverse("campaigns:edit", args=[saved["id"]]))
    assert page.context["page_data"]["campaign"]["messages"][0]["rules"]["pinned"] == []


def test_what_a_rule_may_name_is_offered(staff, catalog):
    client = staff(*VIEW)

    def offered(of, words=""):
        answer = client.get(reverse("campaigns:rule-choices"), {"of": of, "q": words})
        return [choice["value"] for choice in answer.json()["choices"]]

    assert offered("categories", "t") == ["T0", "T1", "T2", "Tea"] and offered("categories", "%") == []
    assert offered("brands", "lea") == ["Leaf"]
    assert offered("items", "item 4") == ["i4"] and offered("items", "I7\0") == ["i7"]
    assert client.get(reverse("campaigns:rule-choices"), {"of": "customers"}).status_code == 404


def test_the_size_of_a_segment_is_told_in_steps_without_personal_data(staff, segment, settings):
    settings.K_ANONYMITY = 4
    url = f"{reverse('campaigns:size')}?segment={segment.pk}"
    assert staff("view_campaign").get(url).json() == {"size": 4}
    assert staff("view_campaign", "view_personal_data").get(url).json() == {"size": 6}


def test_somebody_at_random_is_of_the_chosen_segment_if_it_has_members(staff, segment):
    inside = Customer.objects.create(
        external_id="in", email="in@example.com", city="Bath", created_at=timezone.now()
    )
    Customer.objects.bulk_create(
        Customer(external_id=f"out{n}", email=f"o{n}@example.com", created_at=timezone.now())
        for n in range(9)
    )
    bath = save_segment(None, name="Bath", definition={"trait": "city", "op": "is", "value": "Bath"})
    client = staff(*EDIT)
    shown = [post(client, "preview", data=example(segment=str(bath.segment_id))) for _ in range(5)]
    assert {answer.json()["customer"]["id"] for answer in shown} == {inside.pk}
    nobody = save_segment(None, name="Oz", definition={"trait": "city", "op": "is", "value": "Oz"})
    assert post(client, "preview", data=example(segment=nobody.segment_id)).json()["customer"]
