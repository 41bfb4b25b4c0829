"""`manage.py react`: the demo shop's customers answer the mail they really received. Runs until stopped.

14 days pass in about 75 seconds after a launch. Everyone in a run's audience, the control group too, also
buys at a rate of their own. Restarting repeats nothing: what is planned depends on
seed, run and customer only.
"""

import os
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connection

from campaigns.models import Delivery, Run
from personalization.demo import services
from personalization.demo.reactions import Action, Received, plan_base, plan_letters
from personalization.demo.reading import read_letter
from personalization.demo.shoppers import Inbox, Memory, Shoppers
from personalization.demo.world import PREFIX, World, build_world

RUN_AGE = timedelta(minutes=10)  # older runs have been answered, or nobody was there to answer


class Command(BaseCommand):
    help = "Lets the demo shop's customers open, click, unsubscribe and buy after real sends."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--inbox", default=os.environ.get("INBOX_URL") or "http://127.0.0.1:8025",
            help="address of the mail catcher",
        )  # fmt: skip
        parser.add_argument("--seconds", type=float, default=0, help="stop after so long; 0: never")

    def handle(self, *args: Any, **options: Any) -> None:
        key = services.read_key()
        if not services.is_loaded() or key is None:
            raise CommandError("There is no demo shop here. Load it: manage.py load_demo")
        world = build_world()
        crowd = Crowd(world, Shoppers(world, key=key), Inbox(options["inbox"]))
        end = time.monotonic() + options["seconds"] if options["seconds"] else float("inf")
        try:
            while time.monotonic() < end:
                self._step(crowd)
                time.sleep(1)
        except KeyboardInterrupt:
            return

    def _step(self, crowd: "Crowd") -> None:
        try:
            told = crowd.step(datetime.now(UTC))
        except (OSError, DatabaseError) as error:
            # The web or the database is away for a moment: the same actions are due again next time.
            connection.close()
            self.stderr.write(f"waiting: {type(error).__name__}")
            return
        if told:
            self.stdout.write(told)


class Crowd:
    """Keeps the plan: which runs and letters were seen, what is due when."""

    def __init__(self, world: World, shoppers: Shoppers, inbox: Inbox) -> None:
        self.world = world
        self.shoppers = shoppers
        self.inbox = inbox
        self.memory = Memory(settings.DATA_DIR / "react.state", now=datetime.now(UTC))
        self.row_of = {name: row for row, name in enumerate(world.customers.external_id)}
        self.row_at: dict[str, int] = {}
        for row, address in enumerate(world.customers.email):
            self.row_at.setdefault(address.lower(), row)
        self.audiences: dict[int, tuple[datetime, frozenset[int]]] = {}
        self.answered: set[tuple[int, int]] = set()
        self.waiting: list[Action] = []
        self.unread: list[dict[str, Any]] = []

    def step(self, now: datetime) -> str:
        """Looks for new runs and mail, does what is due; answers a line about it, or nothing."""
        # Mail first: whatever has arrived, its run is in the database by the time runs are looked for.
        self.unread += self.inbox.new()
        self._find_runs(now)
        self._read_mail()
        due = [action for action in self.waiting if action.due_at <= now]
        if due:
            done = self.shoppers.act(due)
            self.waiting = [action for action in self.waiting if action.due_at > now]
        self.memory.keep(now)
        if not due:
            return ""
        lost = f", {done.failed} failed" if done.failed else ""
        return (
            f"{done.opened} opened, {done.clicked} clicked, {done.ordered} ordered, "
            f"{done.unsubscribed} unsubscribed{lost}"
        )

    def _find_runs(self, now: datetime) -> None:
        new = Run.objects.filter(launched_at__gt=now - RUN_AGE).exclude(pk__in=list(self.audiences))
        for run in new.order_by("launched_at"):
            ids = Delivery.objects.filter(run=run, customer__external_id__startswith=PREFIX).values_list(
                "customer__external_id", flat=True
            )
            audience = frozenset(self.row_of[name] for name in ids if name in self.row_of)
            self.audiences[run.pk] = (run.launched_at, audience)
            self._plan(plan_base(self.world, run=run.pk, audience=audience, launched_at=run.launched_at))

    def _read_mail(self) -> None:
        received = []
        for row in self.unread:
            letter = read_letter(row["raw"])
            at = datetime.fromisoformat(row["received_at"])
            customer = self.row_at.get(letter.recipient)
            run = self._run_of(customer, at) if customer is not None else None
            if customer is None or run is None or (run, customer) in self.answered:
                continue
            self.answered.add((run, customer))
            received.append(Received(letter, run, customer, at))
        self.unread = []
        self._plan(plan_letters(self.world, received))

    def _run_of(self, customer: int, at: datetime) -> int | None:
        """The newest run that this customer is in and that was launched before the mail came."""
        found = [
            (launched_at, run)
            for run, (launched_at, audience) in self.audiences.items()
            if customer in audience and launched_at <= at
        ]
        return max(found)[1] if found else None

    def _plan(self, actions: list[Action]) -> None:
        self.waiting += [action for action in actions if action.due_at > self.memory.done_until]
