"""What a customer will still spend: BG/NBD for how often, Gamma-Gamma for how much."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from personalization.traits.kind import TraitKind, Values
from personalization.traits.kinds._aggregate import plain_number
from personalization.traits.kinds._purchases import day_of, learn_timing, read_days, read_purchases, timing_of
from personalization.traits.lifetime.forecast import MONTH_DAYS, lifetime_value
from personalization.traits.lifetime.gamma_gamma import GammaGamma, fit_gamma_gamma
from personalization.traits.lifetime.summary import summarize
from personalization.traits.models import TraitDefinition

DEFAULT_DAYS = 365
MONTHLY_DISCOUNT = 0.01


class LifetimeValue(TraitKind):
    name = "lifetime_value"
    label = gettext_lazy("Customer lifetime value")
    learns = True
    is_daily = True

    def formula(self, definition: TraitDefinition) -> str:
        words = _(
            "expected number of events “%(event)s” in the next %(days)s days (BG/NBD) × expected value of "
            "one (Gamma-Gamma: p(γ + x·mean)/(p·x + q − 1)), discounted by 1 %% a month"
        ) % {"event": definition.event, "days": definition.window_days or DEFAULT_DAYS}
        worth = definition.state.get("worth")
        if not worth:
            return words
        return f"{words}; p={worth['p']:.3g}, q={worth['q']:.3g}, γ={worth['gamma']:.3g}"

    def boundaries(self, definition: TraitDefinition) -> tuple[int, ...]:
        return ()

    def learn(self, definition: TraitDefinition, *, now: datetime) -> dict[str, Any]:
        days = read_days(definition, None, now=now)
        horizon = definition.window_days or DEFAULT_DAYS
        state = learn_timing(definition, days, now=now, horizon_days=horizon)
        known = summarize(*days, until=day_of(now))
        worth = fit_gamma_gamma(known.frequency, known.value)
        return {**state, "worth": {"p": worth.p, "q": worth.q, "gamma": worth.gamma}}

    def compute(self, definition: TraitDefinition, customer_ids: Sequence[int], *, now: datetime) -> Values:
        known = read_purchases(definition, customer_ids, now=now)
        values = lifetime_value(
            known, timing=timing_of(definition), worth=GammaGamma(**definition.state["worth"]),
            months=max(round((definition.window_days or DEFAULT_DAYS) / MONTH_DAYS), 1),
            monthly_discount=MONTHLY_DISCOUNT,
        )  # fmt: skip
        pairs = zip(known.customers, values, strict=True)
        return {int(pk): plain_number(value) for pk, value in pairs if np.isfinite(value)}
