"""What a new policy would have earned, by several estimators, or a refusal when the log cannot tell."""

from dataclasses import dataclass
from enum import StrEnum

from experiments.off_policy.direct import direct
from experiments.off_policy.doubly_robust import doubly_robust
from experiments.off_policy.estimate import Estimate
from experiments.off_policy.ipw import ipw
from experiments.off_policy.log import Floats, Log, Policy
from experiments.off_policy.snipw import snipw
from experiments.off_policy.switch import switch_doubly_robust
from experiments.off_policy.weights import Weights, weigh

# Below this many effective decisions neither a mean nor its normal interval can be trusted.
LEAST_EFFECTIVE = 100.0
# Decisions with a larger weight leave the switch estimator to its model.
SWITCH_AT = 10.0


class Refusal(StrEnum):
    TOO_FEW_EFFECTIVE = "too_few_effective"  # a handful of decisions would carry the whole answer


@dataclass(frozen=True)
class Evaluation:
    """`estimates` by name: ipw, snipw, and with a model dm, dr and switch_dr; empty when refused.

    `logged` is the reward per decision as it was.
    """

    decisions: int
    logged: float
    weights: Weights
    estimates: dict[str, Estimate]
    refusal: Refusal | None


def evaluate(
    log: Log,
    policy: Policy | Floats,
    *,
    predicted: Floats | None = None,
    clip: float | None = None,
    switch_at: float = SWITCH_AT,
    least_effective: float = LEAST_EFFECTIVE,
    alpha: float = 0.05,
) -> Evaluation:
    """`policy` may be the new chances of the actions taken alone; the estimators with a model need all of
    them, and `predicted` (decisions × actions, see `cross_fitted_rewards`).
    """
    chances = policy.of_taken(log) if isinstance(policy, Policy) else policy
    weights = weigh(log, chances, clip=clip)
    estimates: dict[str, Estimate] = {}
    refused = weights.effective < least_effective
    if not refused:
        w = weights.values
        estimates["ipw"] = ipw(log.rewards, w, alpha=alpha)
        estimates["snipw"] = snipw(log.rewards, w, alpha=alpha)
        if predicted is not None and isinstance(policy, Policy):
            estimates["dm"] = direct(log.rewards, policy, predicted, alpha=alpha)
            estimates["dr"] = doubly_robust(log, policy, w, predicted, alpha=alpha)
            estimates["switch_dr"] = switch_doubly_robust(
                log, policy, w, predicted, threshold=switch_at, alpha=alpha
            )
    return Evaluation(
        decisions=len(log),
        logged=float(log.rewards.mean()),
        weights=weights,
        estimates=estimates,
        refusal=Refusal.TOO_FEW_EFFECTIVE if refused else None,
    )
