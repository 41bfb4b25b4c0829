"""Both models together: what a customer is worth within a horizon, and how well that held on later data."""

from dataclasses import dataclass

import numpy as np

from personalization.traits.lifetime.bg_nbd import BgNbd, fit_bg_nbd
from personalization.traits.lifetime.gamma_gamma import GammaGamma
from personalization.traits.lifetime.summary import Floats, Ints, Purchases, summarize

MONTH_DAYS = 30.4375
BINS = 10


def lifetime_value(
    purchases: Purchases, *, timing: BgNbd, worth: GammaGamma, months: int, monthly_discount: float
) -> Floats:
    """Expected value of the purchases of the next `months`, each month's discounted to today; NaN where the
    worth of a purchase cannot be told. `timing` in days."""
    history = (purchases.frequency, purchases.recency, purchases.age)
    total, before = np.zeros(len(purchases.customers)), np.zeros(len(purchases.customers))
    for month in range(1, months + 1):
        until = timing.expected(*history, horizon=month * MONTH_DAYS)
        total += (until - before) / (1 + monthly_discount) ** month
        before = until
    return total * worth.mean(purchases.frequency, purchases.value)


@dataclass(frozen=True)
class Calibration:
    """How a forecast made at a split held on the time after it.

    `brier` mean squared error of the chance of silence, `brier_base` that of giving everybody the same share;
    `gap` mean absolute difference of chance and share over ten groups of equal size; `expected` and `bought`
    purchases in all. `groups`: (mean chance, share that was silent, customers).
    """

    customers: int
    horizon_days: int
    brier: float
    brier_base: float
    gap: float
    expected: float
    bought: float
    groups: tuple[tuple[float, float, int], ...]


def check_forecast(customers: Ints, days: Ints, values: Floats, *, split: int, until: int) -> Calibration:
    """Fits on purchases up to the day `split`, and compares with what happened until `until`.

    Raises TooLittleData.
    """
    known = summarize(customers, days, values, until=split)
    timing = fit_bg_nbd(known.frequency, known.recency, known.age)
    history = (known.frequency, known.recency, known.age)
    horizon = until - split
    chance = timing.silent(*history, horizon=horizon)
    later = (days > split) & (days <= until)
    pairs = np.unique(np.stack([customers[later], days[later]], axis=1), axis=0)
    bought = np.zeros(len(known.customers))
    row = np.minimum(np.searchsorted(known.customers, pairs[:, 0]), len(known.customers) - 1)
    np.add.at(bought, row[known.customers[row] == pairs[:, 0]], 1)
    silent = (bought == 0).astype(np.float64)
    groups = _groups(chance, silent)
    return Calibration(
        customers=len(silent),
        horizon_days=horizon,
        brier=float(np.mean((chance - silent) ** 2)),
        brier_base=float(np.mean((silent.mean() - silent) ** 2)),
        gap=float(np.average([abs(c - s) for c, s, _ in groups], weights=[n for _, _, n in groups])),
        expected=float(timing.expected(*history, horizon=horizon).sum()),
        bought=float(bought.sum()),
        groups=groups,
    )


def _groups(chance: Floats, silent: Floats) -> tuple[tuple[float, float, int], ...]:
    order = np.argsort(chance, kind="stable")
    parts = [part for part in np.array_split(order, BINS) if len(part)]
    return tuple((float(chance[p].mean()), float(silent[p].mean()), len(p)) for p in parts)
