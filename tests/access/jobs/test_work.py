"""A job is made once, tells how far it is meanwhile, and ends when it is canceled or its worker dies."""

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from experiments.models import Holdout, LongRunStudy
from personalization.access.jobs import work
from personalization.access.jobs.row import Job, JobStatus
from personalization.access.jobs.work import NotUnderWay, Tell, cancel_job, lost_jobs, part_of, run_job
from personalization.access.models import AuditEntry

pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime(2026, 6, 1, tzinfo=timezone.get_default_timezone())


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "EVERY_SECONDS", 0.01)


@pytest.fixture
def row() -> LongRunStudy:
    holdout = Holdout.objects.create(key="all", name="All", is_global=True)
    return LongRunStudy.objects.create(holdout=holdout, as_of=timezone.now(), status=JobStatus.QUEUED)


def elsewhere(call: Any) -> Any:
    """What another connection sees or does."""
    found: list[Any] = []

    def run() -> None:
        found.append(call())
        connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return found[0]


def until(condition: Any) -> None:
    waiting = threading.Event()
    while not elsewhere(condition):
        waiting.wait(0.01)


def test_how_far_it_is_can_be_seen_although_the_work_is_a_transaction_that_is_taken_back(
    row: LongRunStudy,
) -> None:
    def make(_row: Job, tell: Tell) -> dict[str, Any]:
        with transaction.atomic():
            Holdout.objects.update(name="for a moment")
            part_of(tell, 0.5, 1.0)(0.5)
            until(lambda: LongRunStudy.objects.get().share_done == 0.75)
            transaction.set_rollback(True)
        return {"weeks": [1]}

    assert run_job(LongRunStudy, row.pk, make)
    row.refresh_from_db()
    assert (row.status, row.weeks, row.share_done, row.lease_until) == (JobStatus.DONE, [1], 1.0, None)
    assert Holdout.objects.get().name == "All" and row.finished_at is not None
    assert not run_job(LongRunStudy, row.pk, make), "it is done"


def test_a_canceled_job_ends_at_its_next_word_and_keeps_nothing(row: LongRunStudy) -> None:
    def make(_row: Job, tell: Tell) -> dict[str, Any]:
        elsewhere(lambda: cancel_job(row, kind="long_run", actor="kim"))
        waiting = threading.Event()
        while True:
            tell(0.1)
            waiting.wait(0.01)

    assert run_job(LongRunStudy, row.pk, make)
    row.refresh_from_db()
    assert (row.status, row.weeks, row.error) == (JobStatus.CANCELED, None, "")
    assert AuditEntry.objects.filter(action="long_run.canceled", actor="kim").exists()
    with pytest.raises(NotUnderWay):
        cancel_job(row, kind="long_run", actor="kim")


def test_work_of_a_killed_worker_is_taken_up_again_and_at_last_told_as_failed(row: LongRunStudy) -> None:
    def kill() -> None:
        """As the row is left by a worker that is killed: under way, and nobody prolongs its lease."""
        LongRunStudy.objects.update(status=JobStatus.RUNNING, lease_until=timezone.now() + work.LEASE)

    def make(_row: Job, _tell: Tell) -> dict[str, Any]:
        return {"weeks": [2]}

    kill()
    assert lost_jobs(LongRunStudy) == [] and not run_job(LongRunStudy, row.pk, make)
    later = timezone.now() + work.LEASE + timedelta(seconds=1)
    assert lost_jobs(LongRunStudy, now=later) == [row.pk]
    LongRunStudy.objects.update(lease_until=timezone.now() - timedelta(seconds=1), attempts=1)
    assert run_job(LongRunStudy, row.pk, make)
    row.refresh_from_db()
    assert (row.status, row.weeks, row.attempts) == (JobStatus.DONE, [2], 2)
    kill()
    LongRunStudy.objects.update(lease_until=timezone.now(), attempts=3, weeks=None)
    assert run_job(LongRunStudy, row.pk, make)
    row.refresh_from_db()
    assert (row.status, row.weeks) == (JobStatus.FAILED, None) and "died" in row.error


def test_who_was_taken_for_dead_leaves_the_row_to_the_next(row: LongRunStudy) -> None:
    def make(_row: Job, tell: Tell) -> dict[str, Any]:
        LongRunStudy.objects.update(started_at=NOW, share_done=0.4)
        return {"weeks": [3]}

    assert run_job(LongRunStudy, row.pk, make)
    row.refresh_from_db()
    assert (row.status, row.weeks, row.share_done) == (JobStatus.RUNNING, None, 0.4)


def test_a_failure_is_told_in_the_language_of_who_asked_and_quotes_no_row(row: LongRunStudy) -> None:
    LongRunStudy.objects.update(language="zh-hans")

    def make(_row: Job, _tell: Tell) -> dict[str, Any]:
        raise ValueError("row of ann@shop.example")

    assert run_job(LongRunStudy, row.pk, make)
    row.refresh_from_db()
    assert row.status == JobStatus.FAILED and "ValueError" in row.error and "ann@" not in row.error
    with translation.override("zh-hans"):
        said = _("An error that nobody expected ended it (%(name)s); the worker's log says more.")
    assert row.error == said % {"name": "ValueError"} and "An error" not in row.error


def test_a_task_that_was_lost_is_found_again(row: LongRunStudy) -> None:
    assert lost_jobs(LongRunStudy) == []
    assert lost_jobs(LongRunStudy, now=timezone.now() + timedelta(minutes=1)) == [row.pk]
