"""A segment for analysts: who is who stays unknown, and the same person has the same name in both files."""

import csv
import io
import os
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from personalization.access.jobs.row import JobStatus
from personalization.access.jobs.work import Stopped, lost_jobs
from personalization.access.models import AuditEntry, Scope, User
from personalization.access.services import create_key
from personalization.customers.declarations import TraitDeclaration
from personalization.customers.pseudonyms import pseudonym
from personalization.privacy import requests
from personalization.segments import kept_exports, tasks
from personalization.segments.models import SegmentExport
from personalization.segments.services import save_segment
from tests.segments.conftest import NOW


@pytest.fixture
def segment(world, settings, tmp_path):
    settings.K_ANONYMITY, settings.EXPORT_DIR = 3, tmp_path / "exports"
    TraitDeclaration.objects.create(name="plan", sensitivity="ordinary")
    TraitDeclaration.objects.create(name="diagnosis", sensitivity="sensitive")
    people = [
        world.customer(
            f"id-{n}", country="GB", email=f"ada{n}@mail.example", first_name="Ada",
            traits={"plan": "=gold", "diagnosis": "flu", "note": "likes Ada"},
        )
        for n in range(3)
    ]  # fmt: skip
    world.event(people[0], "Order", at=NOW, value=7, card="4711")
    world.event(world.customer("other", country="CN"), "Order", at=NOW)
    definition = {"trait": "country", "op": "is", "value": "GB"}
    return save_segment(None, name="GB", definition=definition).segment, people


@pytest.fixture
def call(segment):
    token = create_key(name="lab", scopes=[Scope.SEGMENTS_READ])[1]
    client = Client(headers={"authorization": f"Bearer {token}"})

    def send(method: str, rest: str = "", body=None):
        address = f"/api/v1/segments/{segment[0].pk}/exports{rest}"
        return getattr(client, method)(address, body, content_type="application/json")

    return send


@pytest.fixture
def boss(segment) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("boss"))
    return client


def made(call, what: str) -> str:
    """The text of the file."""
    asked = call("post", "", {"what": what})
    assert asked.status_code == 202
    tasks.run_export(asked.json()["id"])
    told = call("get", f"/{asked.json()['id']}").json()
    assert (told["status"], told["share_done"], told["file"]) == ("done", 1.0, f"{asked['Location']}/file")
    return call("get", f"/{asked.json()['id']}/file").getvalue().decode()


def test_members_come_under_pseudonyms_with_traits_that_are_not_personal(segment, call):
    text = made(call, "customers")
    told = list(csv.DictReader(io.StringIO(text)))
    assert [row["customer"] for row in told] == [pseudonym(one.pk) for one in segment[1]]
    assert {(row["country"], row["plan"]) for row in told} == {("GB", "'=gold")}
    for secret in ("id-0", "mail.example", "Ada", "flu", "note"):
        assert secret not in text
    assert SegmentExport.objects.get().rows == 3


def test_events_carry_the_same_pseudonyms_and_no_properties(segment, call):
    [row] = csv.DictReader(io.StringIO(made(call, "events")))
    assert (row["customer"], row["event"], row["value"]) == (pseudonym(segment[1][0].pk), "Order", "7.00")
    assert "4711" not in str(row)
    told = AuditEntry.objects.filter(target=f"segment:{segment[0].pk}").order_by("id")
    assert [(one.action, one.detail["what"]) for one in told if "export" in one.action] == [
        ("segment_export.asked", "events"), ("segment.exported", "events"),
    ]  # fmt: skip


def test_fewer_people_than_the_floor_are_not_exported(segment, call, boss, settings):
    settings.K_ANONYMITY = 4
    assert call("post", "", {"what": "customers"}).status_code == 409
    url = f"/app/segments/{segment[0].pk}/export"
    assert "fewer than 4 members" in boss.post(url, {"what": "events"}, follow=True).content.decode()
    settings.K_ANONYMITY = 3
    asked = call("post", "", {"what": "customers"}).json()["id"]
    settings.K_ANONYMITY = 4  # somebody left meanwhile
    tasks.run_export(asked)
    told = call("get", f"/{asked}").json()
    assert (told["status"], told["file"]) == ("failed", None) and "fewer than 4" in told["error"]
    assert call("get", f"/{asked}/file").status_code == 404


def test_the_page_offers_it_only_to_who_may_change_segments(segment):
    viewer = User.objects.create_user("kim", is_staff=True)
    client = Client()
    client.force_login(viewer)
    url = f"/app/segments/{segment[0].pk}"
    assert client.post(f"{url}/export").status_code == 403
    asked = SegmentExport.objects.create(segment=segment[0], what="events", asked_by="user:boss")
    assert client.get(f"{url}/exports/{asked.pk}.csv").status_code == 403


def test_the_page_tells_how_far_it_is_and_gives_the_file(segment, boss):
    url = f"/app/segments/{segment[0].pk}"
    assert boss.post(f"{url}/export", {"what": "customers"}).status_code == 302
    assert boss.post(f"{url}/export", {"what": "customers"}).status_code == 302
    asked = SegmentExport.objects.get()  # asked twice it is made once
    began = timezone.now() - timedelta(minutes=1)
    SegmentExport.objects.update(status=JobStatus.RUNNING, started_at=began, share_done=0.75)
    for address in (f"{url}/members/", f"{url}/exports/live?known={asked.pk}"):
        page = boss.get(address).content.decode()
        assert "75 %" in page and "about 2" in page and f"cancel-{asked.pk}" in page
    SegmentExport.objects.update(status=JobStatus.QUEUED)
    tasks.run_export(asked.pk)
    assert boss.get(f"{url}/exports/live?known={asked.pk}")["HX-Refresh"] == "true"
    assert "Download, 3 rows" in boss.get(f"{url}/members/").content.decode()
    answer = boss.get(f"{url}/exports/{asked.pk}.csv")
    assert answer["Cache-Control"] == "no-store" and len(answer.getvalue().splitlines()) == 4


def test_a_canceled_one_leaves_no_file(segment, call, boss, settings, monkeypatch):
    first = call("post", "", {"what": "customers"}).json()["id"]
    assert call("post", f"/{first}/cancel").json()["status"] == "canceled"
    tasks.run_export(first)
    asked = call("post", "", {"what": "customers"}).json()["id"]

    def stop(_row):
        assert list(settings.EXPORT_DIR.iterdir()) != []
        raise Stopped

    monkeypatch.setattr(kept_exports, "line_of", stop)
    tasks.run_export(asked)
    boss.post(f"/app/segments/{segment[0].pk}/export", {"action": "cancel", "job": asked})
    assert call("get", f"/{asked}").json()["status"] == "canceled"
    assert list(settings.EXPORT_DIR.iterdir()) == []
    assert call("post", f"/{asked}/cancel").status_code == 409


def test_one_of_a_killed_worker_is_written_anew(call, settings):
    asked = call("post", "", {"what": "customers"}).json()["id"]
    long_ago = timezone.now() - timedelta(minutes=5)
    SegmentExport.objects.update(
        status=JobStatus.RUNNING, started_at=long_ago, lease_until=long_ago, attempts=1
    )
    settings.EXPORT_DIR.mkdir()
    half = settings.EXPORT_DIR / f"export-{asked}.1"
    half.write_text("half a fi")
    assert lost_jobs(SegmentExport) == [asked]
    tasks.run_export(asked)
    assert len(call("get", f"/{asked}/file").getvalue().splitlines()) == 4
    a_day_ago = (timezone.now() - timedelta(hours=25)).timestamp()
    os.utime(half, (a_day_ago, a_day_ago))
    kept_exports.forget_old_exports()
    assert [file.name for file in settings.EXPORT_DIR.iterdir()] == [f"export-{asked}.csv"]


def test_after_a_day_and_when_somebody_is_erased_they_go(segment, call, settings):
    made(call, "customers")
    SegmentExport.objects.update(created_at=timezone.now() - timedelta(hours=25))
    file = next(settings.EXPORT_DIR.iterdir())
    a_day_ago = (timezone.now() - timedelta(hours=25)).timestamp()
    os.utime(file, (a_day_ago, a_day_ago))
    assert call("get").json() == []
    kept_exports.forget_old_exports()
    assert (SegmentExport.objects.count(), list(settings.EXPORT_DIR.iterdir())) == (0, [])
    made(call, "customers")
    asked = requests.ask_erasure(segment[1][0].pk, actor="key:x")
    requests.carry_out(asked.pk)
    asked.refresh_from_db()
    assert asked.certificate["elsewhere"]["exports of segments"] == 1
    assert (SegmentExport.objects.count(), list(settings.EXPORT_DIR.iterdir())) == (0, [])


def test_what_was_finished_while_somebody_was_erased_goes_too(segment, call, settings):
    made(call, "customers")
    file = next(settings.EXPORT_DIR.iterdir())
    SegmentExport.objects.update(status=JobStatus.CANCELED)
    kept_exports.forget_old_exports()
    assert not file.exists()
