"""How like the members of a segment somebody is: a logistic regression, and whether it can tell at all. Pure.

Judged on members it has not seen (five folds); the interval of the area under the curve is DeLong, DeLong and
Clarke-Pearson's (1988), by mid-ranks (Sun and Xu, 2014).
"""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from personalization.segments.discovery.scaling import Table

LEAST_MEMBERS = 50
FOLDS = 5
CONFIDENCE = 0.95
STEPS = 1_000  # of the scale on which scores are compared with everybody's


@dataclass(frozen=True)
class Area:
    """The chance that a member scores above somebody else, with interval; .5 is a coin."""

    value: float
    low: float
    high: float

    @property
    def tells(self) -> bool:
        return self.low > 0.5


@dataclass(frozen=True)
class Likeness:
    """`weights`: per column, for scaled columns. `scale`: scores of the others in rising order, by which a
    score becomes a place of 0 to 100. `lift`: members among the best tenth, as a multiple of their share."""

    area: Area
    lift: float
    weights: list[float]
    scale: list[float]

    def places(self, table: Table) -> NDArray[np.int64]:
        """For each row the percent of the others who are less alike."""
        return places_of(table, self.weights, self.scale)


def places_of(table: Table, weights: list[float], scale: list[float]) -> NDArray[np.int64]:
    below = np.searchsorted(np.array(scale), table @ np.array(weights), side="left")
    return np.asarray(np.minimum(below * 100 // len(scale), 100), dtype=np.int64)


def learn_likeness(members: Table, others: Table, *, seed: int = 0) -> Likeness:
    """Both scaled, (customers, columns). Raises ValueError for fewer than LEAST_MEMBERS on either side."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    if min(len(members), len(others)) < LEAST_MEMBERS:
        raise ValueError(f"at least {LEAST_MEMBERS} members and as many others are needed")
    table = np.vstack([members, others])
    truth = np.r_[np.ones(len(members)), np.zeros(len(others))]
    model = LogisticRegression(C=0.1, class_weight="balanced", max_iter=1_000)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    unseen = cross_val_predict(model, table, truth, cv=folds, method="decision_function")
    weights = model.fit(table, truth).coef_[0]
    border = np.quantile(unseen[truth == 0], 0.9)
    scores = np.sort(others @ weights)
    return Likeness(
        area=area_under_curve(unseen[truth == 1], unseen[truth == 0]),
        lift=float((unseen[truth == 1] > border).mean() / 0.1),
        weights=weights.tolist(),
        scale=np.quantile(scores, (np.arange(STEPS) + 0.5) / STEPS).tolist(),
    )


def area_under_curve(members: NDArray[np.float64], others: NDArray[np.float64]) -> Area:
    """With its interval, cut at 0 and 1. Both sides need two scores at least."""
    from scipy.stats import rankdata

    m, n = len(members), len(others)
    ranks = rankdata(np.concatenate([members, others]))
    of_members = (ranks[:m] - rankdata(members)) / n
    of_others = 1 - (ranks[m:] - rankdata(others)) / m
    value = float(of_members.mean())
    error = float(np.sqrt(of_members.var(ddof=1) / m + of_others.var(ddof=1) / n))
    reach = NormalDist().inv_cdf((1 + CONFIDENCE) / 2) * error
    return Area(value, max(value - reach, 0.0), min(value + reach, 1.0))
