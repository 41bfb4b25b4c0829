"""RFM: quintiles of recency, frequency and money, as a class with a name."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
from django.db.models import Count, Max, Sum
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from personalization.traits.kind import TraitKind, Values, in_words, read_events
from personalization.traits.lifetime import TooLittleData
from personalization.traits.models import TraitDefinition

LEAST_CUSTOMERS = 50
SHARES = (0.2, 0.4, 0.6, 0.8)


class RfmClass(TraitKind):
    name = "rfm"
    label = gettext_lazy("RFM class")
    value_type = "text"
    learns = True
    relearn_days = 1
    is_daily = True

    def formula(self, definition: TraitDefinition) -> str:
        words = _(
            "quintiles (1 to 5, 5 is best) of days since the last, number and sum of events %(events)s, then "
            "the class: champions R≥4 F≥4, loyal R=3 F≥4, cannot_lose R≤2 F≥4, promising R≥4 F=2–3, new R≥4 "
            "F=1, needs_attention R=3, at_risk R≤2 F=3, big_spender_lapsed R≤2 M=5, hibernating otherwise"
        ) % {"events": in_words(definition)}
        bounds = definition.state.get("bounds")
        return f"{words}. {_describe(bounds)}" if bounds else words

    def learn(self, definition: TraitDefinition, *, now: datetime) -> dict[str, Any]:
        rows = list(_measures(definition, None, now=now).values())
        if len(rows) < LEAST_CUSTOMERS:
            raise TooLittleData
        table = np.array(rows)
        bounds = np.quantile(table, SHARES, axis=0)
        names = ("recency", "frequency", "money")
        return {"bounds": {name: bounds[:, at].round(2).tolist() for at, name in enumerate(names)}}

    def compute(self, definition: TraitDefinition, customer_ids: Sequence[int], *, now: datetime) -> Values:
        bounds = definition.state["bounds"]
        found = _measures(definition, customer_ids, now=now)
        return {pk: rfm_class(*rfm_scores(measures, bounds)) for pk, measures in found.items()}


def _measures(
    definition: TraitDefinition, customer_ids: Sequence[int] | None, *, now: datetime
) -> dict[int, tuple[float, float, float]]:
    """Days since the last event, number of events and sum of their values."""
    rows = read_events(definition, customer_ids, now=now).values("customer_id")
    rows = rows.annotate(last=Max("occurred_at"), n=Count("message_key"), total=Sum("value"))
    return {
        pk: ((now - last).total_seconds() / 86400, float(n), float(total or 0))
        for pk, last, n, total in rows.values_list("customer_id", "last", "n", "total").iterator()
    }


def rfm_scores(
    measures: tuple[float, float, float], bounds: Mapping[str, Sequence[float]]
) -> tuple[int, int, int]:
    """Each 1 to 5, 5 is best; of recency the smallest is best."""
    days, number, money = measures
    recency = 5 - sum(days > bound for bound in bounds["recency"])
    frequency = 1 + sum(number > bound for bound in bounds["frequency"])
    return recency, frequency, 1 + sum(money > bound for bound in bounds["money"])


def rfm_class(recency: int, frequency: int, money: int) -> str:
    """The name; every combination has one."""
    if frequency >= 4:
        return "champions" if recency >= 4 else "loyal" if recency == 3 else "cannot_lose"
    if recency >= 4:
        return "promising" if frequency >= 2 else "new"
    if recency == 3:
        return "needs_attention"
    if frequency == 3:
        return "at_risk"
    return "big_spender_lapsed" if money == 5 else "hibernating"


def _describe(bounds: Mapping[str, Sequence[float]]) -> str:
    def join(name: str) -> str:
        return " / ".join(f"{bound:g}" for bound in bounds[name])

    return _("Bounds now: days %(recency)s; number %(frequency)s; sum %(money)s.") % {
        "recency": join("recency"), "frequency": join("frequency"), "money": join("money"),
    }  # fmt: skip
