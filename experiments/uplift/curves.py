"""How well a score sorts customers by their uplift: curves, areas under them, uplift of the best share.

All functions take three arrays of one length: `outcome`, `treated` (1 got the message, 0 did not) and
`score` (larger is to be mailed first). Outcomes may be any numbers; the areas relative to a perfect score
need 0 and 1.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Strategy = Literal["overall", "by_group"]


def ranked(outcome: Floats, treated: Floats, score: Floats) -> tuple[Floats, Floats, Floats]:
    """The three in falling order of the score; customers with equal scores keep the reverse of their order.

    Raises ValueError when lengths differ or one of the two groups is empty.
    """
    if not len(outcome) == len(treated) == len(score):
        raise ValueError("outcome, treated and score must have one length")
    outcome, treated, score = (np.asarray(part, dtype=np.float64) for part in (outcome, treated, score))
    if not ((treated == 0) | (treated == 1)).all() or treated.all() or not treated.any():
        raise ValueError("treated must be 0 and 1, and both must occur")
    order = np.argsort(score, kind="stable")[::-1]
    return outcome[order], treated[order], score[order]


def uplift_curve(outcome: Floats, treated: Floats, score: Floats) -> tuple[Floats, Floats]:
    """Customers mailed, and what that brings: (mean of treated − mean of control) · customers.

    One point per distinct score, and (0, 0). Source: Jaskowski and Jaroszewicz (2012), section 4.2.
    """
    n_t, n_c, sum_t, sum_c = _cumulative(outcome, treated, score)
    total = n_t + n_c
    return _from_zero(total, (_divide(sum_t, n_t) - _divide(sum_c, n_c)) * total)


def qini_curve(outcome: Floats, treated: Floats, score: Floats) -> tuple[Floats, Floats]:
    """Customers mailed, and the incremental outcome among the treated: sum_t − sum_c · n_t / n_c.

    One point per distinct score, and (0, 0). Source: Radcliffe (2007), Direct Marketing Analytics Journal.
    """
    n_t, n_c, sum_t, sum_c = _cumulative(outcome, treated, score)
    return _from_zero(n_t + n_c, sum_t - _divide(sum_c * n_t, n_c))


def uplift_area(outcome: Floats, treated: Floats, score: Floats) -> float:
    """Area between uplift curve and the straight line, as a share of that of a perfect score; random is 0.

    Raises ValueError for outcomes other than 0 and 1.
    """
    _check_binary(outcome)
    more_control_buyers = ((outcome == 1) & (treated == 0)).sum() > ((outcome == 0) & (treated == 1)).sum()
    tie_breaker = outcome if more_control_buyers else treated
    perfect = 2.0 * (outcome == treated) + tie_breaker
    return _share(uplift_curve(outcome, treated, score), uplift_curve(outcome, treated, perfect))


def qini_area(outcome: Floats, treated: Floats, score: Floats) -> float:
    """Area between Qini curve and the straight line, as a share of that of a perfect score; random is 0.

    The perfect score puts the treated who responded first and the untreated who responded last (negative
    effects allowed). Raises ValueError for outcomes other than 0 and 1.
    """
    _check_binary(outcome)
    perfect = outcome * treated - outcome * (1 - treated)
    return _share(qini_curve(outcome, treated, score), qini_curve(outcome, treated, perfect))


def qini_gain(outcome: Floats, treated: Floats, score: Floats) -> float:
    """Area between Qini curve and the straight line, per customer and per treated one: works for revenue too.

    In units of the outcome: what sorting by the score adds, on average over all shares that may be mailed.
    """
    x, y = qini_curve(outcome, treated, score)
    area = float(np.trapezoid(y, x) - x[-1] * y[-1] / 2)
    return area / (float(x[-1]) * float(np.sum(treated)))


def uplift_at(
    outcome: Floats, treated: Floats, score: Floats, *, share: float, strategy: Strategy = "overall"
) -> float:
    """Uplift of the best `share` of customers. Either of all, or of each group by itself ("by_group").

    NaN when a group has nobody there. Raises ValueError for a share outside (0, 1].
    """
    if not 0 < share <= 1:
        raise ValueError("share must lie between 0 and 1")
    outcome, treated, _ = ranked(outcome, treated, score)
    means = []
    for group in (1, 0):
        if strategy == "overall":
            n = int(len(outcome) * share)
            chosen = outcome[:n][treated[:n] == group]
        else:
            own = outcome[treated == group]
            chosen = own[: int(len(own) * share)]
        means.append(float(chosen.mean()) if len(chosen) else float("nan"))
    return means[0] - means[1]


def weighted_average_uplift(outcome: Floats, treated: Floats, score: Floats, *, bins: int = 10) -> float:
    """Uplift within equal slices of the ranking, averaged by their numbers of treated customers."""
    outcome, treated, _ = ranked(outcome, treated, score)
    uplifts, sizes = [], []
    for slice_outcome, slice_treated in zip(
        np.array_split(outcome, bins), np.array_split(treated, bins), strict=True
    ):
        got = slice_treated == 1
        uplifts.append(slice_outcome[got].mean() - slice_outcome[~got].mean())
        sizes.append(got.sum())
    return float(np.average(uplifts, weights=sizes))


def cumulative_gain(outcome: Floats, treated: Floats, score: Floats, *, normalized: bool = True) -> float:
    """Mean height of the uplift curve over customers ("AUUC"), as a share of its last height if normalized.

    One point per customer, ties in the order of `ranked`; 0.5 is about random. Source: Gutierrez and Gérardy
    (2017), equation 9.
    """
    y = _per_customer(outcome, treated, score, kind="uplift")
    return float(np.mean(y) / (abs(y[-1]) if normalized else 1.0))


def cumulative_qini(outcome: Floats, treated: Floats, score: Floats, *, normalized: bool = True) -> float:
    """Mean height of the Qini curve over customers, above the straight line to its end."""
    y = _per_customer(outcome, treated, score, kind="qini")
    height = float(np.mean(y) - y[-1] / 2)
    return height / (abs(float(y[-1])) if normalized else 1.0)


def _per_customer(
    outcome: Floats, treated: Floats, score: Floats, *, kind: Literal["uplift", "qini"]
) -> Floats:
    outcome, treated, _ = ranked(outcome, treated, score)
    n_t, total = np.cumsum(treated), np.arange(1, len(treated) + 1, dtype=np.float64)
    n_c = total - n_t
    sum_t, sum_c = np.cumsum(outcome * treated), np.cumsum(outcome * (1 - treated))
    known = (n_c > 0) & (n_t > 0) if kind == "uplift" else n_c > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        y = sum_t / n_t - sum_c / n_c if kind == "uplift" else sum_t - sum_c * n_t / n_c
    at = np.concatenate([[0.0], total[known]])
    # Before both groups have somebody the curve is drawn as a straight line.
    curve: Floats = np.interp(np.arange(len(total) + 1), at, np.concatenate([[0.0], y[known]]))
    return curve * np.arange(len(total) + 1, dtype=np.float64) if kind == "uplift" else curve


def _cumulative(outcome: Floats, treated: Floats, score: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    outcome, treated, score = ranked(outcome, treated, score)
    last = np.append(np.flatnonzero(np.diff(score)), len(score) - 1)
    n_t = np.cumsum(treated)[last]
    sum_t, sum_c = np.cumsum(outcome * treated)[last], np.cumsum(outcome * (1 - treated))[last]
    return n_t, last + 1 - n_t, sum_t, sum_c


def _from_zero(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    return np.concatenate([[0.0], x]), np.concatenate([[0.0], y])


def _divide(upper: Floats, lower: Floats) -> Floats:
    """0 where nobody is there yet: the curve starts at 0."""
    return np.divide(upper, lower, out=np.zeros_like(upper), where=lower != 0)


def _share(actual: tuple[Floats, Floats], perfect: tuple[Floats, Floats]) -> float:
    baseline = perfect[0][-1] * perfect[1][-1] / 2
    best = np.trapezoid(perfect[1], perfect[0]) - baseline
    return float((np.trapezoid(actual[1], actual[0]) - baseline) / best)


def _check_binary(outcome: Floats) -> None:
    if not np.isin(outcome, (0, 1)).all():
        raise ValueError("this area needs outcomes of 0 and 1; use qini_gain for amounts")
