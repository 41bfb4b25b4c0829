"""One-line rules: a single condition on a single trait, in the words of the segment language."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from experiments.uplift.curves import qini_gain
from experiments.uplift.table import Booleans, Table
from experiments.uplift.trial import Trial

Op = Literal["is", "is_not", "at_least", "less_than"]
OPPOSITE: dict[Op, Op] = {"is": "is_not", "is_not": "is", "at_least": "less_than", "less_than": "at_least"}

# A group smaller than this share of the customers, or the rest of one so large, is no rule for a campaign.
LEAST_SHARE = 0.05
THRESHOLDS = 9
MOST_WORDS = 30


@dataclass(frozen=True)
class Rule:
    """As in the segment language: unknown numbers match neither comparison, an unknown word `is_not` any."""

    trait: str
    op: Op
    value: float | str | bool

    def matches(self, table: Table) -> Booleans:
        if self.op in ("at_least", "less_than"):
            numbers = table.numbers[self.trait]
            value = float(self.value)
            return np.asarray(numbers >= value if self.op == "at_least" else numbers < value)
        equal = np.array([word == self.value for word in table.words[self.trait]], dtype=bool)
        return equal if self.op == "is" else ~equal

    @property
    def opposite(self) -> "Rule":
        return Rule(self.trait, OPPOSITE[self.op], self.value)


def candidates(table: Table) -> Iterator[Rule]:
    """Every rule worth trying: thresholds at tenths of each number, each frequent word, and the opposites."""
    for name, numbers in table.numbers.items():
        known = numbers[~np.isnan(numbers)]
        distinct = np.unique(known)
        if len(distinct) > THRESHOLDS + 1:
            # A value that really occurs: a rule should not name a number nobody has.
            tenths = np.arange(1, THRESHOLDS + 1) / (THRESHOLDS + 1)
            distinct = np.unique(np.quantile(known, tenths, method="higher"))
        else:
            distinct = distinct[1:]
        for value in distinct:
            yield from _both(Rule(name, "at_least", float(value)))
    for name, words in table.words.items():
        counts: dict[str | bool, int] = {}
        for word in words:
            if word is not None:
                counts[word] = counts.get(word, 0) + 1
        for word in sorted(counts, key=lambda word: (-counts[word], str(word)))[:MOST_WORDS]:
            yield from _both(Rule(name, "is", word))


def best_rule(trial: Trial) -> Rule | None:
    """The rule whose ranking, its customers first, gains most; None when none sorts better than chance.

    Chosen by looking: how good it is must be judged on other customers.
    """
    best, most = None, 0.0
    for rule in candidates(trial.table):
        inside = rule.matches(trial.table)
        if not LEAST_SHARE <= inside.mean() <= 1 - LEAST_SHARE or not _both_groups(trial, inside):
            continue
        gain = qini_gain(trial.outcome, trial.treated, inside.astype(np.float64))
        if gain > most:
            best, most = rule, gain
    return best


def _both(rule: Rule) -> tuple[Rule, Rule]:
    return rule, rule.opposite


def _both_groups(trial: Trial, inside: Booleans) -> bool:
    return all(len(np.unique(trial.treated[part])) == 2 for part in (inside, ~inside))
