"""Does the effect differ between groups of customers? Asked of many traits at once without crying wolf."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from experiments.stats import Effect, Statistic, adjust, compare
from experiments.uplift.table import Table
from experiments.uplift.trial import Trial

# Control and treatment of one group of customers.
Pair = tuple[Statistic, Statistic]

QUANTILES = 4
MOST_LEVELS = 12


@dataclass(frozen=True)
class Heterogeneity:
    """Cochran's Q over the groups' effects: large when they differ by more than their errors."""

    q: float
    degrees: int
    p_value: float


@dataclass(frozen=True)
class Level:
    """One group of a trait. `effect` has the ordinary interval, `simultaneous` one that holds for all groups
    of the report together (Bonferroni); both are None where nothing can be compared. `adjusted_p` belongs to
    `effect`, over all groups of the report.
    """

    label: str
    control: Statistic
    treatment: Statistic
    effect: Effect | None
    simultaneous: Effect | None
    adjusted_p: float | None


@dataclass(frozen=True)
class Breakdown:
    """One trait. `adjusted_p` is that of the test for a difference, over all traits of the report; None when
    fewer than two groups can be compared.
    """

    trait: str
    levels: tuple[Level, ...]
    heterogeneity: Heterogeneity | None
    adjusted_p: float | None
    differs: bool


@dataclass(frozen=True)
class SubgroupReport:
    """`differs` is False when there is no evidence that the effect differs anywhere: not that it does not."""

    breakdowns: tuple[Breakdown, ...]
    method: str
    alpha: float

    @property
    def differs(self) -> bool:
        return any(breakdown.differs for breakdown in self.breakdowns)


def compare_subgroups(
    groups: Mapping[str, Mapping[str, Pair]], *, method: str = "holm", alpha: float = 0.05
) -> SubgroupReport:
    """`groups`: trait → label → (control, treatment); sums of days and strata may be added up before.

    `method` as in `adjust`: "holm" keeps the chance of any false claim below alpha, "bh" the share of false
    claims. Source: Cochran (1954), Biometrics 10, for the test; Holm (1979); Benjamini and Hochberg (1995).
    """
    pairs = [(trait, label, pair) for trait, levels in groups.items() for label, pair in levels.items()]
    effects = {(trait, label): compare(*pair, alpha=alpha) for trait, label, pair in pairs}
    known = {key: effect for key, effect in effects.items() if effect is not None}
    level_p = dict(zip(known, adjust([effect.p_value for effect in known.values()], method), strict=True))
    tests = {trait: heterogeneity(levels) for trait, levels in groups.items()}
    tested = {trait: test for trait, test in tests.items() if test is not None}
    trait_p = dict(zip(tested, adjust([test.p_value for test in tested.values()], method), strict=True))

    def level(trait: str, label: str, pair: Pair) -> Level:
        effect = effects[trait, label]
        wide = compare(*pair, alpha=alpha / len(known)) if effect else None
        return Level(label, *pair, effect, wide, level_p.get((trait, label)))

    return SubgroupReport(
        tuple(
            Breakdown(
                trait=trait,
                levels=tuple(level(trait, label, pair) for label, pair in levels.items()),
                heterogeneity=tests[trait],
                adjusted_p=trait_p.get(trait),
                differs=trait_p.get(trait, 1.0) < alpha,
            )
            for trait, levels in groups.items()
        ),
        method,
        alpha,
    )


def heterogeneity(groups: Mapping[str, Pair]) -> Heterogeneity | None:
    """Whether the groups' effects differ; for two groups the square of the usual z of their difference.

    Groups without an error of their effect are left out; None when fewer than two remain.
    Source: Cochran (1954): Q = Σ (d − d̄)²/v with d̄ = Σ (d/v) / Σ (1/v), chi-square with k − 1 degrees.
    """
    effects, errors = [], []
    for control, treatment in groups.values():
        means, variances = (control.value, treatment.value), (control.variance, treatment.variance)
        if None in means or None in variances:
            continue
        error = float(variances[0] or 0) / control.n + float(variances[1] or 0) / treatment.n
        if error > 0:
            effects.append(float(means[1] or 0) - float(means[0] or 0))
            errors.append(error)
    if len(effects) < 2:
        return None
    weights = 1 / np.array(errors)
    difference = np.array(effects) - np.average(effects, weights=weights)
    q = float((weights * difference**2).sum())
    from scipy.special import chdtrc

    return Heterogeneity(q, len(effects) - 1, float(chdtrc(len(effects) - 1, q)))


def subgroups_of(trial: Trial) -> dict[str, dict[str, Pair]]:
    """Groups for `compare_subgroups`: the words and the few distinct numbers as they are, else quarters.

    Rare words beyond the twelve most frequent are one group "…"; unknown values are a group "?".
    """
    return {
        name: {
            label: trial.statistics(np.asarray(labels == label))
            for label in dict.fromkeys(sorted(set(labels)))
        }
        for name, labels in _labels(trial.table).items()
    }


def _labels(table: Table) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}
    for name, numbers in table.numbers.items():
        found[name] = _number_labels(numbers)
    for name, words in table.words.items():
        texts = np.array(["?" if word is None else str(word) for word in words], dtype=object)
        common, counts = np.unique(texts.astype(str), return_counts=True)
        kept = set(common[np.argsort(-counts, kind="stable")][:MOST_LEVELS])
        found[name] = np.array([text if text in kept else "…" for text in texts], dtype=object)
    return found


def _number_labels(numbers: np.ndarray) -> np.ndarray:
    known = numbers[~np.isnan(numbers)]
    distinct = np.unique(known)
    labels = np.full(len(numbers), "?", dtype=object)
    if len(distinct) <= QUANTILES:
        for value in distinct:
            labels[numbers == value] = f"{value:g}"
        return labels
    edges = np.unique(np.quantile(known, np.arange(1, QUANTILES) / QUANTILES, method="higher"))
    bounds = [-math.inf, *edges.tolist(), math.inf]
    for low, high in pairwise(bounds):
        text = (
            f"< {high:g}" if low == -math.inf else f"≥ {low:g}" if high == math.inf else f"{low:g} – {high:g}"
        )
        labels[(numbers >= low) & (numbers < high)] = text
    return labels
