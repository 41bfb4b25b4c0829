"""One message against none: what the study of uplift works on."""

from dataclasses import dataclass

import numpy as np

from experiments.stats import Mean, Proportion, Statistic
from experiments.uplift.table import Booleans, Floats, Integers, Table


@dataclass(frozen=True)
class Trial:
    """Per customer: what was known before, the outcome, got the message (1) or not (0), with which chance.

    `chance` is that of getting the message, between 0 and 1 exclusive. Raises ValueError when lengths differ
    or a group is empty.
    """

    table: Table
    outcome: Floats
    treated: Floats
    chance: Floats

    def __post_init__(self) -> None:
        lengths = {len(self.table), len(self.outcome), len(self.treated), len(self.chance)}
        if len(lengths) > 1:
            raise ValueError("table, outcome, treated and chance must have one length")
        if not np.isin(self.treated, (0, 1)).all() or len(np.unique(self.treated)) < 2:
            raise ValueError("treated must be 0 and 1, and both must occur")
        if not np.isfinite(self.outcome).all():
            raise ValueError("every outcome must be a number")
        if not ((self.chance > 0) & (self.chance < 1)).all():
            raise ValueError("the chance of a message must lie between 0 and 1")

    def __len__(self) -> int:
        return len(self.outcome)

    @property
    def is_binary(self) -> bool:
        return bool(np.isin(self.outcome, (0, 1)).all())

    def rows(self, which: Integers | Booleans) -> "Trial":
        return Trial(self.table.rows(which), self.outcome[which], self.treated[which], self.chance[which])

    def statistics(self, inside: Booleans) -> tuple[Statistic, Statistic]:
        """Control and treatment of the customers inside."""
        control, treatment = (self._statistic(inside & (self.treated == group)) for group in (0, 1))
        return control, treatment

    def _statistic(self, which: Booleans) -> Statistic:
        values = self.outcome[which]
        if self.is_binary:
            return Proportion(n=len(values), successes=int(values.sum()))
        return Mean(n=len(values), sum=float(values.sum()), sum_squares=float((values**2).sum()))


def split(trial: Trial, *, parts: int, seed: int) -> list[Integers]:
    """Rows of `parts` equal parts, drawn at random, each with its share of both groups."""
    rng = np.random.default_rng(seed)
    found: list[list[Integers]] = [[] for _ in range(parts)]
    for group in (0, 1):
        rows = rng.permutation(np.flatnonzero(trial.treated == group))
        for number, chunk in enumerate(np.array_split(rows, parts)):
            found[number].append(chunk)
    return [np.sort(np.concatenate(chunks)) for chunks in found]
