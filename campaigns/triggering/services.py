"""API-triggered messages: named recipients with variables, once per idempotency key."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from campaigns.errors import InvalidState
from campaigns.models import Campaign, Delivery, Trigger
from campaigns.triggering.taking_in import Newcomer, standing_run, take_in
from personalization.access.services import audit


@dataclass(frozen=True)
class Triggered:
    """`is_new` is false when the same call was made before: then nothing was sent again."""

    trigger: Trigger
    is_new: bool


def trigger(
    campaign: Campaign,
    recipients: Sequence[tuple[int, Mapping[str, Any]]],
    *,
    key: str,
    actor: str,
    now: datetime | None = None,
    is_test: bool = False,
) -> Triggered:
    """Writes a delivery for each recipient (customer, variables). Raises InvalidState."""
    now = now or timezone.now()
    digest = hashlib.sha256(
        json.dumps([[pk, dict(variables)] for pk, variables in recipients], sort_keys=True).encode()
    ).digest()
    run = standing_run(campaign.pk, is_test=is_test)
    if run is None:
        raise InvalidState(_("Open the campaign first: launch it as a triggered one."))
    try:
        with transaction.atomic():
            # The key's row is the queue: a second call at the same time waits here for the first.
            made = Trigger.objects.create(
                run=run, key=key, body_hash=digest, actor=actor[:200], recipients=len(recipients),
                created_at=now,
            )  # fmt: skip
            # Negative, so that it never meets the number of a journey's passage.
            take_in(run, [Newcomer(pk, -made.pk, variables) for pk, variables in recipients], now=now)
            audit(actor, "campaign.triggered", f"campaign:{campaign.pk}", recipients=len(recipients))
        return Triggered(made, True)
    except IntegrityError:
        earlier = Trigger.objects.filter(run=run, key=key).first()
        if earlier is None:
            raise
    if bytes(earlier.body_hash) != digest:
        raise InvalidState(_("This idempotency key was used for another call."))
    return Triggered(earlier, False)


def deliveries_of(trigger: Trigger) -> list[Delivery]:
    """What became of the recipients of one call."""
    found = Delivery.everything.filter(run=trigger.run_id, occurrence=-trigger.pk)
    return list(found.select_related("customer").order_by("pk"))
