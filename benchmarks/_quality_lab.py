"""Figures with goals, and the fits behind them, each made once."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import _quality_made as made
from _quality_files import Files

from recommender.evaluation import Estimate, PairedDifference, Split
from recommender.evaluation.judging import Protocol, Verdict, judge
from recommender.training.progress import progress_bar

MOVIES, GROCERIES = "MovieLens-100K", "Complete Journey"


@dataclass(frozen=True)
class Figure:
    """A measured value, its interval where it has one, and what it must reach: `at_least` and `at_most` bound
    the value, `above` and `below` the whole interval. Without a bound it is only told.
    """

    label: str
    value: float
    low: float | None = None
    high: float | None = None
    at_least: float | None = None
    at_most: float | None = None
    above: float | None = None
    below: float | None = None
    note: str = ""

    @property
    def goal(self) -> str:
        bounds = {"≥": self.at_least, "≤": self.at_most, "interval >": self.above, "interval <": self.below}
        return ", ".join(f"{sign} {bound:g}" for sign, bound in bounds.items() if bound is not None)

    @property
    def reached(self) -> bool | None:
        """None without a goal."""
        if not self.goal:
            return None
        low, high = self.low, self.high
        return (
            (self.at_least is None or self.value >= self.at_least)
            and (self.at_most is None or self.value <= self.at_most)
            and (self.above is None or (low is not None and low > self.above))
            and (self.below is None or (high is not None and high < self.below))
        )


Figures = Iterator[Figure]


def estimated(label: str, found: Estimate, **bounds: Any) -> Figure:
    return Figure(label, found.value, found.low, found.high, **bounds)


def differing(label: str, found: PairedDifference | None, **bounds: Any) -> Figure:
    if found is None:
        raise ValueError(f"{label}: nobody could be compared")
    return Figure(label, found.difference, found.low, found.high, **bounds)


class Lab:
    """Fits what the rows ask for, each model once."""

    def __init__(self, files: Files | None) -> None:
        self._files = files
        self._done: dict[tuple[Any, ...], Verdict] = {}

    @property
    def files(self) -> Files:
        if self._files is None:
            raise ValueError("this row needs --data")
        return self._files

    def judge(self, where: str, name: str, protocol: Protocol, **parameters: Any) -> Verdict:
        """Raises ValueError with what went wrong."""
        key = (where, name, protocol.k, repr(parameters))
        if key not in self._done:
            with progress_bar(f"{name} on {where}") as bar:
                verdict = judge(name, protocol, parameters=parameters, progress=bar)
            if verdict.error:
                raise ValueError(f"{name} on {where}: {verdict.error}")
            self._done[key] = verdict
        return self._done[key]

    def rated(self, name: str, *, official: bool = False, **parameters: Any) -> Verdict:
        folds = self.files.official_folds if official else self.files.k_folds
        where = f"{MOVIES}, {'u1 to u5' if official else 'KFold'}"
        return self.judge(where, name, Protocol(folds, with_lists=False), **parameters)

    def listed(self, name: str, **parameters: Any) -> Verdict:
        return self.judge(f"{MOVIES}, 80/20", name, Protocol([self.files.ratio]), **parameters)

    def next_item(self, name: str) -> Verdict:
        return self.judge(f"{MOVIES}, last item", name, Protocol([self.files.last_out], k=10))

    def next_made(self, name: str, **parameters: Any) -> Verdict:
        return self.judge("planted order", name, Protocol([planted_order()], k=10), **parameters)


@cache
def planted_order() -> Split:
    return made.shop_with_order()
