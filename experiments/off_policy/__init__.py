"""What another policy would have earned, from a log of decisions with the chances they were taken with."""

from experiments.off_policy.arm_sums import ArmSums
from experiments.off_policy.arms import ArmValue, arm_value, contrast_arms
from experiments.off_policy.estimate import Estimate
from experiments.off_policy.evaluation import LEAST_EFFECTIVE, Evaluation, Refusal, evaluate
from experiments.off_policy.log import Log, Policy
from experiments.off_policy.reward_model import cross_fitted_rewards
from experiments.off_policy.weights import Weights, weigh

__all__ = [
    "LEAST_EFFECTIVE",
    "ArmSums",
    "ArmValue",
    "Estimate",
    "Evaluation",
    "Log",
    "Policy",
    "Refusal",
    "Weights",
    "arm_value",
    "contrast_arms",
    "cross_fitted_rewards",
    "evaluate",
    "weigh",
]
