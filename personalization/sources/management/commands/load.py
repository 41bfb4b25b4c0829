"""`manage.py load customers|items|events FILE`: see docs/data-in.md."""

import hashlib
import json
import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from personalization.importing.pipeline import Counts
from personalization.importing.reading import BLOCK_ROWS
from personalization.importing.rejects import sheet
from personalization.sources.errors import InvalidOptions
from personalization.sources.kinds import importer_for
from personalization.sources.models import Import, ImportStatus
from personalization.sources.running import run_import
from personalization.sources.services import rejects_path


class Command(BaseCommand):
    help = "Loads customers, items or events from a CSV, JSON Lines or Parquet file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("kind", choices=["customers", "items", "events"])
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--map", action="append", default=[], metavar="COLUMN=FIELD",
            help="which column fills a field (several may fill categories)",
        )  # fmt: skip
        parser.add_argument("--event", help="events: the name of all events of a file without such a column")
        parser.add_argument(
            "--unknown-items",
            choices=["reject", "create"],
            default="reject",
            help="events: what to do with them",
        )
        parser.add_argument("--time-zone", default="UTC", help="of times that carry none (default UTC)")
        parser.add_argument("--encoding", help="of a text file, where the guess is wrong")
        parser.add_argument(
            "--rejects", type=Path, help="CSV file for rejected rows and reasons, to be mended"
        )
        parser.add_argument("--batch", type=int, default=BLOCK_ROWS, help="rows per transaction")
        parser.add_argument("--restart", action="store_true", help="not where an earlier run was interrupted")
        parser.add_argument("--dry-run", action="store_true", help="do everything, keep nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.monotonic()
        path = options["file"].resolve()
        settings = {
            "columns": _columns(options["map"]), "event": options["event"], "encoding": options["encoding"],
            "unknown_items": options["unknown_items"], "time_zone": options["time_zone"],
            "batch": max(1, options["batch"]),
        }  # fmt: skip
        try:
            importer_for(options["kind"], settings)
            job = _job(
                options["kind"], path, settings, dry_run=options["dry_run"], restart=options["restart"]
            )
            if job.read:
                self.stderr.write(f"Going on after {job.read} rows of an earlier run; --restart begins anew.")
            ended = run_import(
                job.pk,
                rejects=rejects_path(job.pk) if options["rejects"] else None,
                take_over=True,
                progress=lambda counts: _show(counts, started),
            )
            if options["rejects"]:
                _write_sheet(job, options["rejects"])
        except (InvalidOptions, OSError) as error:
            raise CommandError(str(error)) from error
        if ended is None or ended.status != ImportStatus.DONE:
            raise CommandError(
                ended.error if ended and ended.error else "The import was taken over or canceled."
            )
        sys.stderr.write("\n")
        self.stdout.write(
            f"{ended.read} rows: {ended.new} new, {ended.changed} changed, {ended.unchanged} unchanged, "
            f"{ended.rejected} rejected" + (" (dry run, nothing kept)" if options["dry_run"] else "")
        )


def _write_sheet(job: Import, path: Path) -> None:
    kept = rejects_path(job.pk)
    with path.open("w", encoding="utf-8", newline="") as file:
        file.writelines(sheet(kept) if kept.is_file() else ())


def _job(kind: str, path: Path, options: dict[str, Any], *, dry_run: bool, restart: bool) -> Import:
    """The import of this file: the one that an earlier run did not end, else a new one."""
    size = path.stat() if path.is_file() else None
    told = json.dumps([kind, str(path), size and (size.st_size, size.st_mtime_ns), options], sort_keys=True)
    fingerprint = hashlib.sha256(told.encode()).hexdigest()
    begun = Import.objects.filter(fingerprint=fingerprint, status=ImportStatus.RUNNING, dry_run=False)
    if not restart and not dry_run and (known := begun.first()):
        return known
    begun.update(status=ImportStatus.CANCELED)
    return Import.objects.create(
        kind=kind, name=path.name[-300:], path=str(path), fingerprint=fingerprint, options=options,
        size_bytes=size.st_size if size else 0, status=ImportStatus.WAITING,
        dry_run=dry_run, actor="command line",
    )  # fmt: skip


def _columns(pairs: list[str]) -> dict[str, list[str]]:
    """Field → its columns, from `column=field` pairs; the name of a column may contain a "=" itself."""
    columns: dict[str, list[str]] = {}
    for pair in pairs:
        column, equals, field = pair.rpartition("=")
        if not equals or not field or not column:
            raise CommandError(f"--map wants COLUMN=FIELD, not {pair!r}.")
        columns.setdefault(field.strip(), []).append(column.strip())
    return columns


def _show(counts: Counts, started: float) -> None:
    rate = counts.read / max(time.monotonic() - started, 1e-3)
    sys.stderr.write(f"\r{counts.read} rows, {counts.rejected} rejected, {rate:,.0f} rows/s")
    sys.stderr.flush()
