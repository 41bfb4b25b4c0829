from typing import Any

from django.core.management.base import BaseCommand, CommandError

from personalization.access.models import AuditSeal
from personalization.access.sealing import LOGS, broken_seals


class Command(BaseCommand):
    help = "Checks the audit logs against their seals, and prints the latest seals to be kept elsewhere."

    def handle(self, *args: Any, **options: Any) -> None:
        if broken := broken_seals():
            names = "\n".join(f"  {seal.log}: entries {seal.first_id} to {seal.last_id}" for seal in broken)
            raise CommandError(f"Entries were changed, removed or added after they were sealed:\n{names}")
        for log in LOGS:
            latest = AuditSeal.objects.filter(log=log).order_by("-last_id").first()
            text = (
                f"intact up to entry {latest.last_id}, seal {latest.sha256}" if latest else "not sealed yet"
            )
            self.stdout.write(f"{log}: {text}")
