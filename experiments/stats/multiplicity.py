"""Many questions at once: p-values that keep the promised error rate over all of them."""

from collections.abc import Sequence

ALIASES = {"bh": "fdr_bh", "by": "fdr_by"}


def adjust(p_values: Sequence[float], method: str = "holm") -> list[float]:
    """Adjusted p-values in the given order; compare each with alpha.

    `method` is "holm" (at most alpha chance of any false claim), "bh" (at most alpha of the claims false),
    "by", or any name statsmodels knows. Raises ValueError for other names or values outside 0..1.
    Source: Holm (1979); Benjamini and Hochberg (1995); Benjamini and Yekutieli (2001).
    """
    if any(not 0 <= value <= 1 for value in p_values):
        raise ValueError("p-values lie between 0 and 1")
    if len(p_values) <= 1:
        return list(p_values)
    # Takes a second to import, and most processes never need it.
    from statsmodels.stats.multitest import multipletests

    return [float(value) for value in multipletests(p_values, method=ALIASES.get(method, method))[1]]
