"""Writes of the data sources: files are taken in, started, canceled and deleted again."""

import re
import uuid
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from personalization.access.services import audit
from personalization.importing.mapping import UnknownColumn, map_columns
from personalization.importing.reading import UnreadableFile, count_records, format_of
from personalization.sources.errors import InvalidOptions, NoColumn, NotStartable
from personalization.sources.kinds import columns_of, importer_for
from personalization.sources.models import ACTIVE, Import, ImportStatus, Kind
from personalization.sources.preview import read_names

OPTIONS = {"columns", "encoding", "separator", "event", "unknown_items", "time_zone", "batch"}
DRAFT_DAYS = 1


def rejects_path(import_id: int) -> Path:
    return Path(settings.IMPORT_DIR) / f"rejects-{import_id}.jsonl"


def take_file(upload: UploadedFile, *, kind: str, actor: str) -> Import:
    """Keeps the file, outside of what the web server shows, as a draft. Raises InvalidOptions."""
    if kind not in Kind:
        raise InvalidOptions(_("Only customers, items and events can be imported."))
    name = re.sub(r"[\x00-\x1f]", "", Path(upload.name or "file").name)[-300:]
    if upload.size is not None and upload.size > settings.IMPORT_MAX_BYTES:
        raise InvalidOptions(_("The file is too large."))
    try:
        format_of(name)
    except UnreadableFile as error:
        raise InvalidOptions(str(error)) from None
    folder = Path(settings.IMPORT_DIR)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"{uuid.uuid4().hex}{Path(name).suffix.lower()}"
    try:
        with path.open("xb") as file:
            for chunk in upload.chunks():
                file.write(chunk)
        read_names(path, {})
        records = count_records(path)
    except (UnreadableFile, UnicodeError, OSError) as error:
        path.unlink(missing_ok=True)
        raise InvalidOptions(str(error)) from None
    with transaction.atomic():
        job = Import.objects.create(
            kind=kind,
            name=name,
            path=str(path),
            size_bytes=path.stat().st_size,
            records=records,
            actor=actor[:200],
        )
        audit(actor, "import.uploaded", f"import:{job.pk}", kind=kind, size_bytes=job.size_bytes)
    return job


def set_options(job: Import, options: Mapping[str, Any]) -> None:
    """Keeps the mapping and the rest, checked against the file. Raises InvalidOptions."""
    if unknown := set(options) - OPTIONS:
        raise InvalidOptions(_("There is no option %(name)s.") % {"name": sorted(unknown)[0]})
    try:
        importer = importer_for(job.kind, options)
        columns = columns_of(options)
        mapping = map_columns(importer, read_names(Path(job.path), options), chosen=columns)
    except (UnreadableFile, UnknownColumn, UnicodeError, LookupError, OSError) as error:
        raise InvalidOptions(str(error)) from None
    if missing := [name for name in importer.required if name not in mapping.columns]:
        raise NoColumn(_("No column fills the field %(name)s, which every row needs.") % {"name": missing[0]})
    if importer.required_one_of and not mapping.columns.keys() & set(importer.required_one_of):
        raise NoColumn(
            _("No column fills one of the fields %(names)s.") % {"names": ", ".join(importer.required_one_of)}
        )
    job.options = dict(options)
    Import.objects.filter(pk=job.pk, status=ImportStatus.DRAFT).update(options=job.options)


def start(job: Import, *, dry_run: bool, actor: str) -> None:
    """Puts a draft, or an import that was tried dry, in the queue. Raises NotStartable, InvalidOptions."""
    set_options(job, job.options)
    with transaction.atomic():
        startable = Import.objects.filter(pk=job.pk, status=ImportStatus.DRAFT) | Import.objects.filter(
            pk=job.pk,
            status__in=(ImportStatus.DONE, ImportStatus.CANCELED, ImportStatus.FAILED),
            dry_run=True,
        )
        started = startable.exclude(path="").update(
            status=ImportStatus.WAITING, dry_run=dry_run, language=get_language() or "", error="",
            started_at=None, finished_at=None,
            read=0, new=0, changed=0, unchanged=0, rejected=0, rejects_bytes=0, reasons=[],
        )  # fmt: skip
        if not started:
            raise NotStartable(_("It runs already, or is over, or its file was deleted."))
        audit(actor, "import.started", f"import:{job.pk}", kind=job.kind, dry_run=dry_run)


def resume(job: Import, *, actor: str) -> None:
    """Goes on where a failed or canceled import ended; what is in stays in. Raises NotStartable."""
    with transaction.atomic():
        ended = Import.objects.filter(
            pk=job.pk, status__in=(ImportStatus.FAILED, ImportStatus.CANCELED), dry_run=False
        )
        if not ended.exclude(path="").update(status=ImportStatus.WAITING, error="", finished_at=None):
            raise NotStartable(_("Only an import that failed or was canceled can go on."))
        audit(actor, "import.resumed", f"import:{job.pk}")


def reopen(job: Import) -> None:
    """Makes a draft again of what was only tried. Raises NotStartable."""
    ended = Import.objects.filter(pk=job.pk, dry_run=True).exclude(status__in=ACTIVE).exclude(path="")
    if not ended.update(status=ImportStatus.DRAFT):
        raise NotStartable(_("Only what was tried dry can be changed."))


def cancel(job: Import, *, actor: str) -> None:
    """Ends it after the block that is being written; what is in stays in. Raises NotStartable."""
    with transaction.atomic():
        running = Import.objects.filter(pk=job.pk, status__in=ACTIVE)
        if not running.update(status=ImportStatus.CANCELED, finished_at=timezone.now(), lease_until=None):
            raise NotStartable(_("It is not running."))
        audit(actor, "import.canceled", f"import:{job.pk}")


def delete_old_files() -> None:
    """Files of people's data stay no longer than they are needed; the counts stay."""
    now = timezone.now()
    old = Import.objects.exclude(path="").exclude(status__in=ACTIVE)
    kept = now - timedelta(days=settings.IMPORT_RETENTION_DAYS)
    due = old.filter(finished_at__lt=kept) | old.filter(
        status=ImportStatus.DRAFT, created_at__lt=now - timedelta(days=DRAFT_DAYS)
    )
    for job in due:
        delete_file(job)


def delete_file(job: Import) -> None:
    """Removes the uploaded file and its rejects. A file that `manage.py load` read is not ours and stays."""
    if Path(job.path).parent == Path(settings.IMPORT_DIR):
        Path(job.path).unlink(missing_ok=True)
    rejects_path(job.pk).unlink(missing_ok=True)
    Import.objects.filter(pk=job.pk).update(path="")
