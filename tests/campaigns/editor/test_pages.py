# ruff: noqa: E501
"""The campaign pages: who may see and do what, and that each does its job."""

import csv
import json
from io import StringIO

import pytest
from django.urls import reverse

from campaigns import services
from campaigns.models import Campaign, Delivery, DeliveryStatus
from campaigns.reports.page import harmless
from experiments.services import ensure_default_metrics

pytestmark = pytest.mark.django_db
BODY = '<p>Hi {{ customer.first_name }}</p><a href="{{ unsubscribe_url }}">Stop</a>'
VIEW = ("view_campaign",)
EDIT = (*VIEW, "add_campaign", "change_campaign", "view_customer", "view_personal_data", "view_segment")
ALL = (*EDIT, "launch_campaign")


def payload(segment, **changes):
    message = {"key": "a", "name": "A", "weight": 1, "subject": "Hi", "preheader": "", "body": BODY}
    return {
        "name": "Spring", "segment": str(segment.pk), "sender_name": "Shop", "sender_address": "shop@shop.example",
        "topic": "marketing", "control_share": 0.2, "messages": [message, {**message, "key": "", "name": "B!"}], **changes,
    }  # fmt: skip


def post(client, name, *args, data=None):
    return client.post(reverse(f"campaigns:{name}", args=args), json.dumps(data or {}), "application/json")


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
    assert client.post(reverse("campaigns:preview-customers")).status_code == 403


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


def test_customers_are_found_by_the_beginning_of_a_name(staff, segment):
    found = (
        staff(*EDIT)
        .post(reverse("campaigns:preview-customers"), {"words": "p3@"}, content_type="application/json")
        .json()["customers"]
    )
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
        "headline", "decision", "allocation", "varied", "progress", "analysis", "guards", "tables", "breakdown",
        "attribution", "why",
    }  # fmt: skip
    assert "These numbers are" in data["parts"]["analysis"]
    assert client.get(reverse("campaigns:list")).status_code == 200


def test_a_run_is_paused_resumed_and_canceled(staff, campaign):
    client = staff(*ALL)
    run = services.launch(campaign, actor="user:kim")
    for action, status in (("pause", "paused"), ("resume", "sending"), ("cancel", "canceled")):
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
    assert campaign.timing["starts"] == "2031-07-01T01:00"  # on the clock of the workspace: none was saved
    assert post(client, "schedule", campaign.pk, data={"at": "x"}).status_code == 422
    taken_back = post(client, "unschedule", campaign.pk).json()["campaign"]
    assert taken_back["status"] == "draft"
    assert taken_back["timing"]["starts"] == "2031-07-01T01:00"


def test_a_date_that_was_kept_in_a_draft_and_has_passed_sends_nothing(staff, campaign):
    data = {"at": "2020-07-01T09:00", "time_zone": "UTC"}
    response = post(staff(*ALL), "schedule", campaign.pk, data=data)
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == "/scheduled_at"
    campaign.refresh_from_db()
    assert (campaign.status, campaign.scheduled_at) == ("draft", None)


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
