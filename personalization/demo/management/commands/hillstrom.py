"""`manage.py hillstrom FILE`: a real test with three variants through the API; see docs/hillstrom.md."""

import os
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from personalization.access.models import Scope
from personalization.demo import hillstrom
from personalization.demo.api_client import Api, ApiError, api_access
from personalization.demo.hillstrom import HillstromError

SCOPES = [Scope.INGEST, Scope.CAMPAIGNS_READ, Scope.CAMPAIGNS_WRITE]


class Command(BaseCommand):
    help = "Sends Hillstrom's e-mail test through the public API and prints what the report's JSON says."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="hillstrom.csv, or the same packed by xz")
        parser.add_argument("--url", default=settings.SITE_URL, help="where the product runs")
        parser.add_argument(
            "--key", default=os.environ.get("BESPOKE_API_KEY", ""),
            help="an API key with ingest, campaigns:read and campaigns:write; without one, a key is made for "
            "this run and revoked after it",
        )  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            rows = hillstrom.read_rows(options["file"])
            hillstrom.ensure_metrics()
            with api_access(options["url"], options["key"], name="hillstrom demo", scopes=SCOPES) as api:
                self._run(rows, api)
        except (HillstromError, ApiError) as error:
            raise CommandError(str(error)) from error

    def _run(self, rows: list[hillstrom.Row], api: Api) -> None:
        began = time.monotonic()
        self.stdout.write("Sending")
        hillstrom.send(rows, api, say=self.stdout.write)
        self.stdout.write(f"  took {time.monotonic() - began:.0f} s")
        report = hillstrom.analyse(api)
        self.stdout.write(str(report["summary"]))
        for line in (*hillstrom.table(report), *hillstrom.group_lines(report)):
            self.stdout.write(line)
