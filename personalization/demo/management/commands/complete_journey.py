"""`manage.py complete_journey DIR`: the main job on real input; see docs/complete-journey.md."""

import os
import resource
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from personalization.access.models import Scope
from personalization.demo import journey_campaign as job
from personalization.demo.api_client import ApiError, api_access
from personalization.demo.errors import LoadError
from personalization.demo.journey import Journey, JourneyError, check_total, load
from personalization.demo.journey_questions import save_questions

SCOPES = [Scope.CAMPAIGNS_READ, Scope.CAMPAIGNS_WRITE]


class Command(BaseCommand):
    help = "Loads Complete Journey, trains, sends a campaign through the worker and compares all counts."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, help="holds completejourney-*.parquet")
        parser.add_argument("--load-only", action="store_true", help="stop after the total was compared")
        parser.add_argument(
            "--questions",
            action="store_true",
            help="save ten questions about it as segments, and stop after them",
        )
        parser.add_argument(
            "--api",
            action="store_true",
            help="save and launch the campaign through the HTTP API instead of as the pages do it",
        )
        parser.add_argument("--url", default=settings.SITE_URL, help="where the product runs, for --api")
        parser.add_argument(
            "--key", default=os.environ.get("BESPOKE_API_KEY", ""),
            help="an API key with campaigns:read and campaigns:write, for --api; without one, a key is made "
            "for this run and revoked after it",
        )  # fmt: skip
        parser.add_argument(
            "--inbox", default=os.environ.get("INBOX_URL") or "http://127.0.0.1:8025",
            help="address of the mail catcher",
        )  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._load(options["folder"])
            if options["questions"]:
                save_questions(say=self.stdout.write)
            elif not options["load_only"]:
                self._send(**{name: options[name] for name in ("inbox", "api", "url", "key")})
        except (LoadError, ApiError) as error:
            raise CommandError(str(error)) from error

    def _load(self, folder: Path) -> None:
        self.stdout.write("Loading")
        began = time.monotonic()
        keys = load(Journey(folder), say=self.stdout.write)
        took = time.monotonic() - began
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        total = check_total(keys)
        self.stdout.write(f"  total value {total:,}, as it should be; {took:.0f} s, at most {peak_mb:.0f} MB")

    def _send(self, *, inbox: str, api: bool, url: str, key: str) -> None:
        self.stdout.write("Choosing and learning")
        segment = job.find_segment(say=self.stdout.write)
        job.train_model(say=self.stdout.write)
        self.stdout.write("Sending")
        job.require_worker()
        server = job.ServerCount(inbox)
        if api:
            with api_access(url, key, name=job.ACTOR, scopes=SCOPES) as access:
                run = job.save_and_launch_by_api(segment, access)
        else:
            run = job.save_and_launch(segment)
        job.wait_until_sent(run, say=self.stdout.write)
        self.stdout.write("Counts")
        rows = job.compare_counts(run, server=server.recipients())
        for row in rows:
            mark = "agree" if row.holds else "DIFFER"
            self.stdout.write(
                f"  {row.what}: " + ", ".join(f"{k} {v:,}" for k, v in row.counts.items()) + f": {mark}"
            )
        if not all(row.holds for row in rows):
            raise JourneyError("The counts differ.")
        self.stdout.write("Everything agrees to the person.")
