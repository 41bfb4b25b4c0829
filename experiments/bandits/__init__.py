"""Variants that are drawn the more often the better they do, each draw with its exact chance.

The state of every method are sums that add up over days and machines (`Proportion`, `Mean`, `LinearArm`);
nothing here keeps anything, and nothing is random but `draw_arms`, which is given its draws.
"""

from experiments.bandits.beta_thompson import beta_chances
from experiments.bandits.exploration import draw_arms, uniform_draws, with_floor
from experiments.bandits.linear_thompson import (
    LinearArm,
    cautious_spread,
    expected_rewards,
    linear_chances,
)
from experiments.bandits.normal_thompson import normal_chances
from experiments.bandits.ucb import ucb1_chances, ucb_tuned_chances

__all__ = [
    "LinearArm",
    "beta_chances",
    "cautious_spread",
    "draw_arms",
    "expected_rewards",
    "linear_chances",
    "normal_chances",
    "ucb1_chances",
    "ucb_tuned_chances",
    "uniform_draws",
    "with_floor",
]
