"""Which variant a customer gets, by the public GrowthBook hashing specification: any SDK answers the same.

In: a seed (the experiment's key) and an id. Out: a fraction in [0, 1) and the index of a variant. Nothing is
stored or drawn at random here. Version 2 is ours; version 1 is biased between parallel experiments and exists
only for assignments imported from elsewhere.
"""

from experiments.assignment.buckets import (
    Range,
    bucket_ranges,
    choose,
    choose_each,
    equal_weights,
    in_range,
)
from experiments.assignment.hashing import PRIME, hash_fraction, hash_fractions
from experiments.assignment.rules import NOWHERE, Filter, Rollout, Rule, namespace_filter

__all__ = [
    "NOWHERE", "PRIME", "Filter", "Range", "Rollout", "Rule", "bucket_ranges", "choose", "choose_each",
    "equal_weights", "hash_fraction", "hash_fractions", "in_range", "namespace_filter",
]  # fmt: skip
