"""How likely it is that a customer buys nothing for a while: a forecast with a check on later data."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from personalization.traits.kind import TraitKind, Values
from personalization.traits.kinds._purchases import learn_timing, read_days, read_purchases, timing_of
from personalization.traits.models import TraitDefinition

DEFAULT_DAYS = 90


class ChurnProbability(TraitKind):
    name = "churn"
    label = gettext_lazy("Churn probability")
    learns = True
    is_daily = True

    def formula(self, definition: TraitDefinition) -> str:
        words = _(
            "chance of no event “%(event)s” in the next %(days)s days by BG/NBD (Fader, Hardie, Lee 2005): "
            "1 − P(alive)·(1 − ((α+T)/(α+T+h))^(r+x)), with x repeat days, T days since the first"
        ) % {"event": definition.event, "days": definition.window_days or DEFAULT_DAYS}
        timing = definition.state.get("timing")
        if not timing:
            return words
        return (
            f"{words}; r={timing['r']:.3g}, α={timing['alpha']:.3g}, a={timing['a']:.3g}, b={timing['b']:.3g}"
        )

    def boundaries(self, definition: TraitDefinition) -> tuple[int, ...]:
        return ()

    def learn(self, definition: TraitDefinition, *, now: datetime) -> dict[str, Any]:
        horizon = definition.window_days or DEFAULT_DAYS
        return learn_timing(definition, read_days(definition, None, now=now), now=now, horizon_days=horizon)

    def compute(self, definition: TraitDefinition, customer_ids: Sequence[int], *, now: datetime) -> Values:
        known = read_purchases(definition, customer_ids, now=now)
        chances = timing_of(definition).silent(
            known.frequency, known.recency, known.age, horizon=definition.window_days or DEFAULT_DAYS
        )
        return {int(pk): round(float(chance), 2) for pk, chance in zip(known.customers, chances, strict=True)}
