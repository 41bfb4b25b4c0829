"""Files of a segment: asked for, written by a worker, kept for a day."""

from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from personalization.access.jobs import files
from personalization.access.jobs.row import UNDER_WAY, JobStatus
from personalization.access.jobs.work import Tell
from personalization.access.services import audit
from personalization.segments.exports import export_rows, line_of, members_to_export
from personalization.segments.models import Segment, SegmentExport

PREFIX = "export"
TOLD_EVERY = 500


@transaction.atomic
def ask_for_export(segment: Segment, what: str, *, actor: str) -> SegmentExport:
    """One that waits for a worker, or the one under way. Raises ExportRefused."""
    members_to_export(segment, now=timezone.now())
    if found := segment.exports.filter(what=what, status__in=UNDER_WAY).first():
        return found
    asked = SegmentExport.objects.create(
        segment=segment, what=what, asked_by=actor[:200], status=JobStatus.QUEUED
    )
    audit(actor, "segment_export.asked", f"segment:{segment.pk}", what=what, pseudonymous=True)
    return asked


def make_export(asked: SegmentExport, tell: Tell) -> dict[str, Any]:
    """The worker's part; answers the fields of the row. The file appears whole or not at all. Raises
    ExportRefused, Stopped."""
    members = members_to_export(asked.segment, now=timezone.now())
    with files.written(file_of(asked), attempt=asked.attempts) as fresh:
        with transaction.atomic(), fresh.open("w", encoding="utf-8", newline="") as out:
            many, rows = export_rows(members, asked.what)
            for number, row in enumerate(rows):
                out.write(line_of(row))
                if number % TOLD_EVERY == 0:
                    tell(number / max(many, 1))
        tell(1.0)
    return {"rows": number}


def file_of(asked: SegmentExport) -> Path:
    return files.file_of(asked, prefix=PREFIX, suffix="csv")


def note_download(asked: SegmentExport, *, actor: str) -> None:
    audit(actor, "segment.exported", f"segment:{asked.segment_id}", what=asked.what, pseudonymous=True)


def kept_exports(segment: Segment) -> QuerySet[SegmentExport]:
    """The newest first; those under way too."""
    return segment.exports.filter(created_at__gte=timezone.now() - files.KEPT_FOR).order_by("-pk")


def forget_old_exports() -> None:
    files.forget_old_files(SegmentExport, prefix=PREFIX)


def forget_all_exports() -> int:
    """How many files there were; what is under way ends and keeps nothing."""
    under_way = SegmentExport.objects.filter(status__in=UNDER_WAY)
    under_way.update(status=JobStatus.CANCELED, finished_at=timezone.now(), lease_until=None)
    done = list(SegmentExport.objects.filter(status=JobStatus.DONE))
    for one in done:
        file_of(one).unlink(missing_ok=True)
        one.delete()
    return len(done)
