"""Doubly robust: the model's expectation, put right by weighted residuals."""

from experiments.off_policy.estimate import Estimate, mean_of
from experiments.off_policy.log import Floats, Log, Policy, taken


def doubly_robust(
    log: Log, policy: Policy, weights: Floats, predicted: Floats, *, alpha: float = 0.05
) -> Estimate:
    """(1/n) Σ [Σₐ π(a|x)·q(x, a) + w·(r − q(x, taken))]; right when either w or q is.

    `predicted` is q, decisions × actions, from a model that did not see the decision's own reward.
    Source: Dudík, Langford and Li (2011), ICML; Dudík, Erhan, Langford and Li (2014), Statistical Science 29.
    """
    residuals = log.rewards - taken(log, predicted)
    return mean_of(policy.expect(predicted) + weights * residuals, log.rewards, alpha=alpha)
