"""`manage.py load customers|items|events FILE`: see docs/data-in.md."""

import sys
import time
from argparse import ArgumentParser
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from personalization.catalog.importing import ItemImporter
from personalization.customers.importing import CustomerImporter
from personalization.events.importing import EventImporter
from personalization.importing.mapping import UnknownColumn
from personalization.importing.pipeline import Counts, Importer, load_rows
from personalization.importing.reading import BLOCK_ROWS, UnreadableFile, read_blocks
from personalization.importing.values import time_zone


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
        parser.add_argument("--rejects", type=Path, help="CSV file for rejected rows with line and reason")
        parser.add_argument("--batch", type=int, default=BLOCK_ROWS, help="rows per transaction")
        parser.add_argument("--dry-run", action="store_true", help="do everything, keep nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.monotonic()
        rejects: Path | None = options["rejects"]
        try:
            with rejects.open("w", encoding="utf-8", newline="") if rejects else nullcontext() as file:
                counts = load_rows(
                    _importer(options),
                    read_blocks(options["file"], encoding=options["encoding"], rows=max(1, options["batch"])),
                    columns=_columns(options["map"]),
                    rejects=file,
                    dry_run=options["dry_run"],
                    progress=lambda counts: _show(counts, started),
                )
        except (UnreadableFile, UnknownColumn, UnicodeError, LookupError, OSError) as error:
            raise CommandError(str(error)) from error
        sys.stderr.write("\n")
        self.stdout.write(
            f"{counts.read} rows: {counts.new} new, {counts.changed} changed, {counts.unchanged} unchanged, "
            f"{counts.rejected} rejected" + (" (dry run, nothing kept)" if options["dry_run"] else "")
        )


def _importer(options: dict[str, Any]) -> Importer:
    try:
        zone = time_zone(options["time_zone"])
    except ValueError as error:
        raise CommandError(f"There is no time zone {options['time_zone']}.") from error
    if options["kind"] == "customers":
        return CustomerImporter(zone=zone)
    if options["kind"] == "items":
        return ItemImporter()
    return EventImporter(event=options["event"], unknown_items=options["unknown_items"], zone=zone)


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
