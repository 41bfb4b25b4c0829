"""Rates are set on sender, campaign and run, by page and by API, and said back."""

from typing import Any

import pytest
from django.test import Client

from campaigns import services
from campaigns.models import Run, SenderAccount
from campaigns.pacing.rates import Pace, RateError, domain_of
from campaigns.pacing.words import duration
from personalization.access.models import AuditEntry, User
from personalization.access.services import create_key

pytestmark = pytest.mark.django_db


@pytest.fixture
def headers() -> dict[str, str]:
    scopes = ["campaigns:read", "campaigns:write", "senders:read", "senders:write"]
    _key, token = create_key(name="k", scopes=scopes)
    return {"authorization": f"Bearer {token}"}


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root", "root@shop.example", "x"))
    return client


def test_the_rate_of_a_run_is_changed_by_api_and_progress_says_how_long_is_left(
    client: Any, headers: dict[str, str], make_customers: Any, make_campaign: Any
) -> None:
    make_customers(30)
    campaign = make_campaign(timing={"per_second": 2})
    services.launch(campaign, actor="test")
    url = f"/api/v1/campaigns/{campaign.pk}"
    before = client.get(f"{url}/progress", headers=headers).json()
    assert (before["per_second"], before["seconds_left"]) == (2.0, 15.0)
    answer = client.post(f"{url}/rate", {"per_second": 6}, "application/json", headers=headers)
    assert answer.status_code == 200, answer.content
    assert (answer.json()["per_second"], answer.json()["seconds_left"]) == (6.0, 5.0)
    wrong = client.post(f"{url}/rate", {"per_second": 0}, "application/json", headers=headers)
    assert wrong.status_code == 422 and wrong.json()["errors"][0]["pointer"] == "/per_second"
    free = client.post(f"{url}/rate", {"per_second": None}, "application/json", headers=headers).json()
    assert free["per_second"] is None and free["seconds_left"] is None
    assert AuditEntry.objects.filter(action="run.rate_changed").count() == 2
    services.cancel(campaign.runs.get(), actor="test")
    ended = client.post(f"{url}/rate", {"per_second": 6}, "application/json", headers=headers)
    assert ended.status_code == 409


def test_the_report_shows_the_time_left_and_changes_the_rate(
    staff: Client, make_customers: Any, make_campaign: Any
) -> None:
    make_customers(600)
    campaign = make_campaign(timing={"per_second": 2})
    run = services.launch(campaign, actor="test")
    page = staff.get(f"/app/campaigns/{campaign.pk}/report/").content.decode()
    assert "600 still wait: about 5 minutes to go." in page and "At most 2 a second." in page
    run.note = "Waiting: no provider of this channel answers."
    run.save(update_fields=["note"])
    page = staff.get(f"/app/campaigns/{campaign.pk}/report/").content.decode()
    assert run.note in page and "to go." not in page
    Run.objects.update(note="")
    url = f"/app/campaigns/{campaign.pk}/runs/1/rate"
    answer = staff.post(url, {"per_second": "100"}, "application/json")
    assert answer.status_code == 200 and "about 6 seconds" in answer.json()["parts"]["progress"]
    assert staff.post(url, {"per_second": "no"}, "application/json").status_code == 422
    run.refresh_from_db()
    assert run.per_second == 100.0


def test_an_account_keeps_its_rates_from_page_and_api(staff: Client, headers: dict[str, str]) -> None:
    form = {
        "name": "Main", "position": "0", "is_active": "1", "v_smtp_url": "smtp://mx.example:25",
        "per_second": "50", "per_domain": "5", "domains": "Mail.Example 20\nother.example: 0.5",
    }  # fmt: skip
    assert staff.post("/app/campaigns/senders/new?channel=email", form).status_code == 302
    row = SenderAccount.objects.get()
    expected = {
        "per_second": 50.0, "per_domain": 5.0, "domains": {"mail.example": 20.0, "other.example": 0.5},
    }  # fmt: skip
    assert row.pace == expected
    page = staff.get(f"/app/campaigns/senders/{row.pk}").content.decode()
    assert "mail.example 20\nother.example 0.5" in page
    assert "50 a second · 5 a second to each domain" in staff.get("/app/campaigns/senders/").content.decode()
    bad = staff.post(f"/app/campaigns/senders/{row.pk}", {**form, "domains": "not a domain"})
    assert bad.status_code == 422 and "not a domain" in bad.content.decode()
    url = f"/api/v1/sender-accounts/{row.pk}"
    assert staff.get(url, headers=headers).json()["pace"] == expected
    body = {"name": "Main", "channel": "email", "values": {"smtp_url": "smtp://mx.example:25"}}
    kept = staff.put(url, body, "application/json", headers=headers)
    assert kept.json()["pace"] == expected  # a client that knows nothing of rates takes none away
    changed = staff.put(url, {**body, "pace": {"per_second": 9}}, "application/json", headers=headers)
    assert changed.json()["pace"] == {"per_second": 9.0, "per_domain": None, "domains": {}}
    wrong = staff.put(url, {**body, "pace": {"per_second": 0}}, "application/json", headers=headers)
    assert wrong.status_code == 400


@pytest.mark.parametrize(
    ("data", "pointer"),
    [
        ({"per_second": 0}, "per_second"),
        ({"per_domain": "inf"}, "per_domain"),
        ({"domains": {"no domain": 1}}, "domains"),
        ({"domains": {"a.example": ""}}, "domains"),
        ({"domains": []}, ""),
        ({"speed": 1}, "speed"),
    ],
)
def test_what_is_no_rate_names_its_field(data: dict[str, Any], pointer: str) -> None:
    if not pointer:
        assert Pace.from_json(data) == Pace()
        return
    with pytest.raises(RateError) as caught:
        Pace.from_json(data)
    assert caught.value.pointer == pointer


def test_a_domain_of_its_own_goes_before_the_rate_of_each() -> None:
    pace = Pace.from_json({"per_domain": 5, "domains": {"Big.Example": 20}})
    assert pace.of_domain("big.example") == 20 and pace.of_domain("small.example") == 5
    assert domain_of("Anna@Big.Example") == "big.example" and domain_of("+491701234567") == ""


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "1 second"), (119, "119 seconds"), (150, "2 minutes"), (7200, "2 hours"), (180_000, "2 days")],
)
def test_a_duration_is_told_in_the_largest_unit_that_fits(seconds: float, words: str) -> None:
    assert duration(seconds) == words
