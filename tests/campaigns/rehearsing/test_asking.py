"""A rehearsal is asked for and made by a worker: told as it goes, canceled, taken up again, and forgotten."""

import json
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from campaigns import ledger, tasks
from campaigns.errors import CampaignNotReady, InvalidState
from campaigns.models import Campaign, Rehearsal, Run
from campaigns.planning.readiness import locked
from campaigns.rehearsing import giving_way
from campaigns.rehearsing.asking import KEPT_FOR, ask_for_rehearsal, forget_old_rehearsals
from campaigns.rehearsing.personal_store import Rehearsals
from personalization.access.jobs import work
from personalization.access.jobs.row import JobStatus
from personalization.access.models import PersonalRead, User
from personalization.access.services import create_key
from personalization.customers.models import Customer
from personalization.privacy.erasure import erase
from personalization.privacy.person import describe

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def campaign(make_customers: Any, make_campaign: Any) -> Campaign:
    make_customers(3)
    made: Campaign = make_campaign()
    return made


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The ids that went to the broker."""
    ids: list[int] = []
    monkeypatch.setattr(tasks.run_rehearsal, "delay", ids.append)
    return ids


@pytest.fixture
def call() -> Any:
    tokens: dict[str, str] = {}

    def send(
        method: str, path: str, body: Any = None, *, key: str = "one", scopes: Any = None, **headers: str
    ) -> Any:
        token = tokens.setdefault(key, create_key(name=key, scopes=scopes or ["campaigns:read"])[1])
        return getattr(Client(), method)(
            f"/api/v1/{path}", None if body is None else json.dumps(body),
            content_type="application/json", headers={"Authorization": f"Bearer {token}", **headers},
        )  # fmt: skip

    return send


def member(name: str, *permissions: str) -> Client:
    user = User.objects.create_user(name, email=f"{name}@shop.example", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


def asked(campaign: Campaign) -> Rehearsal:
    return ask_for_rehearsal(campaign, at=None, days=5, actor="user:ann")


def test_a_program_asks_watches_and_gets_what_was_found(
    campaign: Campaign, call: Any, queued: list[int]
) -> None:
    answer = call("post", f"campaigns/{campaign.pk}/rehearsals", {"days": 5}, **{"Idempotency-Key": "k"})
    assert (answer.status_code, answer.json()["status"], answer.json()["result"]) == (202, "queued", None)
    again = call("post", f"campaigns/{campaign.pk}/rehearsals", {"days": 5}, **{"Idempotency-Key": "k"})
    assert again.json() == answer.json() and queued == [answer.json()["id"]]
    address = answer["Location"].removeprefix("/api/v1/")
    assert call("post", f"campaigns/{campaign.pk}/rehearsals", {}).status_code == 409, "one at a time"
    began = timezone.now() - timedelta(seconds=30)
    Rehearsal.objects.update(status=JobStatus.RUNNING, started_at=began, share_done=0.25)
    told = call("get", address).json()
    assert (told["status"], told["share_done"]) == ("running", 0.25) and 90 <= told["seconds_left"] <= 95
    Rehearsal.objects.update(status=JobStatus.QUEUED)
    tasks.run_rehearsal(queued[0])
    told = call("get", address).json()
    assert (told["status"], told["share_done"], told["seconds_left"]) == ("done", 1.0, None)
    assert (told["result"]["audience"], told["result"]["sent"], told["days"]) == (3, 3, 5)
    assert call("get", f"campaigns/{campaign.pk}/rehearsals").json() == [told]
    assert Run.objects.count() == 0


def test_what_cannot_be_rehearsed_is_refused_at_once(
    campaign: Campaign, make_campaign: Any, call: Any, queued: list[int]
) -> None:
    path = f"campaigns/{campaign.pk}/rehearsals"
    assert call("post", path, {"days": 93}).status_code == 400
    assert call("post", path, {"at": "1999-01-01T00:00Z"}).status_code == 400
    assert call("post", path, {"day": 3}).status_code == 400
    assert call("post", "campaigns/0/rehearsals", {}).status_code == 404
    Campaign.objects.filter(pk=campaign.pk).update(segment=None)
    assert call("post", path, {}).status_code == 422
    with pytest.raises(CampaignNotReady):
        asked(Campaign.objects.get())
    Campaign.objects.update(status="launched")
    with pytest.raises(InvalidState):
        asked(Campaign.objects.get())
    assert queued == [] and not Rehearsal.objects.exists()


def test_a_canceled_rehearsal_ends_and_keeps_nothing(
    campaign: Campaign, call: Any, queued: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "EVERY_SECONDS", 0.01)
    row = asked(campaign)
    record, waiting = ledger.record, threading.Event()

    def cancel_meanwhile(*given: Any, **named: Any) -> Any:
        found: list[int] = []

        def cancel() -> None:
            found.append(call("post", f"rehearsals/{row.pk}/cancel", key="other").status_code)
            found.append(
                call(
                    "post", f"rehearsals/{row.pk}/cancel", key="writer",
                    scopes=["campaigns:read", "campaigns:write"],
                ).status_code
            )  # fmt: skip
            connection.close()

        thread = threading.Thread(target=cancel)
        thread.start()
        thread.join()
        assert found == [403, 200], "it was somebody else's"
        waiting.wait(0.3)  # the pulse hears of it
        return record(*given, **named)

    monkeypatch.setattr("campaigns.rehearsing.through.ledger.record", cancel_meanwhile)
    tasks.run_rehearsal(row.pk)
    row.refresh_from_db()
    assert (row.status, row.result, Run.objects.count()) == (JobStatus.CANCELED, None, 0)
    assert call("post", f"rehearsals/{row.pk}/cancel", key="writer").status_code == 409


def test_the_rehearsal_of_a_killed_worker_is_handed_over_again(campaign: Campaign, queued: list[int]) -> None:
    row = asked(campaign)
    Rehearsal.objects.update(status=JobStatus.RUNNING, lease_until=timezone.now() + timedelta(seconds=30))
    tasks.start_rehearsals()
    tasks.run_rehearsal(row.pk)
    assert queued == [] and Rehearsal.objects.get().result is None, "its worker may live"
    Rehearsal.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    tasks.start_rehearsals()
    assert queued == [row.pk]
    tasks.run_rehearsal(row.pk)
    assert Rehearsal.objects.get().status == JobStatus.DONE


def test_a_rehearsal_gives_way_to_whoever_waits_for_it(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody saves the campaign while it is rehearsed: the save goes on, and the rehearsal says why it
    ended."""
    monkeypatch.setattr(giving_way, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(giving_way, "PATIENCE_SECONDS", 0.0)
    row, saved = asked(campaign), threading.Event()
    record = ledger.record

    def save() -> None:
        with transaction.atomic():
            Campaign.objects.select_for_update().get(pk=campaign.pk)
        saved.set()
        connection.close()

    thread = threading.Thread(target=save)

    def save_meanwhile(*given: Any, **named: Any) -> Any:
        thread.start()
        waiting = threading.Event()
        while not giving_way._somebody_waits():
            waiting.wait(0.01)
        assert not saved.is_set()
        return record(*given, **named)

    monkeypatch.setattr("campaigns.rehearsing.through.ledger.record", save_meanwhile)
    with translation.override("en"):  # a page of a test before may have left another language
        tasks.run_rehearsal(row.pk)
    thread.join()
    row.refresh_from_db()
    assert saved.is_set() and row.status == JobStatus.FAILED and "Real work waited" in row.error


def test_another_rehearsal_can_be_asked_for_while_the_campaign_is_locked(campaign: Campaign) -> None:
    """By a rehearsal from the terminal, for example, which takes its time."""
    with transaction.atomic():
        locked(campaign)
        found: list[int] = []

        def ask() -> None:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '5s'")
            found.append(asked(campaign).pk)
            connection.close()

        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
    assert found == [Rehearsal.objects.get().pk]


def test_the_page_asks_follows_cancels_and_shows(
    campaign: Campaign, queued: list[int], settings: Any
) -> None:
    settings.K_ANONYMITY = 2
    ann = member("ann", "view_campaign", "view_customer", "view_personal_data")
    url = reverse("campaigns:rehearsal", args=[campaign.pk])
    assert "disabled" not in ann.get(url).content.decode().partition("Rehearse</button>")[0][-60:]
    assert ann.post(url, {"at": "", "days": "93"}).status_code == 422
    assert ann.post(url, {"at": "", "days": "5"}).status_code == 302
    row = Rehearsal.objects.get()
    page = ann.get(url).content.decode()
    assert f'data-live="{url}live?known={row.pk}"' in page and 'value="cancel"' in page
    other = member("bob", "view_campaign")
    assert 'value="cancel"' not in other.get(url).content.decode()
    assert other.post(url, {"action": "cancel", "job": row.pk}).status_code == 403
    assert ann.post(url, {"action": "cancel", "job": row.pk}).status_code == 302
    assert "The newest rehearsal was canceled." in ann.get(url).content.decode()
    assert ann.get(f"{url}live?known={row.pk}")["HX-Refresh"] == "true"
    ann.post(url, {"at": "2026-06-01T09:00", "days": "5"})
    tasks.run_rehearsal(queued[-1])
    whole = ann.get(url)
    assert whole.context["found"].sent == 3 and "Hi Name0" in whole.content.decode()
    assert PersonalRead.objects.exists()
    # Without personal data: in steps of the floor, and nobody's message.
    text = other.get(url).content.decode()
    assert other.get(url).context["found"].sent == 2 and "Hi Name0" not in text and "in steps of 2" in text


def test_a_kept_rehearsal_goes_with_the_person_and_with_time(campaign: Campaign) -> None:
    row = asked(campaign)
    tasks.run_rehearsal(row.pk)
    row.refresh_from_db()
    first = (row.result or {})["samples"][0]["customer"]
    [exported] = Rehearsals().export(describe(Customer.objects.get(pk=first)))
    assert "Hi Name" in exported["messages"][0]["subject"]
    waiting = asked(campaign)
    erased = erase(first)
    assert erased is not None and erased.elsewhere["rehearsals"] == 1
    assert list(Rehearsal.objects.values_list("pk", "status")) == [(waiting.pk, "canceled")]
    Rehearsal.objects.update(created_at=timezone.now() - KEPT_FOR - timedelta(minutes=1))
    forget_old_rehearsals()
    assert not Rehearsal.objects.exists()
