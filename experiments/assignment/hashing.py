"""FNV-1a 32 over UTF-16 code units, as the public GrowthBook specification hashes ids, one or millions."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

OFFSET_BASIS = 0x811C9DC5
PRIME = 0x01000193
MASK = 0xFFFFFFFF
BUCKETS = 10_000
BUCKETS_V1 = 1_000


def hash_fraction(seed: str, value: str, *, version: int = 2) -> float | None:
    """Where `value` falls in [0, 1): a multiple of 1/10,000 (version 2) or 1/1,000 (version 1).

    None for any other version, as the specification asks: a client must not guess.
    """
    if version == 2:
        return _fnv1a(str(_fnv1a(seed + value))) % BUCKETS / BUCKETS
    if version == 1:
        return _fnv1a(value + seed) % BUCKETS_V1 / BUCKETS_V1
    return None


def hash_fractions(seed: str, values: Sequence[str], *, version: int = 2) -> NDArray[np.float64]:
    """`hash_fraction(seed, value)` of every value, in the same order; shape (len(values),).

    Raises ValueError for an unknown version.
    """
    if version == 2:
        hashes = _fnv1a_each(_fnv1a(seed), values)
        return _fnv1a_of_decimals(hashes) % np.uint32(BUCKETS) / BUCKETS
    if version == 1:
        hashes = _fnv1a_each(OFFSET_BASIS, values)
        for unit in _code_units(seed):
            hashes = (hashes ^ np.uint32(unit)) * np.uint32(PRIME)
        return hashes % np.uint32(BUCKETS_V1) / BUCKETS_V1
    raise ValueError(f"unknown hash version {version}")


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
