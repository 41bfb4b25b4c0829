"""The direct method: believe a model of the rewards."""

from experiments.off_policy.estimate import Estimate, mean_of
from experiments.off_policy.log import Floats, Policy


def direct(rewards: Floats, policy: Policy, predicted: Floats, *, alpha: float = 0.05) -> Estimate:
    """(1/n) Σ Σₐ π(a|x)·q(x, a), `predicted` being q, decisions × actions.

    The interval knows the luck of the contexts only, not the model's own error: it is too narrow.
    Source: Beygelzimer and Langford (2009), KDD.
    """
    return mean_of(policy.expect(predicted), rewards, alpha=alpha)
