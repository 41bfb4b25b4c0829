"""Self-normalized weighting: a little bias for much less variance."""

from experiments.off_policy.estimate import Estimate, mean_of
from experiments.off_policy.log import Floats


def snipw(rewards: Floats, weights: Floats, *, alpha: float = 0.05) -> Estimate:
    """v = Σ w·r / Σ w. Source: Swaminathan and Joachims (2015), NIPS.

    The interval is that of the ratio's linear part, v + w·(r − v)/w̄ per decision (delta method; Owen 2013,
    equation 9.9). Raises ValueError when all weights are 0.
    """
    total = float(weights.sum())
    if total <= 0:
        raise ValueError("the new policy would have done nothing of what was done")
    value = float((weights * rewards).sum()) / total
    return mean_of(value + weights * (rewards - value) / (total / len(weights)), rewards, alpha=alpha)
