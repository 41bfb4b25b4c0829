"""`manage.py online_retail FILE`: a gift shop's year; see docs/online-retail.md."""

import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from personalization.demo.errors import LoadError
from personalization.demo.online_retail import OnlineRetail, load


class Command(BaseCommand):
    help = "Loads Online Retail and compares lines, customers and money with the file."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="the data set as a Parquet file")

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write("Loading")
        began = time.monotonic()
        try:
            totals = load(OnlineRetail(options["file"]), say=self.stdout.write)
        except LoadError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"  {totals.lines:,} lines ({totals.canceled:,} canceled) of {totals.customers:,} customers and "
            f"{totals.guests:,} guests, {totals.value:,} in all: as in the file; "
            f"{time.monotonic() - began:.0f} s"
        )
