"""Counts how often a content was seen before: 8 bytes a row on disk, in memory no more for a longer file.

Two equal lines of a till receipt are two events, but the same line of the same file loaded again is one:
so an event without a message id is known by its content and its occurrence number within the file.
"""

import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator
from itertools import chain

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.uint64]
KEPT = 1 << 19  # keys in memory; as many at a time go to disk, and are read again


def content_keys(contents: Iterable[str]) -> Keys:
    """64 bits of BLAKE2b each."""
    digests = b"".join(hashlib.blake2b(content.encode(), digest_size=8).digest() for content in contents)
    return np.frombuffer(digests, dtype="<u8").astype(np.uint64)


class OccurrenceCounter:
    """Numbers equal keys 0, 1, 2, … over all batches.

    Sorted runs, merged when as large as their neighbor. Once they hold `kept` keys, these are written as
    one sorted run to a file without a name, which is gone with the process.
    """

    def __init__(self, *, kept: int = KEPT) -> None:
        self.kept = kept
        self.runs: list[Keys] = []
        self.file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with this object
        self.buffer = np.empty(kept, dtype=np.uint64)

    def number(self, keys: Keys) -> NDArray[np.int64]:
        """The occurrence number of each key, shape like `keys`."""
        order = np.argsort(keys, kind="stable")
        ordered = keys[order]
        starts = (
            np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(ordered) else np.array([], int)
        )
        lengths = np.diff(np.r_[starts, len(ordered)])
        within = np.arange(len(ordered)) - np.repeat(starts, lengths)
        different = ordered[starts]
        before = np.zeros(len(different), dtype=np.int64)
        for run in chain(self.runs, self._written()):
            first = np.searchsorted(run, different, "left")
            known = np.flatnonzero(run[np.minimum(first, len(run) - 1)] == different)
            before[known] += np.searchsorted(run, different[known], "right") - first[known]
        result = np.empty(len(ordered), dtype=np.int64)
        result[order] = within + np.repeat(before, lengths)
        if len(ordered):
            self._keep(ordered)
        return result

    def _keep(self, ordered: Keys) -> None:
        self.runs.append(ordered)
        while len(self.runs) > 1 and len(self.runs[-2]) <= 2 * len(self.runs[-1]):
            self._merge(2)
        if sum(map(len, self.runs)) < self.kept:
            return
        self._merge(len(self.runs))
        rest = self.runs.pop()
        self.file.seek(0, os.SEEK_END)
        while len(rest) >= self.kept:
            self.file.write(rest[: self.kept].tobytes())
            rest = rest[self.kept :]
        self.runs = [rest.copy()] if len(rest) else []

    def _merge(self, last: int) -> None:
        merged = np.concatenate(self.runs[-last:])
        merged.sort(kind="stable")
        self.runs[-last:] = [merged]

    def _written(self) -> Iterator[Keys]:
        """The runs on disk, in one array that the next of them overwrites."""
        self.file.seek(0)
        while self.file.readinto(self.buffer.data):
            yield self.buffer
