"""`manage.py doctor`: says in words what is wrong with this installation."""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from personalization.config import checkup


class Command(BaseCommand):
    help = (
        "Looks at everything the product needs and says in words what is wrong. Exit code 1 when anything is."
    )
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        findings = checkup.examine()
        for finding in findings:
            mark = self.style.SUCCESS("ok  ") if finding.is_well else self.style.ERROR("BAD ")
            self.stdout.write(f"{mark} {finding.name}: {finding.sentence}")
        if any(not finding.is_well for finding in findings):
            sys.exit(1)
