"""Runs a campaign or a journey through with a moved clock, sending nothing."""

from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from campaigns.models import Campaign, Journey
from campaigns.rehearsing.found import Findings
from campaigns.rehearsing.journey import rehearse_journey
from campaigns.rehearsing.rehearsal import DAYS, rehearse
from personalization.access.problems import ProblemError
from personalization.access.terminal import ProgressLine


class Command(BaseCommand):
    help = (
        "Runs a campaign (or, with --journey, a journey's draft) through on real data and sends nothing. "
        "Ctrl-C ends it at any time: everything written is taken back."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("number", type=int, metavar="CAMPAIGN")
        parser.add_argument("--journey", action="store_true", help="the number is a journey's")
        parser.add_argument("--at", help="when it begins, like 2026-12-01T09:00 (default: its plan, or now)")
        parser.add_argument("--days", type=int, default=DAYS, help="how far the clock goes on")

    def handle(self, *args: Any, **options: Any) -> None:
        at, line = self._moment(options["at"]), ProgressLine(self.stderr)
        asked = {"days": options["days"], "tell": line.tell}
        try:
            if options["journey"]:
                journey = Journey.objects.get(pk=options["number"])
                found = rehearse_journey(journey, at=at or timezone.now(), **asked)
            else:
                found = rehearse(Campaign.objects.get(pk=options["number"]), at=at, **asked)
        except (Campaign.DoesNotExist, Journey.DoesNotExist):
            raise CommandError("There is no such campaign or journey.") from None
        except ProblemError as error:
            details = " ".join(one["detail"] for one in error.errors)
            raise CommandError(f"{error.detail} {details}".strip()) from error
        finally:
            line.end()
        self._tell(found)

    def _moment(self, text: str | None) -> datetime | None:
        if not text:
            return None
        found = parse_datetime(text)
        if found is None:
            raise CommandError("Write the time like 2026-12-01T09:00.")
        return found if found.tzinfo else timezone.make_aware(found)

    def _tell(self, found: Findings) -> None:
        self.stdout.write(f"From {found.starts_at:%Y-%m-%d %H:%M} to {found.ends_at:%Y-%m-%d %H:%M}")
        self.stdout.write(f"Audience {found.audience:,}, sent {found.sent:,}")
        if found.last_at:
            self.stdout.write(f"The last message leaves {found.last_at:%Y-%m-%d %H:%M}")
        for title, counts in (("Not sent", found.reasons), ("Still waiting", found.waiting)):
            for reason, n in sorted(counts.items()):
                self.stdout.write(f"{title}: {reason} {n:,}")
        for day, n in sorted(found.days.items()):
            self.stdout.write(f"{day} {n:,}")
        for sample in found.samples:
            self.stdout.write(f"Customer {sample['customer']}: {sample['subject']}")
