"""Which variant a customer gets, by the public GrowthBook hashing specification: any SDK answers the same.

In: a seed (the experiment's key) and an id. Out: a fraction in [0, 1) and the index of a variant. Nothing is
stored or drawn at random here. Version 2 is ours; version 1 is biased between parallel experiments and exists
only to check assignments imported from elsewhere.
"""

from collections.abc import Iterable, Sequence
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

OFFSET_BASIS = 0x811C9DC5
PRIME = 0x01000193
MASK = 0xFFFFFFFF
BUCKETS = 10_000
BUCKETS_V1 = 1_000
WEIGHT_TOLERANCE = 0.01

Range = tuple[float, float]


def hash_fraction(seed: str, value: str, *, version: int = 2) -> float | None:
    """Where `value` falls in [0, 1): a multiple of 1/10,000 (version 2) or 1/1,000 (version 1).

    None for any other version, as the specification asks: a client must not guess.
    """
    if version == 2:
        return _fnv1a(str(_fnv1a(seed + value))) % BUCKETS / BUCKETS
    if version == 1:
        return _fnv1a(value + seed) % BUCKETS_V1 / BUCKETS_V1
    return None


def hash_fractions(seed: str, values: Sequence[str]) -> NDArray[np.float64]:
    """`hash_fraction(seed, value)` (version 2) of every value, in the same order; shape (len(values),)."""
    hashes = _fnv1a_each(_fnv1a(seed), values)
    return _fnv1a_of_decimals(hashes) % np.uint32(BUCKETS) / BUCKETS


def bucket_ranges(weights: Sequence[float], coverage: float) -> list[Range]:
    """The part [low, high) of [0, 1) that belongs to each variant.

    A range starts where all weights before it end, whatever the coverage: raising the coverage later takes
    new customers in and moves nobody. Coverage is clamped to 0..1; weights that do not add up to 1 (± 0.01)
    are replaced by equal ones.
    """
    coverage = min(max(coverage, 0.0), 1.0)
    if not weights:
        return []
    if abs(sum(weights) - 1) > WEIGHT_TOLERANCE:
        weights = [1 / len(weights)] * len(weights)
    starts = accumulate(weights[:-1], initial=0.0)
    return [(start, start + coverage * weight) for start, weight in zip(starts, weights, strict=True)]


def choose(fraction: float, ranges: Iterable[Range]) -> int:
    """Index of the first range that holds the fraction; -1 when none does (outside the coverage)."""
    return next((index for index, (low, high) in enumerate(ranges) if low <= fraction < high), -1)


def choose_each(fractions: NDArray[np.float64], ranges: Sequence[Range]) -> NDArray[np.int64]:
    """`choose` of every fraction; shape (len(fractions),)."""
    chosen = np.full(len(fractions), -1, dtype=np.int64)
    for index in reversed(range(len(ranges))):
        low, high = ranges[index]
        chosen[(low <= fractions) & (fractions < high)] = index
    return chosen


def _code_units(text: str) -> NDArray[np.uint16]:
    # Half a surrogate pair is legal in a JavaScript string, so it must not stop us.
    return np.frombuffer(text.encode("utf-16-le", "surrogatepass"), dtype="<u2")


def _fnv1a(text: str) -> int:
    """FNV-1a, 32 bit, over UTF-16 code units: the specification follows JavaScript's `charCodeAt`.

    Bytes of UTF-8 would give other buckets for every name that is not ASCII.
    """
    result = OFFSET_BASIS
    for unit in _code_units(text).tolist():
        result = ((result ^ unit) * PRIME) & MASK
    return result


def _fnv1a_each(start: int, values: Sequence[str]) -> NDArray[np.uint32]:
    """FNV-1a of every value, going on from the hash of a common beginning.

    All values lie end to end in one array. Sorted by length, those that still have a next character are a
    prefix, so memory follows the total length and one long id costs nothing for the others.
    """
    units = _code_units("".join(values))
    lengths = np.fromiter(map(len, values), dtype=np.int64, count=len(values))
    if int(lengths.sum()) != len(units):  # some characters take two units
        lengths = np.fromiter(
            (len(_code_units(value)) for value in values), dtype=np.int64, count=len(values)
        )
    order = np.argsort(-lengths, kind="stable")
    starts = (np.cumsum(lengths) - lengths)[order]
    # How many values are longer than each position.
    remaining = len(values) - np.cumsum(np.bincount(lengths))
    hashes = np.full(len(values), start, dtype=np.uint32)
    for position, count in enumerate(remaining.tolist()):
        if count:
            hashes[:count] ^= units[starts[:count] + position]
            hashes[:count] *= np.uint32(PRIME)
    result = np.empty_like(hashes)
    result[order] = hashes
    return result


def _fnv1a_of_decimals(numbers: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """FNV-1a of each number written in decimal, without writing it."""
    hashes = np.full(len(numbers), OFFSET_BASIS, dtype=np.uint32)
    for power in range(9, -1, -1):
        quotients = numbers // np.uint32(10**power)
        updated = (hashes ^ (quotients % np.uint32(10) + np.uint32(ord("0")))) * np.uint32(PRIME)
        # Leading zeros are not written; a lone 0 is.
        hashes = updated if power == 0 else np.where(quotients > 0, updated, hashes)
    return hashes
