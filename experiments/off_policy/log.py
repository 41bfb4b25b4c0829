"""What was done with which chance and what came of it, and what another policy would have done."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.intp]


@dataclass(frozen=True)
class Log:
    """Per decision: the action taken (0 … k − 1), the chance with which it was taken, the reward.

    `propensities` are chances given what was known then, above 0 and at most 1. Raises ValueError else.
    """

    actions: Integers
    propensities: Floats
    rewards: Floats

    def __post_init__(self) -> None:
        if not len(self.actions) == len(self.propensities) == len(self.rewards):
            raise ValueError("actions, propensities and rewards must have one length")
        if len(self.actions) < 2:
            raise ValueError("a log needs at least two decisions")
        if not ((self.propensities > 0) & (self.propensities <= 1)).all():
            raise ValueError("every propensity must lie above 0 and not above 1")
        if not np.isfinite(self.rewards).all():
            raise ValueError("every reward must be a number")

    def __len__(self) -> int:
        return len(self.actions)


@dataclass(frozen=True)
class Policy:
    """The new policy's chances: decisions × actions, or one row that holds for every decision.

    Raises ValueError unless every row is a distribution.
    """

    chances: Floats

    def __post_init__(self) -> None:
        sums = self.chances.sum(axis=-1)
        if (self.chances < 0).any() or not np.allclose(sums, 1, atol=1e-6):
            raise ValueError("the chances of a policy must not be negative and must add up to 1")

    @classmethod
    def uniform(cls, actions: int) -> "Policy":
        return cls(np.full(actions, 1 / actions))

    def of_taken(self, log: Log) -> Floats:
        """Its chance for each action that was taken. Raises ValueError for actions it does not know."""
        k = self.chances.shape[-1]
        if log.actions.min() < 0 or log.actions.max() >= k:
            raise ValueError(f"the log has an action the policy does not know (it knows {k})")
        if self.chances.ndim == 1:
            return np.asarray(self.chances[log.actions], dtype=np.float64)
        if len(self.chances) != len(log):
            raise ValueError("the policy must have one row per decision")
        return np.asarray(self.chances[np.arange(len(log)), log.actions], dtype=np.float64)

    def expect(self, predicted: Floats) -> Floats:
        """Expected value of `predicted` (decisions × actions) at each decision."""
        return np.asarray((self.chances * predicted).sum(axis=1), dtype=np.float64)


def taken(log: Log, predicted: Floats) -> Floats:
    """Of decisions × actions, the entry of each action taken."""
    return np.asarray(predicted[np.arange(len(log)), log.actions], dtype=np.float64)
