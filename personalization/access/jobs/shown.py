"""How far a job is: for pages, and for programs."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from rest_framework import serializers

from personalization.access.jobs.row import Job, JobStatus
from personalization.access.time_left import seconds_left, time_left

Row = TypeVar("Row", bound=Model)


def progress_of(row: Job) -> dict[str, Any]:
    """For `shell/progress.html`."""
    is_running = row.status == JobStatus.RUNNING
    return {
        "share": row.share_done,
        "percent": f"{100 * row.share_done:.0f} %",
        "phase": row.get_status_display(),
        "left": time_left(row.started_at, row.share_done) if is_running else "",
    }


def jobs_part(
    rows: Iterable[Model],
    names: Iterable[str],
    *,
    live: str,
    tell: Callable[[Any], dict[str, Any]] = progress_of,
    **rest: Any,
) -> dict[str, Any]:
    """For `shell/jobs_live.html`: jobs under way, each with its name; `live` is the address of the part, and
    `tell` says how far a row is that is no Job."""
    rows = list(rows)
    jobs = [{"row": row, "name": name, "progress": tell(row)} for row, name in zip(rows, names, strict=True)]
    known = ",".join(str(row.pk) for row in rows)
    return {"jobs": jobs, "live": f"{live}?known={known}", **rest}


def posted_job(request: HttpRequest, rows: QuerySet[Row]) -> Row:
    """The one of `rows` whose button was pressed. Raises Http404."""
    number = request.POST.get("job", "")
    return get_object_or_404(rows, pk=int(number) if number.isdecimal() else 0)


class JobFields(serializers.Serializer[Any]):
    """What every answer about a job begins with; filled by `job_document`."""

    id = serializers.IntegerField()
    status = serializers.ChoiceField(JobStatus.choices)
    error = serializers.CharField(allow_blank=True, help_text="Why it failed.")
    share_done = serializers.FloatField(help_text="0 to 1.")
    seconds_left = serializers.IntegerField(
        allow_null=True, help_text="Null while nothing is known, and at the end."
    )


def job_document(row: Job) -> dict[str, Any]:
    left = seconds_left(row.started_at, row.share_done) if row.status == JobStatus.RUNNING else None
    return {
        "id": row.pk, "status": row.status, "error": row.error, "share_done": row.share_done,
        "seconds_left": left,
    }  # fmt: skip
