"""Counts how often a content was seen before, in 8 bytes a row. Pure: NumPy alone.

Two equal lines of a till receipt are two events, but the same line of the same file loaded again is one:
so an event without a message id is known by its content and its occurrence number within the file.
"""

import hashlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.uint64]


def content_keys(contents: Iterable[str]) -> Keys:
    """64 bits of BLAKE2b each."""
    digests = b"".join(hashlib.blake2b(content.encode(), digest_size=8).digest() for content in contents)
    return np.frombuffer(digests, dtype="<u8").astype(np.uint64)


class OccurrenceCounter:
    """Numbers equal keys 0, 1, 2, … over all batches. Sorted runs, merged when as large as their neighbor."""

    def __init__(self) -> None:
        self.runs: list[Keys] = []

    def number(self, keys: Keys) -> NDArray[np.int64]:
        """The occurrence number of each key, shape like `keys`."""
        order = np.argsort(keys, kind="stable")
        ordered = keys[order]
        starts = (
            np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(ordered) else np.array([], int)
        )
        lengths = np.diff(np.r_[starts, len(ordered)])
        within = np.arange(len(ordered)) - np.repeat(starts, lengths)
        before = np.zeros(len(ordered), dtype=np.int64)
        for run in self.runs:
            before += np.searchsorted(run, ordered, "right") - np.searchsorted(run, ordered, "left")
        result = np.empty(len(ordered), dtype=np.int64)
        result[order] = within + before
        self._keep(ordered)
        return result

    def _keep(self, ordered: Keys) -> None:
        self.runs.append(ordered)
        while len(self.runs) > 1 and len(self.runs[-2]) <= 2 * len(self.runs[-1]):
            last, previous = self.runs.pop(), self.runs.pop()
            self.runs.append(np.sort(np.concatenate([previous, last]), kind="stable"))
