"""Thompson sampling over what is earned beyond doing nothing, each offer measured against its own control."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from scipy.special import stdtr, stdtrit

from experiments.bandits.best_chance import Floats, chances_above
from experiments.bandits.exploration import with_floor
from experiments.stats import Effect, Mean, compare
from experiments.stats.contrast import Contrast, contrast

# With fewer customers on either side a few large orders decide, and a side without any has no spread.
LEAST = 30


@dataclass(frozen=True)
class Gain:
    """Per customer, of those who were given the offer and of its control."""

    treated: Mean
    control: Mean

    @property
    def is_evidence(self) -> bool:
        return self._contrast is not None

    @property
    def customers(self) -> int:
        return self.treated.n + self.control.n

    @cached_property
    def effect(self) -> Effect | None:
        """What the offer brings beyond nothing; None while there is no evidence."""
        return compare(self.control, self.treated) if self._contrast is not None else None

    @cached_property
    def _contrast(self) -> Contrast | None:
        if min(self.treated.n, self.control.n) < LEAST:
            return None
        found = contrast(self.control, self.treated)
        return found if found.spread > 0 else None

    def quantile(self, u: Floats) -> Floats:
        center, scale, degrees = self._posterior()
        return np.asarray(center + scale * stdtrit(degrees, u), dtype=np.float64)

    def distribution(self, x: Floats) -> Floats:
        center, scale, degrees = self._posterior()
        return np.asarray(stdtr(degrees, (x - center) / scale), dtype=np.float64)

    def _posterior(self) -> tuple[float, float, float]:
        """Center, scale and degrees of Student's t. Source: Welch (1947) for the degrees; with flat priors
        the posterior of a difference of two means is close to it (Gelman et al. 2013, section 3.2)."""
        found = self._contrast
        assert found is not None
        return found.difference, math.sqrt(found.spread), found.degrees


class Posterior(Protocol):
    """What is believed of an offer's gain; without evidence it is explored."""

    @property
    def is_evidence(self) -> bool: ...
    def quantile(self, u: Floats) -> Floats: ...
    def distribution(self, x: Floats) -> Floats: ...


def incremental_chances(gains: Sequence[Posterior | None], *, floor: float) -> Floats:
    """The chance of each offer to be shown, and as the last entry that nothing is.

    An offer without evidence (None, or too few customers) is explored: it has the share of one among all
    offers and doing nothing. What is left goes to each by the chance that it earns most, and more than
    nothing. Everything keeps the chance `floor`. Source: Thompson (1933).
    """
    share = 1 / (len(gains) + 1)
    known = [(place, one) for place, one in enumerate(gains) if one is not None and one.is_evidence]
    chances = np.full(len(gains) + 1, share)
    measured = chances_above([one.quantile for _, one in known], [one.distribution for _, one in known], 0.0)
    left = 1 - share * (len(gains) - len(known))
    chances[[*(place for place, _ in known), len(gains)]] = left * measured
    return with_floor(chances, min(floor, share / 2))
