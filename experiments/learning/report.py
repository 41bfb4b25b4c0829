"""Parts of a report where the division was learned: what to believe of each variant, day by day, and what
learning cost.
"""

from dataclasses import dataclass
from datetime import datetime

from experiments.bandits.beliefs import Regret
from experiments.off_policy import ArmSums


@dataclass(frozen=True)
class LearnedVariant:
    """`value` if everybody got it, weighted by the chances, with its credible interval; `best` is the chance
    that it is the best message, `loss` what each customer who gets it is expected to lose against the best
    one. None for the control, and while there is too little. `sums` are those of `ArmSums`.
    """

    variant: str
    customers: int
    effective: float
    value: float | None
    interval: tuple[float, float] | None
    best: float | None
    loss: float | None
    sums: ArmSums


@dataclass(frozen=True)
class LearnedDay:
    """Until the end of `day`. `drawn`: customers who were given the variant on that day (and on days left out
    before it); `chance`: with which they were, None where nobody was."""

    day: int
    at: datetime
    drawn: int
    chance: float | None
    known: LearnedVariant


@dataclass(frozen=True)
class LearnedMetric:
    """`variants` in their order, `days` of each by key. `regret` is in the metric's unit, summed over
    customers; None where each customer has chances of their own: no single message is then the best.
    `regret_days`: day, what it had cost by then by what is known now, and what equal shares would have.
    """

    key: str
    name: str
    direction: str
    is_share: bool
    variants: tuple[LearnedVariant, ...]
    days: dict[str, tuple[LearnedDay, ...]]
    regret: Regret | None
    regret_days: tuple[tuple[int, float, float], ...]
