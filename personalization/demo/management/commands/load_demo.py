"""`manage.py load_demo`: opens the demo shop; a second call says it is there. `--remove` closes it again."""

import time
from contextlib import suppress
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from kombu.exceptions import OperationalError

from personalization.demo import services
from personalization.demo.errors import StillSending
from recommender import tasks


class Command(BaseCommand):
    help = "Loads the simulated shop: customers, catalog, a year of behavior, a campaign ready to launch."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--remove", action="store_true", help="delete the demo shop, to start with your own data"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["remove"]:
            try:
                n = services.remove_shop()
            except StillSending as error:
                raise CommandError("A campaign is being sent. Cancel it, or wait until it ends.") from error
            self.stdout.write(
                f"Removed the demo shop with {n:,} customers." if n else "There is no demo shop."
            )
            return
        began = time.monotonic()
        loaded = services.load_shop()
        if loaded is None:
            self.stdout.write("The demo shop is there already.")
            return
        _start_training()
        self.stdout.write(
            f"Loaded the demo shop in {time.monotonic() - began:.1f} s: {loaded.customers:,} customers, "
            f"{loaded.items:,} items, {loaded.events:,} events of the last year."
        )


def _start_training() -> None:
    """A worker trains the first recommender. Without a broker the run keeps waiting and lists are
    popular items."""
    with suppress(OperationalError):
        tasks.start_waiting.apply_async(retry=False)
