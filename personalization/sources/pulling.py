"""One reading of a source: what is new there comes in by the same importers as files do."""

import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from personalization.access.encryption import Undecipherable
from personalization.importing.blocks import Block
from personalization.importing.mapping import UnknownColumn
from personalization.importing.pipeline import Counts, Loading, load_blocks
from personalization.importing.reading import UnreadableFile, read_blocks
from personalization.importing.rejects import FirstRejects
from personalization.sources.databases import read_query
from personalization.sources.errors import InvalidOptions
from personalization.sources.fetching import fetch_file, suffix_of
from personalization.sources.kinds import columns_of, importer_for
from personalization.sources.models import ImportStatus, Source, SourceRun, Way

LEASE = timedelta(minutes=10)
KEPT_REJECTS = 100
log = structlog.get_logger(__name__)


def due_sources() -> list[int]:
    now = timezone.now()
    due = Source.objects.filter(Q(next_at=None) | Q(next_at__lte=now), is_active=True)
    free = due.filter(Q(lease_until=None) | Q(lease_until__lt=now))
    return list(free.order_by("pk").values_list("pk", flat=True))


def pull(pk: int) -> SourceRun | None:
    """Reads a source once; None when another worker does. Errors end in the run, never in the caller."""
    now, worker = timezone.now(), uuid.uuid4()
    free = Source.objects.filter(Q(lease_until=None) | Q(lease_until__lt=now), pk=pk)
    if not free.update(worker=worker, lease_until=now + LEASE):
        return None
    run = SourceRun.objects.create(source_id=pk)
    rejects, error, status = FirstRejects(KEPT_REJECTS), "", ImportStatus.DONE
    try:
        _carry_out(Source.objects.get(pk=pk), run, rejects)
    except (
        UnreadableFile,
        UnknownColumn,
        InvalidOptions,
        Undecipherable,
        UnicodeError,
        LookupError,
    ) as problem:
        status, error = ImportStatus.FAILED, str(problem)
    except Exception as problem:
        status, error = ImportStatus.FAILED, _("Unexpected: %(kind)s") % {"kind": type(problem).__name__}
        log.exception("source_failed", source_id=pk)
    SourceRun.objects.filter(pk=run.pk).update(
        status=status, error=error[:2000], finished_at=timezone.now(), rejects=rejects.found
    )
    own = Source.objects.filter(pk=pk, worker=worker)
    minutes = own.values_list("every_minutes", flat=True).first() or 60
    own.update(lease_until=None, next_at=now + timedelta(minutes=minutes))
    run.refresh_from_db()
    return run


def _carry_out(source: Source, run: SourceRun, rejects: FirstRejects) -> None:
    importer = importer_for(source.kind, source.options)
    cursor: dict[str, Any] = {}

    def checkpoint(counts: Counts) -> None:
        own = Source.objects.filter(pk=source.pk, worker=source.worker)
        if not own.update(lease_until=timezone.now() + LEASE):
            raise UnreadableFile(_("Another worker has taken over."))
        SourceRun.objects.filter(pk=run.pk).update(**asdict(counts))

    loading = Loading(columns=columns_of(source.options), rejects=rejects, checkpoint=checkpoint)
    if source.way == Way.SQL:
        load_blocks(importer, _pulled(source, cursor), loading)
    else:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"pulled{suffix_of(source.address)}"
            with path.open("wb") as file:
                found = fetch_file(source.address, file, known=source.cursor)
            if found is None:
                return
            options = source.options
            blocks = read_blocks(
                path, encoding=options.get("encoding") or None, separator=options.get("separator") or None
            )
            load_blocks(importer, blocks, loading)
            cursor = found
    if cursor:  # after the last block: what a broken run has read is read again, and changes nothing
        Source.objects.filter(pk=source.pk, worker=source.worker).update(cursor=cursor)


def _pulled(source: Source, cursor: dict[str, Any]) -> Iterator[Block]:
    for block, after in read_query(
        source.address, source.query, cursor_column=source.cursor_column, cursor=source.cursor
    ):
        cursor.clear()
        cursor.update(after)
        yield block
