# ruff: noqa: E501
"""The campaign pages: who may see and do what, and that each does its job."""

import csv
import json
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.contrib.auth.models import Permission
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone

from campaigns import services
from campaigns.models import Campaign, Delivery, DeliveryStatus
from campaigns.reports.page import harmless
from experiments.services import ensure_default_metrics
from personalization.access.models import User
from personalization.catalog.models import Item
from personalization.customers.models import Customer
from personalization.customers.services import record_consent
from personalization.events.services import NewEvent, record_events
from personalization.segments.services import save_segment

pytestmark = pytest.mark.django_db
BODY = '<p>Hi {{ customer.first_name }}</p><a href="{{ unsubscribe_url }}">Stop</a>'
VIEW = ("view_campaign",)
EDIT = (*VIEW, "add_campaign", "change_campaign", "view_customer", "view_personal_data", "view_segment")
ALL = (*EDIT, "launch_campaign")


@pytest.fixture
def staff(client):
    def log_in(*permissions):
        user = User.objects.create_user("kim", email="kim@shop.example", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        client.force_login(user)
        return client

    return log_in


@pytest.fixture
def segment():
    for number in range(6):
        customer = Customer.objects.create(
            external_id=f"={number}", email=f"p{number}@mail.example", first_name="<Ann>", country="GB",
            created_at=timezone.now(),
        )  # fmt: skip
        if number:
            record_consent(customer.pk, channel="email", topic="marketing", granted=True, source="test")
    definition = {"all": [{"trait": "country", "op": "is", "value": "GB"}]}
    return save_segment(None, name="Britons", definition=definition).segment


def payload(segment, **changes):
    message = {"key": "a", "name": "A", "weight": 1, "subject": "Hi", "preheader": "", "body": BODY}
    return {
        "name": "Spring", "segment": str(segment.pk), "sender_name": "Shop", "sender_address": "shop@shop.example",
        "topic": "marketing", "control_share": 0.2, "messages": [message, {**message, "key": "", "name": "B!"}], **changes,
    }  # fmt: skip


def post(client, name, *args, data=None):
    return client.post(reverse(f"campaigns:{name}", args=args), json.dumps(data or {}), "application/json")


@pytest.fixture
def campaign(segment):
    draft = services.MessageDraft(key="a", name="A", subject="Hi", body=BODY)
    return services.save_campaign(
        None, name="Spring", segment=segment, messages=[draft], sender_address="shop@shop.example",
        control_share=0.2, actor="user:kim",
    )  # fmt: skip


def test_strangers_are_sent_to_the_log_in_page(client, campaign):
    for name, args in (("list", []), ("new", []), ("edit", [campaign.pk]), ("report", [campaign.pk])):
        response = client.get(reverse(f"campaigns:{name}", args=args))
        assert response.status_code == 302
        assert "login" in response["Location"]


def test_a_viewer_looks_but_neither_saves_nor_launches(staff, campaign, segment):
    client = staff(*VIEW)
    assert client.get(reverse("campaigns:list")).status_code == 200
    assert client.get(reverse("campaigns:edit", args=[campaign.pk])).status_code == 200
    assert client.get(reverse("campaigns:new")).status_code == 403
    assert post(client, "save", campaign.pk, data=payload(segment)).status_code == 403
    assert post(client, "create", data=payload(segment)).status_code == 403
    for name in ("launch", "schedule", "unschedule"):
        assert post(client, name, campaign.pk).status_code == 403
    assert post(client, "send-test", data={}).status_code == 403
    assert post(client, "preview", data={"subject": "", "preheader": "", "body": ""}).status_code == 403
    assert client.get(reverse("campaigns:audience-csv", args=[campaign.pk])).status_code == 403
    assert client.get(reverse("campaigns:preview-customers")).status_code == 403


def test_an_editor_may_not_launch(staff, campaign):
    client = staff(*EDIT)
    assert post(client, "launch", campaign.pk).status_code == 403
    assert post(client, "steer", campaign.pk, 1, "pause").status_code == 403


def test_the_list_says_when_there_is_nothing(staff):
    page = staff(*EDIT).get(reverse("campaigns:list")).content.decode()
    assert "No campaigns yet" in page


def test_a_campaign_is_created_with_keys_for_its_variants(staff, segment):
    answer = post(staff(*EDIT), "create", data=payload(segment)).json()
    saved = Campaign.objects.get(pk=answer["campaign"]["id"])
    assert list(saved.messages.values_list("key", "name")) == [("a", "A"), ("b", "B!")]
    assert answer["urls"]["edit"] == reverse("campaigns:edit", args=[saved.pk])


@pytest.mark.parametrize("changes, pointer", [
    ({"name": ""}, "/name"), ({"segment": 999999}, "/segment"), ({"control_share": 2}, "/control_share"),
    ({"control_share": "x"}, "/control_share"), ({"messages": "x"}, "/messages"), ({"name": 7}, "/name"),
])  # fmt: skip
def test_what_makes_no_campaign_is_answered_beside_its_field(staff, segment, changes, pointer):
    response = post(staff(*EDIT), "create", data={**payload(segment), **changes})
    assert response.status_code == 422
    assert pointer in [error["pointer"] for error in response.json()["errors"]]


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


def test_customers_are_found_by_the_beginning_of_a_name(staff, segment):
    found = staff(*EDIT).get(reverse("campaigns:preview-customers"), {"q": "p3@"}).json()["customers"]
    assert len(found) == 1


def test_checks_name_what_is_missing(staff, segment, campaign):
    Campaign.objects.filter(pk=campaign.pk).update(segment=None)
    found = staff(*EDIT).get(reverse("campaigns:checks", args=[campaign.pk])).json()["checks"]
    assert found[0]["level"] == "error"


def test_a_launch_leads_to_a_report_that_adds_up(staff, campaign, analyse):
    ensure_default_metrics()
    client = staff(*ALL)
    assert post(client, "launch", campaign.pk).json()["url"] == reverse(
        "campaigns:report", args=[campaign.pk]
    )
    assert post(client, "launch", campaign.pk).status_code == 409
    page = client.get(reverse("campaigns:report", args=[campaign.pk]))
    assert "Audience of 6" in page.content.decode()
    assert "The first analysis is under way." in page.content.decode()
    analyse(campaign.runs.get().experiment)
    data = client.get(reverse("campaigns:report-data", args=[campaign.pk])).json()
    assert data["live"] == 2
    assert set(data["parts"]) == {
        "headline", "decision", "allocation", "varied", "progress", "analysis", "guards", "tables", "breakdown", "why",
    }  # fmt: skip
    assert "These numbers are" in data["parts"]["analysis"]
    assert client.get(reverse("campaigns:list")).status_code == 200


def test_a_run_is_paused_resumed_and_cancelled(staff, campaign):
    client = staff(*ALL)
    run = services.launch(campaign, actor="user:kim")
    for action, status in (("pause", "paused"), ("resume", "sending"), ("cancel", "cancelled")):
        assert post(client, "steer", campaign.pk, run.number, action).status_code == 200
        run.refresh_from_db()
        assert run.status == status
    assert post(client, "steer", campaign.pk, run.number, "resume").status_code == 409
    assert post(client, "steer", campaign.pk, run.number, "explode").status_code == 404


def test_a_campaign_is_scheduled_in_the_chosen_time_zone(staff, campaign):
    client = staff(*ALL)
    data = {"at": "2031-07-01T09:00", "time_zone": "Asia/Shanghai"}
    assert post(client, "schedule", campaign.pk, data=data).status_code == 200
    campaign.refresh_from_db()
    assert campaign.scheduled_at.isoformat() == "2031-07-01T01:00:00+00:00"
    assert post(client, "schedule", campaign.pk, data={"at": "x"}).status_code == 422
    assert post(client, "unschedule", campaign.pk).json()["campaign"]["status"] == "draft"


def test_the_audience_is_downloaded_without_formulas(staff, campaign):
    services.launch(campaign, actor="user:kim")
    Delivery.objects.filter(status=DeliveryStatus.PENDING).update(detail="@SUM(1)")
    response = staff(*ALL).get(reverse("campaigns:audience-csv", args=[campaign.pk]))
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    rows = list(csv.DictReader(StringIO(text)))
    assert len(rows) == 6
    assert all(cell[:1] not in ("=", "+", "-", "@") for row in rows for cell in row.values())


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@A1", " =1", "\t=1", "\r=1"])
def test_a_formula_becomes_a_text(cell):
    assert harmless(cell).startswith("'")


def test_harmless_cells_stay(staff):
    assert harmless("Ann-Marie") == "Ann-Marie"
    assert harmless(None) == ""


def test_the_admin_leads_to_our_pages(staff, campaign):
    client = staff(*EDIT)
    response = client.get(reverse("admin:campaigns_campaign_change", args=[campaign.pk]))
    assert response["Location"] == reverse("campaigns:edit", args=[campaign.pk])
