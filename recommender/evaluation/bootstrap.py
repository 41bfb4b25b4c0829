"""Intervals by resampling users: the users are the sample, everything else is given."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]
BLOCK_CELLS = 4_000_000


@dataclass(frozen=True)
class Estimate:
    """A metric and the bounds of its interval, all fractions; bounds None with fewer than two users."""

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class PairedDifference:
    """Mean of a − b over the same users; bounds None with fewer than two users."""

    difference: float
    low: float | None
    high: float | None
    n_users: int

    @property
    def is_above_zero(self) -> bool:
        return self.low is not None and self.low > 0


def mean_interval(
    values: Values, *, resamples: int = 1000, confidence: float = 0.95, seed: int = 0
) -> Estimate | None:
    """Mean and percentile interval; None without values. Source: Efron (1979)."""
    if not len(values):
        return None
    if len(values) < 2:
        return Estimate(float(values[0]), None, None)
    low, high = _percentiles(values, resamples=resamples, confidence=confidence, seed=seed)
    return Estimate(float(values.mean()), low, high)


def paired_bootstrap(
    a: Values, b: Values, *, resamples: int = 2000, confidence: float = 0.95, seed: int = 0
) -> PairedDifference | None:
    """Is a better than b? Both hold one value per user, in the same order; None without users.

    Pairing takes out what is easy or hard about each user: here worth a test set about seven times larger.
    """
    if a.shape != b.shape:
        raise ValueError(f"not the same users: {a.shape} and {b.shape}")
    estimate = mean_interval(a - b, resamples=resamples, confidence=confidence, seed=seed)
    if estimate is None:
        return None
    return PairedDifference(estimate.value, estimate.low, estimate.high, len(a))


def normal_interval(
    statistic: Callable[[npt.NDArray[np.int64]], float],
    n_users: int,
    *,
    resamples: int = 200,
    confidence: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """For figures that are no mean: value ± z × the standard deviation over resampled users, within 0 and
    1.

    A percentile interval would be wrong for coverage: a resample has fewer different users, hence fewer
    different items, and lies below the value itself.
    """
    from scipy.stats import norm

    everyone = np.arange(n_users)
    value = statistic(everyone)
    if n_users < 2:
        return Estimate(value, None, None)
    random = np.random.default_rng(seed)
    drawn = [statistic(random.integers(0, n_users, n_users)) for _ in range(resamples)]
    half = float(norm.ppf(0.5 + confidence / 2)) * float(np.std(drawn, ddof=1))
    return Estimate(value, max(value - half, 0.0), min(value + half, 1.0))


def _percentiles(values: Values, *, resamples: int, confidence: float, seed: int) -> tuple[float, float]:
    if not 0 < confidence < 1:
        raise ValueError(f"confidence lies between 0 and 1, is {confidence}")
    means = np.concatenate(list(_means(values, resamples=resamples, seed=seed)))
    tail = (1 - confidence) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return float(low), float(high)


def _means(values: Values, *, resamples: int, seed: int) -> Iterator[Values]:
    """Means of resamples, in blocks that keep memory flat."""
    random = np.random.default_rng(seed)
    step = max(1, BLOCK_CELLS // len(values))
    for start in range(0, resamples, step):
        size = (min(step, resamples - start), len(values))
        yield values[random.integers(0, len(values), size)].mean(axis=1)
