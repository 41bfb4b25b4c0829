"""Groups of customers that may be shown: none so small that it could speak of single persons. Pure."""

from collections.abc import Hashable, Mapping
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)
OTHERS = "…"


def merge_small(counts: Mapping[str, Mapping[Key, int]], *, least: int, most: int) -> dict[str, str] | None:
    """What each label is shown as: itself, or OTHERS; None when fewer than two groups would be left.

    `counts`: customers by label and variant. Every group that is shown has at least `least` customers in each
    variant, and so has what is left when the others are taken from the whole: small groups are merged, never
    just left out. At most `most` groups, the largest.
    """
    variants = {variant for by_variant in counts.values() for variant in by_variant}

    def smallest(labels: list[str]) -> int:
        return min(
            (sum(counts[label].get(variant, 0) for label in labels) for variant in variants), default=0
        )

    ordered = sorted(counts, key=lambda label: (-sum(counts[label].values()), label))
    kept = [label for label in ordered if label != OTHERS and smallest([label]) >= least]
    merged = [label for label in ordered if label not in kept]
    while kept and ((merged and smallest(merged) < least) or len(kept) + bool(merged) > most):
        merged.append(kept.pop())
    if len(kept) + bool(merged) < 2:
        return None
    return {label: label for label in kept} | dict.fromkeys(merged, OTHERS)
