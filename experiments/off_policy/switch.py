"""Switch: doubly robust where weights are moderate, the model alone where they are not."""

import numpy as np

from experiments.off_policy.estimate import Estimate, mean_of
from experiments.off_policy.log import Floats, Log, Policy, taken


def switch_doubly_robust(
    log: Log,
    policy: Policy,
    weights: Floats,
    predicted: Floats,
    *,
    threshold: float,
    alpha: float = 0.05,
) -> Estimate:
    """As doubly robust, without the residuals of decisions whose weight exceeds `threshold`.

    Source: Wang, Agarwal and Dudík (2017), ICML, the SWITCH-DR estimator.
    """
    kept = np.where(weights <= threshold, weights, 0.0)
    residuals = log.rewards - taken(log, predicted)
    return mean_of(policy.expect(predicted) + kept * residuals, log.rewards, alpha=alpha)
