"""Treatment minus control in the normal approximation: difference, base of the ratio, and their errors.

One piece of algebra for means, shares, ratios, covariates and strata: all are functions of averages of
columns, whose errors come from the exact covariances (delta method); covariates are linear corrections.
"""

from dataclasses import dataclass

import numpy as np

from experiments.stats.columns import Array, Columns, linearize, solve
from experiments.stats.strata import Averaged, Stratified, paired_cells
from experiments.stats.sufficient import Mean, Proportion


@dataclass(frozen=True)
class Contrast:
    """`base` is the control's value as measured, without covariates: what a relative lift is a fraction of.

    `spread` is the squared standard error of the difference, `spread_base` that of the base, `covariance`
    theirs together. `raw_spread` is the one without covariates and strata; None where there are none.
    """

    difference: float
    base: float
    spread: float
    spread_base: float
    covariance: float
    degrees: float
    n: int
    raw_spread: float | None = None

    @property
    def variance_reduction(self) -> float | None:
        """The share of the difference's variance that covariates and strata took away; may be negative."""
        return None if not self.raw_spread else 1 - self.spread / self.raw_spread


def contrast(control: Averaged | Stratified, treatment: Averaged | Stratified) -> Contrast:
    """Every side needs more customers than it has covariates, plus two, and denominators other than 0."""
    if isinstance(control, Mean | Proportion) and isinstance(treatment, Mean | Proportion):
        return _of_two(control, treatment)
    if isinstance(control, Stratified) and isinstance(treatment, Stratified):
        cells = paired_cells(control, treatment)
        plain = (control.pooled.columns.outcome, treatment.pooled.columns.outcome)
    else:
        assert not isinstance(control, Stratified)
        assert not isinstance(treatment, Stratified)
        cells = [(control.columns, treatment.columns)]
        plain = (control.columns.outcome, treatment.columns.outcome)
    found = _contrast(cells)
    if len(cells) == 1 and len(cells[0][0].widths) == 1:
        return found
    return Contrast(**{**found.__dict__, "raw_spread": _contrast([plain]).spread})


def _of_two(control: Mean | Proportion, treatment: Mean | Proportion) -> Contrast:
    """The same for two plain averages, which most comparisons are: no matrices, five times as fast."""
    base, other = float(control.value or 0.0), float(treatment.value or 0.0)
    spreads = [float(side.variance or 0.0) / side.n for side in (control, treatment)]
    spread = sum(spreads)
    parts = spreads[0] ** 2 / (control.n - 1) + spreads[1] ** 2 / (treatment.n - 1)
    return Contrast(
        difference=other - base,
        base=base,
        spread=spread,
        spread_base=spreads[0],
        covariance=-spreads[0],
        degrees=spread**2 / parts if parts > 0 else float("inf"),
        n=control.n + treatment.n,
    )


def _contrast(cells: list[tuple[Columns, Columns]]) -> Contrast:
    """Cells are weighted by their share of all customers, which is itself an estimate.

    With a_k the means of cell k and ν_k its share, the variance of Σ ν_k a_k is
    Σ ν_k² Var(a_k) + (Σ ν_k a_k a_k′ − a a′)/N: the second term is the multinomial error of the shares.
    Source: Miratrix, Sekhon and Yu (2013); Cochran (1977), section 5A.9.
    """
    widths = cells[0][0].widths
    sizes = np.array([one.n + other.n for one, other in cells], dtype=float)
    shares = sizes / sizes.sum()
    centers = np.array([np.concatenate([one.means(), other.means()]) for one, other in cells])
    center = shares @ centers
    half = len(center) // 2
    total = ((centers.T * shares) @ centers - np.outer(center, center)) / sizes.sum()
    blocks: list[tuple[slice, Array, int]] = []
    for (one, other), share in zip(cells, shares, strict=True):
        for place, side in ((slice(0, half), one), (slice(half, None), other)):
            block = share**2 * side.covariance() / side.n
            total[place, place] += block
            blocks.append((place, block, side.n - len(widths)))
    values_c, slopes_c = linearize(center[:half], widths)
    values_t, slopes_t = linearize(center[half:], widths)
    # Rows: the difference of the outcome, of every covariate, and last the control's outcome.
    rows = np.vstack([np.hstack([-slopes_c, slopes_t]), np.hstack([slopes_c[0], np.zeros(half)])])
    errors = rows @ total @ rows.T
    # Covariates did not differ but by chance: take away what their difference predicts, with the slopes that
    # make the error smallest. Source: Deng, Xu, Kohavi and Walker (2013), eq. 4.
    theta = solve(errors[1:-1, 1:-1], errors[1:-1, 0])
    weights = np.concatenate([[1.0], -theta, [0.0]])
    spread = float(weights @ errors @ weights)
    gaps = values_t - values_c
    return Contrast(
        difference=float(gaps[0] - theta @ gaps[1:]),
        base=float(values_c[0]),
        spread=max(spread, 0.0),
        spread_base=float(errors[-1, -1]),
        covariance=float(errors[-1] @ weights),
        degrees=_degrees(weights @ rows, blocks, spread),
        n=int(sizes.sum()),
    )


def _degrees(direction: Array, blocks: list[tuple[slice, Array, int]], spread: float) -> float:
    """Satterthwaite (1946): of independent sums of squares added up; Welch's with two of them."""
    parts = 0.0
    for place, block, degrees in blocks:
        weights = direction[place]
        parts += float(weights @ block @ weights) ** 2 / degrees
    return spread**2 / parts if parts > 0 else float("inf")
