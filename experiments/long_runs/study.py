"""Asking for what everything together earned against a holdout, and making it."""

from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from experiments.errors import NotPossible
from experiments.long_runs.long_run import Amount, LongRun, cumulate
from experiments.long_runs.sums import holdout_weeks
from experiments.models import Holdout, LongRunStudy
from personalization.access.jobs.row import JobStatus
from personalization.access.jobs.work import Tell
from personalization.access.services import audit


def ask_for_long_run(
    holdout: Holdout, *, cost: float, margin: float, event: str, now: datetime, actor: str
) -> LongRunStudy:
    """`cost` of one message and `margin`, the share of revenue that is left. Raises NotPossible."""
    if cost < 0 or not 0 < margin <= 1:
        raise NotPossible(_("The cost is not negative, and the margin lies above 0 and up to 1."))
    kept = LongRunStudy.objects.create(
        holdout=holdout, as_of=now, status=JobStatus.QUEUED,
        wishes={"cost": cost, "margin": margin, "event": event},
    )  # fmt: skip
    audit(actor, "long_run.asked", f"holdout:{holdout.key}", study=kept.pk)
    return kept


def make_long_run(kept: LongRunStudy, tell: Tell) -> dict[str, Any]:
    """The worker's part; answers the fields of the row. Raises NotPossible, Stopped."""
    wishes = kept.wishes
    try:
        weeks = holdout_weeks(
            kept.holdout, until=kept.as_of, event=wishes["event"],
            cost_per_message=Decimal(str(wishes["cost"])), tell=tell,
        )  # fmt: skip
    except ValueError:
        raise NotPossible(_("Nothing has passed since the members were drawn.")) from None
    return {"weeks": [_document(entry) for entry in cumulate(weeks, margin=wishes["margin"])]}


def long_run_sentence(kept: LongRunStudy) -> str:
    """What the newest week says, no more surely than its interval; empty before it is made."""
    if not kept.weeks:
        return ""
    last = kept.weeks[-1]
    profit = last["profit"]
    if profit is None:
        return _("What all messages earned together cannot be computed yet: too few customers bought.")
    facts = {
        "value": f"{profit['value']:+,.0f}", "low": _bound(profit["ci"][0]), "high": _bound(profit["ci"][1]),
        "messages": f"{last['messages']:,}",
    }  # fmt: skip
    low, high = profit["ci"]
    if low is not None and low > 0:
        text = _(
            "%(messages)s messages earned %(value)s in all, after what they cost (95 %% interval %(low)s "
            "to %(high)s)."
        )
    elif high is not None and high < 0:
        text = _(
            "%(messages)s messages lost %(value)s in all, with what they cost (95 %% interval %(low)s to "
            "%(high)s)."
        )
    else:
        text = _(
            "We cannot tell whether %(messages)s messages earned anything in all: between %(low)s and "
            "%(high)s (95 %% interval, best estimate %(value)s)."
        )
    return text % facts


def _document(entry: LongRun) -> dict[str, Any]:
    return {
        "until_week": entry.until_week,
        "effect": entry.effect and asdict(entry.effect) | {"notes": [n.value for n in entry.effect.notes]},
        "revenue": _amount(entry.revenue),
        "profit": _amount(entry.profit),
        "revenue_per_thousand": _amount(entry.revenue_per_thousand),
        "profit_per_thousand": _amount(entry.profit_per_thousand),
        "customers": entry.customers,
        "held_out": entry.held_out,
        "messages": entry.messages,
        "cost": entry.cost,
        "sums": [
            {"n": one.n, "sum": float(one.sum), "sum_squares": float(one.sum_squares)} for one in entry.sums
        ],
    }


def _amount(amount: Amount | None) -> dict[str, Any] | None:
    return None if amount is None else {"value": amount.value, "ci": list(amount.ci)}


def _bound(value: float | None) -> str:
    return "…" if value is None else f"{value:+,.0f}"
