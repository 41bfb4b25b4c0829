"""`manage.py up`: see personalization/config/supervisor."""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from personalization.config.supervisor.cli import main


class Command(BaseCommand):
    help = "Starts everything on this machine: database, web, worker, beat and mail catcher."

    def run_from_argv(self, argv: list[str]) -> None:
        sys.exit(main(argv[2:]))

    def handle(self, *args: Any, **options: Any) -> None:
        sys.exit(main([]))
