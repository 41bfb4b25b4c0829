"""`manage.py long_run HOLDOUT`: see docs/targeting.md."""

from argparse import ArgumentParser
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from experiments.long_runs.long_run import Amount, cumulate
from experiments.long_runs.sums import holdout_weeks
from experiments.models import Holdout


class Command(BaseCommand):
    help = "What all campaigns together earned against the customers kept out of them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("holdout", help="its key")
        parser.add_argument("--cost", type=_amount, default=Decimal(0), help="of one message")
        parser.add_argument("--margin", type=float, default=1.0, help="share of revenue that is left (0.4)")
        parser.add_argument("--event", default="Order Completed", help="whose value is revenue")

    def handle(self, *args: Any, **options: Any) -> None:
        holdout = Holdout.objects.filter(key=options["holdout"]).first()
        if holdout is None:
            raise CommandError(f"There is no holdout {options['holdout']!r}.")
        try:
            weeks = holdout_weeks(
                holdout, until=timezone.now(), event=options["event"], cost_per_message=options["cost"]
            )
            found = cumulate(weeks, margin=options["margin"])
        except ValueError as error:
            raise CommandError(f"Nothing can be computed: {error}.") from error
        for entry in found:
            self.stdout.write(
                f"to the week of {entry.until_week}: {entry.messages} messages; revenue"
                f" {_shown(entry.revenue)}; profit {_shown(entry.profit)};"
                f" per 1,000 messages {_shown(entry.revenue_per_thousand)}"
                f" and {_shown(entry.profit_per_thousand)}"
            )
        last = found[-1]
        self.stdout.write(
            f"{last.customers} customers could be reached, {last.held_out} were held out. 95 % intervals,"
            " each over all weeks so far."
        )


def _shown(amount: Amount | None) -> str:
    if amount is None:
        return "cannot be computed"
    low, high = ("…" if bound is None else f"{bound:+,.2f}" for bound in amount.ci)
    return f"{amount.value:+,.2f} ({low} to {high})"


def _amount(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise ValueError from error
