"""One import, block by block: whoever holds its lease writes, and a killed one is continued where it was.

Counts, position and length of the rejects' file are committed with each block. A worker that lost its lease
cannot commit: the row no longer names it.
"""

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from personalization.access.jobs.lease import Lease, Lost, WorkersDied
from personalization.importing.mapping import UnknownColumn
from personalization.importing.pipeline import Counts, Loading, load_blocks
from personalization.importing.reading import BLOCK_ROWS, UnreadableFile, read_blocks
from personalization.importing.rejects import RejectsFile, reasons_in
from personalization.sources.errors import InvalidOptions
from personalization.sources.kinds import columns_of, importer_for
from personalization.sources.models import ACTIVE, Import, ImportStatus

LEASE = Lease(Import, ImportStatus.WAITING, ImportStatus.RUNNING, timedelta(minutes=5), mark="worker")
REASONS = 10  # why rows were rejected, the most frequent first
# What ends an import with a text for who started it.
_TOLD = (UnreadableFile, UnknownColumn, InvalidOptions, UnicodeError, LookupError, OSError, WorkersDied)
log = structlog.get_logger(__name__)


def claim(pk: int, *, take_over: bool = False) -> Import | None:
    """Makes this process the one that writes. None when another one does; `take_over`: even then."""
    now = timezone.now()
    due = Q(status__in=ACTIVE) if take_over else LEASE.due(now)
    # A command is given by somebody, who sees how it ends: it is never the same again and again by itself.
    asked = {"attempts": 1} if take_over else {}
    begun = Coalesce("started_at", now)
    return LEASE.take(pk, due, now=now, worker=uuid.uuid4(), started_at=begun, **asked)


def run_import(
    pk: int,
    *,
    rejects: Path | None = None,
    take_over: bool = False,
    progress: Callable[[Counts], object] | None = None,
) -> Import | None:
    """Carries an import to its end; None when it is somebody else's. A broken file ends it as failed."""
    job = claim(pk, take_over=take_over)
    if job is None:
        return None
    with translation.override(job.language or settings.LANGUAGE_CODE):
        return _carry_out(job, rejects=rejects, progress=progress)


def _carry_out(
    job: Import, *, rejects: Path | None, progress: Callable[[Counts], object] | None
) -> Import | None:
    pk = job.pk
    try:
        LEASE.check(job)
        changes = _load(job, rejects=rejects, progress=progress)
    except Lost:
        return Import.objects.get(pk=pk)
    except _TOLD as error:
        # Our own texts and the system's; none of them quotes a row.
        _end(job, ImportStatus.FAILED, error=str(error))
        return Import.objects.get(pk=pk)
    except Exception as error:
        _end(job, ImportStatus.FAILED, error=_("Unexpected: %(kind)s") % {"kind": type(error).__name__})
        raise
    _end(job, ImportStatus.DONE, **changes)
    return Import.objects.get(pk=pk)


def _end(job: Import, status: ImportStatus, *, error: str = "", **changes: Any) -> None:
    LEASE.end(job, status, error=error[:2000], finished_at=timezone.now(), **changes)
    log.info("import_ended", import_id=job.pk, status=status.value)


@contextmanager
def _open_rejects(path: Path | None, job: Import, *, goes_on: bool) -> Iterator[RejectsFile | None]:
    if path is None:
        yield None
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+" if goes_on else "w", encoding="utf-8") as file:
        if goes_on:  # what a killed worker wrote for a block that it did not commit
            file.truncate(min(job.rejects_bytes, path.stat().st_size))
        yield RejectsFile(file, reasons_in(path) if goes_on else ())


def _load(
    job: Import, *, rejects: Path | None, progress: Callable[[Counts], object] | None
) -> dict[str, Any]:
    """What the row of the import says at the end: counts, and the reasons of the rejected rows."""
    importer = importer_for(job.kind, job.options)
    skip = 0 if importer.remembers or job.dry_run else job.read
    blocks = read_blocks(
        Path(job.path),
        encoding=job.options.get("encoding") or None,
        separator=job.options.get("separator") or None,
        rows=int(job.options.get("batch") or BLOCK_ROWS),
        skip=skip,
    )
    counts = Counts() if job.dry_run else Counts(job.read, job.new, job.changed, job.unchanged, job.rejected)
    with _open_rejects(rejects, job, goes_on=bool(counts.read)) as refused:
        last = time.monotonic()

        def told(counts: Counts) -> dict[str, Any]:
            reasons = refused.reasons.most_common(REASONS) if refused else []
            return asdict(counts) | {
                "reasons": [{"reason": reason, "rows": rows} for reason, rows in reasons]
            }

        def checkpoint(counts: Counts) -> None:
            size = refused.file.tell() if refused else 0
            # Whoever continues it begins behind what is in: only workers that got no further count as dead.
            further = {"attempts": 0} if counts.read > job.read and not job.dry_run else {}
            if not LEASE.keep(job, **told(counts), rejects_bytes=size, **further):
                raise Lost

        def show(counts: Counts) -> None:
            nonlocal last
            if job.dry_run and time.monotonic() - last > 1:  # its checkpoints were rolled back
                checkpoint(counts)
                last = time.monotonic()
            if progress:
                progress(counts)

        loading = Loading(
            columns=columns_of(job.options),
            rejects=refused,
            dry_run=job.dry_run,
            counts=counts,
            known=counts.read - skip,
            checkpoint=checkpoint,
            progress=show,
        )
        return told(load_blocks(importer, blocks, loading))


def waiting_imports() -> list[int]:
    """Imports whose task was lost, or whose worker died."""
    due = LEASE.due(timezone.now())
    uploaded = Import.objects.filter(due, fingerprint="")  # what a command began, the command goes on with
    return list(uploaded.order_by("pk").values_list("pk", flat=True))
