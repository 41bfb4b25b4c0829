"""A row is one worker's: only one takes it, and whoever lost it writes nothing."""

from datetime import timedelta

import pytest
from django.utils import timezone

from experiments.models import Holdout, LongRunStudy
from personalization.access.jobs.lease import Lease, WorkersDied
from personalization.access.jobs.row import JobStatus

pytestmark = pytest.mark.django_db
LEASE = Lease(LongRunStudy, JobStatus.QUEUED, JobStatus.RUNNING, timedelta(minutes=1))


@pytest.fixture
def row() -> LongRunStudy:
    holdout = Holdout.objects.create(key="all", name="All", is_global=True)
    return LongRunStudy.objects.create(holdout=holdout, as_of=timezone.now(), status=JobStatus.QUEUED)


def take(row: LongRunStudy, *, after: timedelta = timedelta()) -> LongRunStudy | None:
    now = timezone.now() + after
    return LEASE.take(row.pk, LEASE.due(now), now=now, started_at=now)


def test_only_the_first_takes_it(row: LongRunStudy) -> None:
    mine = take(row)
    assert mine is not None and mine.status == JobStatus.RUNNING
    assert take(row) is None


def test_what_was_canceled_is_not_taken(row: LongRunStudy) -> None:
    LongRunStudy.objects.update(status=JobStatus.CANCELED)
    assert take(row) is None


def test_once_it_has_run_out_another_takes_it_and_the_first_can_write_no_more(row: LongRunStudy) -> None:
    first = take(row)
    assert first is not None and LEASE.keep(first, share_done=0.5)
    second = take(row, after=timedelta(minutes=2))
    assert second is not None and second.share_done == 0.5
    assert not LEASE.keep(first, share_done=0.7)
    LEASE.end(first, JobStatus.DONE)
    row.refresh_from_db()
    assert (row.status, row.share_done) == (JobStatus.RUNNING, 0.5)
    LEASE.end(second, JobStatus.DONE, share_done=1.0)
    row.refresh_from_db()
    assert (row.status, row.share_done, row.lease_until) == (JobStatus.DONE, 1.0, None)


def test_what_each_of_three_workers_left_is_given_up_and_what_waits_again_counts_anew(
    row: LongRunStudy,
) -> None:
    for number in range(3):
        mine = take(row, after=number * timedelta(minutes=2))
        assert mine is not None and mine.attempts == number + 1
        LEASE.check(mine)
    fourth = take(row, after=timedelta(minutes=6))
    assert fourth is not None
    with pytest.raises(WorkersDied):
        LEASE.check(fourth)
    LongRunStudy.objects.update(status=JobStatus.QUEUED)
    again = take(row)
    assert again is not None and again.attempts == 1
