"""Standing runs: customers are taken in one by one or in batches, as long as the run is open.

The ledger, the chunks and everything after them are those of every other campaign.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F

from campaigns import channels
from campaigns.launching.audience import freeze
from campaigns.models import Run, RunStatus
from experiments import services as experiments
from experiments.traffic import holdouts


@dataclass(frozen=True)
class Newcomer:
    """`occurrence` tells apart the messages of one run to one customer; templates see `variables` as
    `trigger`."""

    customer_id: int
    occurrence: int
    variables: Mapping[str, Any] | None = None


def standing_run(campaign_id: int, *, is_test: bool = False) -> Run | None:
    """The open run of a triggered campaign; None when it was never opened, or was closed. For tests the run
    beside it, with the same content and experiment."""
    open_ = Run.objects.filter(
        campaign=campaign_id, is_standing=True, status__in=[RunStatus.SENDING, RunStatus.PAUSED]
    )
    run = open_.select_related("experiment", "campaign").order_by("-number").first()
    return _test_run(run) if run is not None and is_test else run


def _test_run(run: Run) -> Run:
    same = {
        "content": run.content, "experiment": run.experiment, "launched_by": run.launched_by,
        "launched_at": run.launched_at, "is_standing": True, "audience_size": 0,
    }  # fmt: skip
    return Run.everything.get_or_create(
        campaign=run.campaign, number=run.number, is_test=True, defaults=same
    )[0]


def take_in(run: Run, newcomers: Sequence[Newcomer], *, now: datetime) -> int:
    """Writes a delivery for each newcomer, with the reason where nothing is sent; answers how many.

    A customer stands once in `newcomers`. Inside the caller's transaction.
    """
    if not newcomers:
        return 0
    # One at a time per run: chunks are numbered, and a pause or an end waits for us or comes first.
    Run.everything.select_for_update(no_key=True).only("pk").get(pk=run.pk)
    ids = [one.customer_id for one in newcomers]
    own = [run.content["holdout"]] if run.content.get("holdout") else []
    held_out, chance = holdouts.draw(ids, at=now, also=own, is_kept=not run.is_test)
    taking_part = [pk for pk in ids if pk not in held_out]
    drawn = experiments.assign(run.experiment, taking_part, at=now, is_kept=not run.is_test)
    assigned = drawn | dict.fromkeys(held_out, (None, chance))
    control = run.experiment.variants.filter(is_control=True).first()
    written = freeze(
        run,
        assigned=assigned,
        held_out=held_out,
        control_id=control.pk if control else None,
        channel=channels.get(run.content["channel"]),
        topic=run.content["topic"],
        now=now,
        newcomers={one.customer_id: (one.occurrence, one.variables) for one in newcomers},
    )
    Run.everything.filter(pk=run.pk).update(audience_size=F("audience_size") + written)
    return written
