"""Many questions at once: p-values and intervals that keep the promised error rate over all of them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from experiments.stats.comparison import Effect, Method, compare
from experiments.stats.kinds import Statistic
from experiments.stats.outcome import Alternative

ALIASES = {"bh": "fdr_bh", "by": "fdr_by"}


def adjust(p_values: Sequence[float], method: str = "holm") -> list[float]:
    """Adjusted p-values in the given order; compare each with alpha.

    `method` is "holm" (at most alpha chance of any false claim), "bh" (at most alpha of the claims false),
    "by", "bonferroni", "hommel", or any name statsmodels knows. Raises ValueError for other names or values
    outside 0..1.
    Source: Holm (1979); Benjamini and Hochberg (1995); Benjamini and Yekutieli (2001); Hommel (1988).
    """
    if any(not 0 <= value <= 1 for value in p_values):
        raise ValueError("p-values lie between 0 and 1")
    if len(p_values) <= 1:
        return list(p_values)
    if method == "holm":
        return _holm(p_values)
    # Takes a second to import, and most processes never need it.
    from statsmodels.stats.multitest import multipletests

    return [float(value) for value in multipletests(p_values, method=ALIASES.get(method, method))[1]]


def _holm(p_values: Sequence[float]) -> list[float]:
    """By hand: statsmodels collects the garbage of the whole process at each call."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    adjusted, most = list(p_values), 0.0
    for rank, index in enumerate(order):
        most = max(most, min(1.0, (len(order) - rank) * p_values[index]))
        adjusted[index] = most
    return adjusted


@dataclass(frozen=True)
class Joint:
    """One of several effects. `plain` holds alone, `p_value` and the intervals of `wide` for all together.

    `wide` excludes 0 exactly when `p_value` < alpha. None where no interval goes with the method: show the
    p-value alone then, never the plain interval beside it.
    """

    plain: Effect
    p_value: float
    wide: Effect | None


def simultaneous(
    pairs: Sequence[tuple[Statistic, Statistic]],
    *,
    method: str = "bonferroni",
    alpha: float = 0.05,
    alternative: Alternative = "two-sided",
    compare_method: Method = "fixed",
    **options: Any,
) -> list[Joint | None]:
    """Of several comparisons (control, treatment), in the given order; None where there is no effect.

    Intervals exist for "bonferroni" and "sidak"; for "bh" and "by" (of the claimed effects' intervals at most
    alpha are false); for "holm" one-sided only, where a claim's interval begins at 0 (itself excluded) unless
    all are claimed. `compare_method` and `options` go to `compare`.
    Source: Dunn (1961); Šidák (1967); Benjamini and Yekutieli (2005); Strassburger and Bretz (2008).
    """
    # Tuned for the level of the family: otherwise p-values and the wider intervals would speak of two rules.
    if compare_method == "always_valid":
        options.setdefault("tuned_alpha", alpha)

    options |= {"alternative": alternative, "method": compare_method}
    plain = [compare(control, treatment, alpha=alpha, **options) for control, treatment in pairs]
    tested = [(index, effect) for index, effect in enumerate(plain) if effect is not None]
    adjusted = adjust([effect.p_value for _, effect in tested], method)
    claims = sum(p_value < alpha for p_value in adjusted)
    level = _level(method, alpha, len(tested), claims, alternative)
    found: list[Joint | None] = [None] * len(pairs)
    for (index, effect), p_value in zip(tested, adjusted, strict=True):
        wide = None if level is None else compare(*pairs[index], alpha=level, **options)
        if wide is not None and method == "holm" and len(tested) > 1 and p_value < alpha:
            wide = _clipped(wide, alternative, informative=claims == len(tested))
        found[index] = Joint(effect, p_value, wide)
    return found


def _level(method: str, alpha: float, tests: int, claims: int, alternative: Alternative) -> float | None:
    """Of each single interval; None where intervals do not exist."""
    if tests <= 1:
        return alpha
    if method == "bonferroni":
        return alpha / tests
    if method == "sidak":
        return -math.expm1(math.log1p(-alpha) / tests)
    if method in ("bh", "fdr_bh"):
        return max(claims, 1) * alpha / tests
    if method in ("by", "fdr_by"):
        return max(claims, 1) * alpha / tests / sum(1 / rank for rank in range(1, tests + 1))
    if method == "holm" and alternative != "two-sided":
        return alpha / (tests if claims == tests else tests - claims)
    return None


def _clipped(effect: Effect, alternative: Alternative, *, informative: bool) -> Effect:
    """A claimed effect's interval begins at 0; where it would begin itself only if all are claimed."""

    def clip(bounds: tuple[float | None, float | None]) -> tuple[float | None, float | None]:
        low, high = bounds
        if alternative == "greater":
            return (max(low or 0.0, 0.0) if informative else 0.0, None)
        return (None, min(high or 0.0, 0.0) if informative else 0.0)

    relative = None if effect.relative_ci is None else clip(effect.relative_ci)
    return replace(effect, absolute_ci=clip(effect.absolute_ci), relative_ci=relative)
