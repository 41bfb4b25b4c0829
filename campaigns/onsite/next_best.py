"""The next best action: among the offers of one list, the one that earns this customer most beyond nothing.

What an offer earned beyond nothing is the difference between those who were given it and its own control, in
the list's metric; its sums stand in the offer's row. Doing nothing competes too. A list that tells customers
apart goes by what the offer earns from customers like this one, once there is enough to say so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import numpy as np

from campaigns.onsite.models import Offer, OfferStatus, Order
from campaigns.onsite.tailoring import Reason, load_seen, sums_of
from experiments.bandits import uniform_draws
from experiments.bandits.best_chance import Floats
from experiments.bandits.incremental import Gain, incremental_chances
from experiments.bandits.linear_incremental import LocalGain
from experiments.errors import NotPossible
from experiments.models import Direction
from experiments.stats import Mean
from experiments.sums.outcomes import load_outcomes

FLOOR = 0.02  # every offer and doing nothing keep this chance: nothing is ever left untried
MEASURED, TAILORED, UNKNOWN = "measured", "measured_on_alike", "no_evidence_yet"


@dataclass(frozen=True)
class Ranked:
    """`value` is what the offer earns per customer beyond nothing, `low` to `high` its 95 % interval; None
    while there is no evidence (`basis` UNKNOWN), and then it is explored. `chance`: of being chosen here.
    `because`: of a value for customers like this one (TAILORED), what adds most to it.
    """

    offer_id: int
    basis: str
    value: float | None
    low: float | None
    high: float | None
    customers: int
    chance: float
    because: tuple[Reason, ...] = ()

    @property
    def percent(self) -> int:
        return round(100 * self.chance)


def rank(
    gains: Mapping[int, Gain | LocalGain | None], *, seed: str, person: str
) -> tuple[int | None, float, list[Ranked]]:
    """The drawn offer (None: do nothing), its chance, and all offers with the most valuable first.

    The draw is the same for a person as long as the seed is.
    """
    chances = _chances(tuple(gains.values()))
    drawn = int((uniform_draws(seed, [person])[0] >= np.cumsum(chances)[:-1]).sum())
    pk = list(gains)[drawn] if drawn < len(gains) else None
    ranked = [
        _ranked(pk, gain, float(chance)) for (pk, gain), chance in zip(gains.items(), chances, strict=False)
    ]
    ranked.sort(key=lambda one: (one.value is None, -(one.value or 0.0), one.offer_id))
    return pk, float(chances[drawn]), ranked


@lru_cache(maxsize=4096)
def _chances(gains: tuple[Gain | LocalGain | None, ...]) -> Floats:
    """Some milliseconds, and the same until the sums change."""
    return incremental_chances(gains, floor=FLOOR)


def _ranked(pk: int, gain: Gain | LocalGain | None, chance: float) -> Ranked:
    if isinstance(gain, LocalGain):
        return Ranked(pk, TAILORED, gain.value, *gain.interval, gain.customers, chance)
    effect = gain.effect if gain is not None else None
    customers = gain.customers if gain is not None else 0
    if effect is None:
        return Ranked(pk, UNKNOWN, None, None, None, customers, chance)
    low, high = effect.absolute_ci
    return Ranked(pk, MEASURED, effect.absolute, low, high, customers, chance)


def gain_of(offer: Offer) -> Gain | None:
    """From the sums in its row; None before the first were written."""
    sums = offer.outcomes
    return Gain(Mean(*sums["treated"]), Mean(*sums["control"])) if sums else None


def measure_gains(*, now: datetime) -> int:
    """Writes down what the offers of such lists earned, by customers whose window has closed; how many
    offers changed.
    """
    offers = Offer.objects.filter(
        placement__order=Order.INCREMENTAL, placement__metric__isnull=False, experiment__isnull=False,
        status__in=(OfferStatus.LIVE, OfferStatus.PAUSED),
    ).select_related("placement__metric", "experiment")  # fmt: skip
    changed = 0
    for offer in offers:
        if (sums := _sums(offer, now=now)) != offer.outcomes:
            changed += Offer.objects.filter(pk=offer.pk).update(outcomes=sums)
    return changed


def _sums(offer: Offer, *, now: datetime) -> dict[str, Any]:
    metric, experiment = offer.placement.metric, offer.experiment
    assert metric is not None and experiment is not None
    try:
        found = load_outcomes(experiment, metric, as_of=now)
    except NotPossible:  # nobody yet, or nobody whose window has closed
        return {}
    values = -found.values if metric.direction == Direction.DOWN else found.values
    controls = list(experiment.variants.filter(is_control=True).values_list("pk", flat=True))
    is_control = np.isin(found.variant_ids, controls)
    sums: dict[str, Any] = {"treated": _sum(values[~is_control]), "control": _sum(values[is_control])}
    if offer.placement.tells_apart:
        seen = load_seen(experiment)
        known = np.array([pk in seen for pk in found.customer_ids.tolist()], dtype=bool)
        rows = [seen[pk] for pk in found.customer_ids[known].tolist()]
        sums["seen_as"] = sums_of(rows, values[known], is_control[known])
    return sums


def _sum(values: Floats) -> list[float]:
    return [len(values), float(values.sum()), float((values**2).sum())]
