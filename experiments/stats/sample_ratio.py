"""Were customers divided as planned? If not, something else than chance decided: trust no effect."""

from collections.abc import Sequence
from dataclasses import dataclass

from scipy.special import chdtrc

THRESHOLD = 0.001


@dataclass(frozen=True)
class SampleRatio:
    """`expected` are customers per group. `mismatch` is p below 0.001: rare enough not to cry wolf."""

    observed: tuple[int, ...]
    expected: tuple[float, ...]
    chi_square: float
    p_value: float
    mismatch: bool


def sample_ratio(observed: Sequence[int], weights: Sequence[float]) -> SampleRatio | None:
    """Pearson's chi-square of the group sizes against the weights, which need not add up to 1.

    None without customers, or with fewer than two groups that should have any. Somebody in a group of weight
    0 is a mismatch with p = 0. Raises ValueError for negative numbers or different lengths.
    Source: Pearson (1900); the threshold: Fabijan et al. (2019).
    """
    if len(observed) != len(weights):
        raise ValueError("one weight for each group")
    if any(number < 0 for number in (*observed, *weights)):
        raise ValueError("counts and weights must not be negative")
    total, groups = sum(observed), sum(weight > 0 for weight in weights)
    if total == 0 or groups < 2:
        return None
    expected = tuple(total * weight / sum(weights) for weight in weights)
    pairs = list(zip(observed, expected, strict=True))
    if any(seen and not due for seen, due in pairs):
        return SampleRatio(tuple(observed), expected, float("inf"), 0.0, True)
    chi_square = sum((seen - due) ** 2 / due for seen, due in pairs if due)
    p_value = float(chdtrc(groups - 1, chi_square))
    return SampleRatio(tuple(observed), expected, chi_square, p_value, p_value < THRESHOLD)
