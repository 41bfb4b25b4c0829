"""Refusals in the SMTP dialogue itself: a mailbox that does not exist is dead, said when it may be."""

from collections.abc import Iterable
from datetime import datetime

from campaigns.feedback.classify import HARD, STATUS, Failure, classify
from campaigns.feedback.handling import take_bounce
from campaigns.models import Delivery


def take_refusals(refused: Iterable[tuple[int, str]], *, at: datetime) -> None:
    """`refused`: deliveries that failed, and what the server said. Only evidence about the address counts."""
    hard = {pk: detail for pk, detail in refused if classify(detail) == HARD}
    if not hard:
        return
    rows = Delivery.objects.select_related("run__experiment", "variant", "customer")
    for delivery in rows.filter(pk__in=hard, customer__isnull=False):
        detail = hard[delivery.pk]
        status = (STATUS.search(detail) or [""])[0]
        take_bounce(delivery, Failure("", HARD, status, detail), key=f"smtp:{delivery.pk}", at=at)
