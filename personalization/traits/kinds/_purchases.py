"""Purchases as the models of `lifetime` take them, read from events."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
from django.db.models import FloatField, IntegerField, Sum
from django.db.models.expressions import RawSQL
from django.db.models.functions import Cast

from personalization.traits.kind import read_events
from personalization.traits.lifetime import TooLittleData
from personalization.traits.lifetime.bg_nbd import BgNbd, fit_bg_nbd
from personalization.traits.lifetime.forecast import Calibration, check_forecast
from personalization.traits.lifetime.summary import Floats, Ints, Purchases, summarize
from personalization.traits.models import TraitDefinition

DAY_SECONDS = 86400
# So much of the time is kept back to see whether a forecast holds, at most the horizon itself.
HELD_OUT_SHARE = 0.3
LEAST_HELD_OUT_DAYS = 14


def day_of(now: datetime) -> int:
    return int(now.timestamp()) // DAY_SECONDS


def read_days(
    definition: TraitDefinition, customer_ids: Sequence[int] | None, *, now: datetime
) -> tuple[Ints, Ints, Floats]:
    """Customer, day since 1970 and value of each purchase day. The window is the horizon, so all are read."""
    whole = TraitDefinition(event=definition.event, filter=definition.filter)
    day = Cast(RawSQL("floor(extract(epoch FROM occurred_at) / 86400)", []), IntegerField())
    rows = (
        read_events(whole, customer_ids, now=now)
        .annotate(day=day)
        .values("customer_id", "day")
        .annotate(total=Cast(Sum("value"), FloatField()))
        .values_list("customer_id", "day", "total")
    )
    kinds = [("customer", "i8"), ("day", "i8"), ("value", "f8")]
    found = np.array([(pk, at, total or 0.0) for pk, at, total in rows.iterator(50_000)], dtype=kinds)
    return found["customer"], found["day"], found["value"]


def read_purchases(definition: TraitDefinition, customer_ids: Sequence[int], *, now: datetime) -> Purchases:
    return summarize(*read_days(definition, customer_ids, now=now), until=day_of(now))


def learn_timing(
    definition: TraitDefinition, days: tuple[Ints, Ints, Floats], *, now: datetime, horizon_days: int
) -> dict[str, Any]:
    """The parameters of BG/NBD in days, and how a forecast held on the newest part of the data.

    Raises TooLittleData.
    """
    if not len(days[0]):
        raise TooLittleData
    known = summarize(*days, until=day_of(now))
    timing = fit_bg_nbd(known.frequency, known.recency, known.age)
    first, last = int(days[1].min()), int(days[1].max())
    kept_back = min(horizon_days, int((last - first) * HELD_OUT_SHARE))
    checked = None
    if kept_back >= LEAST_HELD_OUT_DAYS:
        try:
            checked = check_forecast(*days, split=last - kept_back, until=last)
        except TooLittleData:
            checked = None
    return {
        "timing": {"r": timing.r, "alpha": timing.alpha, "a": timing.a, "b": timing.b},
        "customers": len(known.customers),
        "checked": _as_json(checked) if checked else None,
    }


def timing_of(definition: TraitDefinition) -> BgNbd:
    return BgNbd(**definition.state["timing"])


def _as_json(checked: Calibration) -> dict[str, Any]:
    return {
        "customers": checked.customers, "horizon_days": checked.horizon_days,
        "brier": round(checked.brier, 4), "brier_base": round(checked.brier_base, 4),
        "gap": round(checked.gap, 4), "expected": round(checked.expected, 1), "bought": checked.bought,
        "groups": [[round(chance, 3), round(share, 3), number] for chance, share, number in checked.groups],
    }  # fmt: skip
