"""The honesty gate: whom to mail, said only as far as customers who were not learned from bear it out.

Half of the customers teach, half judge. The teaching half chooses one one-line rule and one model; the
judging half says whether the rule's customers gain more than the others, and whether the model beats random
order and the rule. A model that does not beat the rule is not offered, however clever it is.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from experiments.stats import Effect, Statistic, compare
from experiments.uplift import learners
from experiments.uplift.bootstrap import Estimate, gains
from experiments.uplift.curves import qini_gain
from experiments.uplift.learners import Base, Learner
from experiments.uplift.rules import Rule, best_rule
from experiments.uplift.subgroups import heterogeneity
from experiments.uplift.table import Booleans, Floats, Table
from experiments.uplift.trial import Trial, split

# Fewer customers in a group of the judging half say nothing about a ranking.
LEAST_CUSTOMERS = 200


class Offer(StrEnum):
    MODEL = "model"  # it beats random order and the best rule
    RULE = "rule"  # its customers gain more than the others
    NOBODY = "nobody"  # no evidence that the effect differs


@dataclass(frozen=True)
class Judged:
    """On the judging half. `gain` is over random order, per treated customer, averaged over all shares that
    may be mailed. `inside` are those to be mailed first: effect there, effect among the others (None where it
    cannot be computed), and p-value for their difference. `sums`: control and treatment inside, then outside.
    """

    gain: Estimate
    share: float
    inside: Effect | None
    outside: Effect | None
    difference_p: float | None
    sums: tuple[Statistic, ...]

    @property
    def stands_out(self) -> bool:
        if self.inside is None or self.outside is None or self.difference_p is None:
            return False
        return self.difference_p < self.inside.alpha and self.inside.absolute > self.outside.absolute


@dataclass(frozen=True)
class Study:
    """`everybody` is the effect over all customers of the trial, `sums` their control and treatment."""

    offer: Offer
    everybody: Effect | None
    sums: tuple[Statistic, Statistic]
    rule: Rule | None
    rule_judged: Judged | None
    learner: str
    base: Base
    model_judged: Judged
    model_over_rule: Estimate | None
    customers: int
    judged_customers: int
    seed: int
    model: Learner
    columns: Table  # as the model knows them, without rows


def study(
    trial: Trial,
    *,
    names: Sequence[str] | None = None,
    base: Base = "linear",
    cost: float = 0.0,
    alpha: float = 0.05,
    draws: int = 500,
    seed: int = 0,
    tell: Callable[[float], None] = lambda _share: None,
) -> Study:
    """Larger outcomes are better. `cost`: what a message must bring, in units of the outcome; the model's
    customers to be mailed are those expected to bring more. `tell` hears which share is done.

    Raises ValueError when the trial is too small to be halved.
    """
    taught, held = (trial.rows(rows) for rows in split(trial, parts=2, seed=seed))
    if min((held.treated == group).sum() for group in (0, 1)) < LEAST_CUSTOMERS:
        raise ValueError(f"{2 * LEAST_CUSTOMERS} customers are needed with a message and as many without")
    rule = best_rule(taught)
    tell(0.05)
    name = _best_learner(taught, names or learners.names(), base, seed, tell)
    model = learners.get(name)(base=base, seed=seed).fit(taught)
    predicted = model.predict(held.table)
    tell(0.8)
    scores = [predicted] + ([rule.matches(held.table).astype(np.float64)] if rule else [])
    gained = gains(held.outcome, held.treated, scores, alpha=alpha, draws=draws, seed=seed)
    model_judged = _judge(held, predicted > _cut(predicted, cost), gained.over_random[0], alpha)
    rule_judged = _judge(held, rule.matches(held.table), gained.over_random[1], alpha) if rule else None
    over_rule = gained.of_first_over[0] if rule else None
    control, treatment = trial.statistics(np.ones(len(trial), dtype=bool))
    return Study(
        offer=_offer(model_judged, over_rule, rule_judged),
        everybody=compare(control, treatment, alpha=alpha),
        sums=(control, treatment),
        rule=rule,
        rule_judged=rule_judged,
        learner=name,
        base=base,
        model_judged=model_judged,
        model_over_rule=over_rule,
        customers=len(trial),
        judged_customers=len(held),
        seed=seed,
        model=model,
        columns=trial.table.rows(np.zeros(len(trial), dtype=bool)),
    )


def _best_learner(
    taught: Trial, names: Sequence[str], base: Base, seed: int, tell: Callable[[float], None]
) -> str:
    """By the gain of out-of-fold predictions within the teaching half."""
    found = {}
    for n, name in enumerate(names if len(names) > 1 else [], start=1):
        predicted = learners.cross_fit(learners.get(name), taught, base=base, seed=seed)
        found[name] = qini_gain(taught.outcome, taught.treated, predicted)
        tell(0.05 + 0.65 * n / len(names))
    return max(found, key=lambda name: found[name]) if found else names[0]


def _cut(predicted: Floats, cost: float) -> float:
    """Everybody or nobody may be expected to be worth a message; then the upper half is looked at."""
    return cost if predicted.min() <= cost < predicted.max() else float(np.median(predicted))


def _judge(held: Trial, inside: Booleans, gain: Estimate, alpha: float) -> Judged:
    groups = {"inside": held.statistics(inside), "outside": held.statistics(~inside)}
    within, without = (compare(*groups[name], alpha=alpha) for name in ("inside", "outside"))
    test = heterogeneity(groups)
    sums = (*groups["inside"], *groups["outside"])
    return Judged(gain, float(inside.mean()), within, without, test.p_value if test else None, sums)


def _offer(model: Judged, over_rule: Estimate | None, rule: Judged | None) -> Offer:
    rule_holds = rule is not None and rule.gain.is_above_zero and rule.stands_out
    if model.gain.is_above_zero and model.stands_out and (over_rule is None or over_rule.is_above_zero):
        return Offer.MODEL
    return Offer.RULE if rule_holds else Offer.NOBODY
