"""Files that jobs write: whole or not at all, kept for a day below EXPORT_DIR."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from personalization.access.jobs.row import UNDER_WAY, Job, JobStatus

# They are personal data, and made anew in minutes.
KEPT_FOR = timedelta(days=1)


def file_of(row: Job, *, prefix: str, suffix: str) -> Path:
    return Path(settings.EXPORT_DIR) / f"{prefix}-{row.pk}.{suffix}"


@contextmanager
def written(file: Path, *, attempt: int) -> Iterator[Path]:
    """Where to write; it gets its name at the end, and is gone after an error."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = file.with_suffix(f".{attempt}")  # a worker thought dead may still write its own
    try:
        yield fresh
        fresh.rename(file)
    finally:
        fresh.unlink(missing_ok=True)


def forget_old_files(model: type[Job], *, prefix: str) -> None:
    """Rows and files; also what dead workers left, and what was finished while somebody was erased."""
    kept_from = timezone.now() - KEPT_FOR
    rows = model._default_manager
    rows.exclude(status__in=UNDER_WAY).filter(created_at__lt=kept_from).delete()
    may_stay = rows.filter(status__in=(*UNDER_WAY, JobStatus.DONE))
    known = {str(number) for number in may_stay.values_list("pk", flat=True)}
    for file in Path(settings.EXPORT_DIR).glob(f"{prefix}-*"):
        number = file.name.removeprefix(f"{prefix}-").partition(".")[0]
        if number not in known or file.stat().st_mtime < kept_from.timestamp():
            file.unlink(missing_ok=True)
