"""Which offer of a placement earns most: Thompson sampling with chances that are known."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache, partial
from typing import NamedTuple

import numpy as np
from django.db import connection
from numpy.typing import NDArray
from scipy.special import betainc, betaincinv

from experiments.bandits import uniform_draws, with_floor
from experiments.bandits.best_chance import chances_to_be_best

DAYS = 30
FLOOR = 0.02  # every offer keeps this chance, so that nothing is ever left untried
SEEN, CLICKED = "Message Opened", "Message Clicked"

Floats = NDArray[np.float64]


class Arm(NamedTuple):
    """An offer with the customers who saw it and clicked, and what a click is worth."""

    offer_id: int
    seen: int
    clicked: int
    value: float


def choose(arms: Sequence[Arm], *, seed: str, person: str) -> tuple[list[int], float]:
    """The offers with the drawn one first, the others by falling chance, and the chance of the drawn one.

    The draw is the same for a person as long as the seed is. Every offer keeps a chance of FLOOR.
    """
    if len(arms) == 1:
        return [arms[0].offer_id], 1.0
    floor = min(FLOOR, 1 / (2 * len(arms)))
    chances = with_floor(_chances(tuple(arm[1:] for arm in arms)), floor)
    drawn = int((uniform_draws(seed, [person])[0] >= np.cumsum(chances)[:-1]).sum())
    order = [drawn, *(int(i) for i in np.argsort(-chances, kind="stable") if i != drawn)]
    return [arms[i].offer_id for i in order], float(chances[drawn])


@lru_cache(maxsize=512)
def _chances(arms: tuple[tuple[int, int, float], ...]) -> Floats:
    """The chance of each arm to have the largest value × rate, under Beta(1 + clicked, 1 + not) posteriors.

    Source: Thompson (1933), Biometrika 25. Equal chances when no click is worth anything.
    """
    if not any(value > 0 for *_, value in arms):
        return np.full(len(arms), 1 / len(arms))
    shapes = [(1 + clicked, 1 + max(seen - clicked, 0), max(value, 1e-9)) for seen, clicked, value in arms]
    return chances_to_be_best(
        [partial(_quantile, *shape) for shape in shapes], [partial(_distribution, *shape) for shape in shapes]
    )


def _quantile(a: float, b: float, value: float, u: Floats) -> Floats:
    return np.asarray(value * betaincinv(a, b, u), dtype=np.float64)


def _distribution(a: float, b: float, value: float, x: Floats) -> Floats:
    return np.asarray(betainc(a, b, np.clip(x / value, 0, 1)), dtype=np.float64)


def count_reactions(*, now: datetime) -> int:
    """Writes down how many saw and clicked the offers of placements that learn; how many offers changed."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [SEEN, CLICKED, [SEEN, CLICKED], now - timedelta(days=DAYS)])
        return cursor.rowcount


# Whoever clicked saw it, even if the view was never reported.
_COUNT = """
    WITH reaction AS (
        SELECT customer_id, properties ->> 'offer' AS offer,
            bool_or(name = %s) AS seen, bool_or(name = %s) AS clicked
        FROM events_event
        WHERE name = ANY(%s) AND occurred_at >= %s AND properties ->> 'channel' = 'web'
        GROUP BY 1, 2
    ), counted AS (
        SELECT offer, count(*) FILTER (WHERE seen OR clicked) AS seen,
            count(*) FILTER (WHERE clicked) AS clicked
        FROM reaction GROUP BY 1
    )
    UPDATE onsite_offer AS o SET seen = coalesce(c.seen, 0), clicked = coalesce(c.clicked, 0)
    FROM onsite_offer AS mine
    JOIN onsite_placement AS p ON p.id = mine.placement_id AND p."order" = 'learned'
    LEFT JOIN counted AS c ON c.offer = mine.id::text
    WHERE o.id = mine.id AND mine.status IN ('live', 'paused')
        AND (o.seen, o.clicked) IS DISTINCT FROM (coalesce(c.seen, 0), coalesce(c.clicked, 0))
"""
