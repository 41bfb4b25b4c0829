"""From purchases to what the models are fitted on: one row per customer."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Purchases:
    """`customers` int64[customers], ascending; `frequency` repeat purchase days; `recency` from the first to
    the last purchase and `age` from the first to now, in days; `value` mean of the repeat days, 0 without."""

    customers: Ints
    frequency: Floats
    recency: Floats
    age: Floats
    value: Floats


def summarize(customers: Ints, days: Ints, values: Floats, *, until: int) -> Purchases:
    """One row for each customer with a purchase on or before the day `until`; several on a day are one.

    `customers`, `days` (days since any fixed day) and `values` have one entry per purchase, in any order.
    """
    seen = days <= until
    customers, days, values = customers[seen], days[seen], values[seen]
    order = np.lexsort((days, customers))
    customers, days, values = customers[order], days[order], values[order]
    starts = np.flatnonzero(np.r_[True, (np.diff(customers) != 0) | (np.diff(days) != 0)][: len(customers)])
    spent = np.add.reduceat(values, starts) if len(starts) else np.empty(0)
    customers, days = customers[starts], days[starts]
    ids, first, count = np.unique(customers, return_index=True, return_counts=True)
    last = first + count - 1
    totals = np.add.reduceat(spent, first) if len(first) else np.empty(0)
    frequency = (count - 1).astype(np.float64)
    repeated = totals - spent[first] if len(first) else np.empty(0)
    value = np.divide(repeated, frequency, out=np.zeros(len(ids)), where=frequency > 0)
    return Purchases(
        ids.astype(np.int64),
        frequency,
        (days[last] - days[first]).astype(np.float64),
        (until - days[first]).astype(np.float64),
        value,
    )
