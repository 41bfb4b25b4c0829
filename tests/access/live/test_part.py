"""How far a job is comes by itself, or is asked for, until it has ended."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from experiments.models import Analysis, Experiment
from personalization.access.live.part import Reading
from personalization.access.models import User
from personalization.segments.models import Discovery
from personalization.sources.models import Import
from recommender.models import ModelRun

pytestmark = pytest.mark.django_db(transaction=True)


def running(kind: str) -> tuple[str, Any]:
    """The address of a running job's part, and its row; 600 s for the first quarter."""
    began = timezone.now() - timedelta(minutes=10)
    if kind == "import":
        job = Import.objects.create(
            kind="items", name="items.csv", status="running", records=400, read=100, started_at=began
        )
        return f"/app/data/imports/{job.pk}/live", job
    if kind == "training":
        run = ModelRun.objects.create(
            algorithm="ease", status="running", progress_share=0.25, started_at=began
        )
        return f"/app/recommender/{run.pk}/live", run
    found = Discovery.objects.create(
        name="Kinds", key="kinds", kind="groups", status="running", share_done=0.25, started_at=began
    )
    return f"/app/segments/found/{found.pk}/live", found


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("kim", password="secret"))
    return client


def pushed(stream: Any) -> dict[str, Any]:
    """What the next event that is no heartbeat says."""
    for frame in stream:
        for line in frame.decode().splitlines():
            if line.startswith("data: "):
                found: dict[str, Any] = json.loads(line.removeprefix("data: "))
                return found
    raise AssertionError("the stream ended")


@pytest.mark.parametrize("kind", ["import", "training", "discovery"])
def test_a_job_is_told_as_it_goes_and_the_page_is_loaded_anew_at_its_end(staff: Client, kind: str) -> None:
    address, row = running(kind)
    asked = staff.get(address)
    assert "25 %" in asked.content.decode() and "HX-Refresh" not in asked
    answer = staff.get(address, headers={"Accept": "text/event-stream"})
    assert answer["Content-Type"] == "text/event-stream"
    stream = iter(answer.streaming_content)
    first = pushed(stream)
    assert "25 %" in first["html"] and "about 30 minutes left" in first["html"] and not first["reload"]
    type(row).objects.filter(pk=row.pk).update(status="canceled")
    assert pushed(stream)["reload"]
    answer.close()
    assert staff.get(address)["HX-Refresh"] == "true"


def test_several_jobs_are_told_and_the_page_is_loaded_anew_once_one_of_them_has_ended(staff: Client) -> None:
    first, second = (
        ModelRun.objects.create(algorithm=name, status="running", progress_share=share)
        for name, share in (("ease", 0.25), ("item_knn", 0.5))
    )
    address = f"/app/recommender/live?known={first.pk},{second.pk}"
    assert "HX-Refresh" not in staff.get(address)
    answer = staff.get(address, headers={"Accept": "text/event-stream"})
    stream = iter(answer.streaming_content)
    told = pushed(stream)
    assert "25 %" in told["html"] and "50 %" in told["html"] and not told["reload"]
    ModelRun.objects.filter(pk=first.pk).update(status="done")
    assert pushed(stream)["reload"]
    answer.close()
    assert staff.get(address)["HX-Refresh"] == "true"
    assert "HX-Refresh" not in staff.get(f"/app/recommender/live?known={second.pk}")


def test_an_experiments_page_follows_its_analysis(staff: Client) -> None:
    experiment = Experiment.objects.create(key="page", name="The page", started_at=timezone.now())
    began = timezone.now() - timedelta(minutes=10)
    row = Analysis.objects.create(
        experiment=experiment, status="running", started_at=began, steps_done=2, steps=8,
        asked_at=began, lease_until=timezone.now() + timedelta(minutes=9),
    )  # fmt: skip
    assert staff.get("/app/experiments/page/data").json()["streams"] == "analysis"
    answer = staff.get("/app/experiments/page/data", headers={"Accept": "text/event-stream"})
    stream = iter(answer.streaming_content)
    told = pushed(stream)
    assert "25 %" in told["html"] and "about 30 minutes left" in told["html"] and not told["reload"]
    Analysis.objects.filter(pk=row.pk).update(status="canceled", asked_at=timezone.now())
    assert pushed(stream)["reload"]
    answer.close()
    assert staff.get("/app/experiments/page/data").json()["streams"] == ""


def test_a_row_is_another_reading_once_a_column_has_changed() -> None:
    row = Import(name="items.csv", read=1)
    before = repr(Reading(row))
    assert repr(Reading(row)) == before
    row.read = 2
    assert repr(Reading(row)) != before
