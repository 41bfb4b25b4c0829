"""One experiment as the public GrowthBook specification describes it: who takes part, and who gets what."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod

import numpy as np
from numpy.typing import NDArray

from experiments.assignment.buckets import Range, bucket_ranges, choose, choose_each
from experiments.assignment.hashing import hash_fraction, hash_fractions

NOWHERE = -1


@dataclass(frozen=True)
class Filter:
    """Lets through whom its own hash puts into one of its ranges: a layer, or all but a holdout."""

    seed: str
    ranges: tuple[Range, ...]
    version: int = 2

    @property
    def share(self) -> float:
        return sum(high - low for low, high in self.ranges)

    def lets_through(self, value: str) -> bool:
        fraction = hash_fraction(self.seed, value, version=self.version)
        return value != "" and fraction is not None and choose(fraction, self.ranges) >= 0

    def lets_through_each(self, values: Sequence[str]) -> NDArray[np.bool_]:
        fractions = hash_fractions(self.seed, values, version=self.version)
        return choose_each(fractions, self.ranges) >= 0


def namespace_filter(namespace: str, part: Range) -> Filter:
    """A GrowthBook namespace as a filter."""
    return Filter(f"__{namespace}", (part,), version=1)


@dataclass(frozen=True)
class Rule:
    """`forced` names the variant (its index) of ids that are there to look at it; they take no part."""

    seed: str
    weights: tuple[float, ...]
    coverage: float = 1.0
    version: int = 2
    ranges: tuple[Range, ...] = ()  # in place of weights and coverage, when given
    filters: tuple[Filter, ...] = ()
    forced: Mapping[str, int] = field(default_factory=dict)

    @property
    def buckets(self) -> list[Range]:
        return list(self.ranges) or bucket_ranges(self.weights, self.coverage)

    def choose(self, value: str) -> int:
        """Index of the variant by hash; NOWHERE for forced and empty ids and for those outside."""
        if not value or value in self.forced or not all(one.lets_through(value) for one in self.filters):
            return NOWHERE
        fraction = hash_fraction(self.seed, value, version=self.version)
        return NOWHERE if fraction is None else choose(fraction, self.buckets)

    def choose_each(self, values: Sequence[str]) -> NDArray[np.int64]:
        """`choose` of every value; shape (len(values),)."""
        chosen = choose_each(hash_fractions(self.seed, values, version=self.version), self.buckets)
        for one in self.filters:
            chosen[~one.lets_through_each(values)] = NOWHERE
        if self.forced or "" in values:
            chosen[[not value or value in self.forced for value in values]] = NOWHERE
        return chosen

    def chance(self, index: int) -> float:
        """The chance of this variant for somebody of whom nothing is known; of NOWHERE: to be outside."""
        through = prod((one.share for one in self.filters), start=1.0)
        widths = [high - low for low, high in self.buckets]
        chance = 1 - through * sum(widths) if index == NOWHERE else through * widths[index]
        return round(chance, 12)  # bounds of buckets differ by 0.3999999999999999 where 0.4 is meant


@dataclass(frozen=True)
class Rollout:
    """One value for a growing share of everybody, by the same hash as the experiment before it."""

    seed: str
    share: float = 1.0
    version: int = 2

    def takes(self, value: str) -> bool:
        fraction = hash_fraction(self.seed, value, version=self.version)
        return value != "" and fraction is not None and fraction < self.share
