"""What each arm would bring if everybody got it, from a log whose chances differed: told one against the
other.

Self-normalized weights 1/p of those who got the arm (see `snipw`). Where chances followed earlier outcomes (a
bandit) the estimate stays right, and its normal interval is only roughly so: Hadad et al. (2021), PNAS 118.
"""

import math
from dataclasses import dataclass

import numpy as np

from experiments.off_policy.arm_sums import ArmSums
from experiments.off_policy.evaluation import LEAST_EFFECTIVE
from experiments.off_policy.log import Floats, Log
from experiments.stats.contrast import Contrast


@dataclass(frozen=True)
class ArmValue:
    """`n` decisions took the arm; they are worth `effective` (Kish 1965). `whole` is Σ 1/p over all
    decisions: near 1 when the logged chances are right, with the deviation `whole_error`."""

    n: int
    effective: float
    value: float
    whole: float
    whole_error: float

    @property
    def is_enough(self) -> bool:
        return self.effective >= LEAST_EFFECTIVE


def arm_value(log: Log, arm: int) -> ArmValue | None:
    """None when nobody got the arm."""
    took = log.actions == arm
    if not took.any():
        return None
    sums = ArmSums.of(log.propensities[took], log.rewards[took])
    # Horvitz and Thompson's estimate of the number of decisions, Σw. Its variance Σ(1 − p)/p² = Σw² − Σw as a
    # ratio to the same estimate (Hájek): the unbiased one is small just when the estimate is, and cried wolf
    # twice as often as it said.
    spread = (sums.ww - sums.w) * len(log) / sums.w
    return ArmValue(
        n=sums.n,
        effective=sums.effective,
        value=sums.wy / sums.w,
        whole=sums.w / len(log),
        whole_error=math.sqrt(max(spread, 0.0)) / len(log),
    )


def contrast_arms(log: Log, arm: int, *, base: int) -> Contrast | None:
    """Everybody with `arm` against everybody with `base`; None when one of them has fewer than two decisions
    or nothing varies. The errors are those of the linear parts w·(r − v)/w̄ (Owen 2013, equation 9.9).
    """
    values, parts = [], []
    for one in (base, arm):
        found = arm_value(log, one)
        if found is None or found.n < 2:
            return None
        values.append(found.value)
        parts.append(_linear_part(log, one, found))
    difference = parts[1] - parts[0]
    n = len(log)
    spread = float(np.var(difference, ddof=1)) / n
    if spread <= 0:
        return None
    return Contrast(
        difference=values[1] - values[0],
        base=values[0],
        spread=spread,
        spread_base=float(np.var(parts[0], ddof=1)) / n,
        covariance=float(np.cov(difference, parts[0], ddof=1)[0, 1]) / n,
        degrees=float(n - 2),
        n=n,
    )


def _linear_part(log: Log, arm: int, found: ArmValue) -> Floats:
    weights = np.where(log.actions == arm, 1 / log.propensities, 0.0)
    return np.asarray(weights * (log.rewards - found.value) / found.whole, dtype=np.float64)
