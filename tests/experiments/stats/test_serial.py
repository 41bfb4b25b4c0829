import json
from decimal import Decimal

import pytest

from experiments.stats import (
    Adjusted,
    Count,
    CrossProducts,
    Mean,
    MultiAdjusted,
    NormalPrior,
    Proportion,
    Quantile,
    Ratio,
    Stratified,
    as_json,
    bayesian,
    compare,
    from_json,
    non_inferiority,
    novelty,
    plan_looks,
    sample_ratio,
    simultaneous,
    watch,
)

MEAN, OTHER = Mean(5, Decimal("10.25"), Decimal("40.5")), Mean(6, Decimal("19.5"), Decimal("90"))
RATIO = Ratio(3, Decimal("6.5"), Decimal("15"), 6, 14, Decimal("14.2"), cap=9)


@pytest.mark.parametrize(
    "value",
    [
        MEAN,
        Mean(2, 3, 5, cap=Decimal("2.5")),
        Proportion(10, 3),
        Count(4, 2, Decimal("8.5")),
        RATIO,
        Quantile(0.9, ((Decimal("0"), 3), (Decimal("9.99"), 1))),
        Adjusted(RATIO, RATIO, CrossProducts(15, Decimal("14.2"), Decimal("14.2"), 14)),
        MultiAdjusted(Mean(3, 6, 14), (Mean(3, 6, 14), Mean(3, 3, 3)), (14, 6), (6,)),
        Stratified({"new": MEAN, "old": OTHER}),
        compare(MEAN, OTHER),
        compare(Proportion(90, 0), Proportion(90, 7), alternative="greater", method="always_valid"),
        bayesian(MEAN, OTHER, prior=NormalPrior(0, 0.2)),
        plan_looks(3),
        sample_ratio([10, 12], [1, 1]),
        simultaneous([(MEAN, OTHER), (OTHER, MEAN)])[0],
        novelty([(MEAN, OTHER)] * 4),
        non_inferiority(MEAN, OTHER, margin=1),
        watch("group_sequential", looks=3),
        None,
    ],
)
def test_everything_comes_back_from_json_as_it_was(value):
    assert from_json(json.loads(json.dumps(as_json(value), allow_nan=False))) == value


def test_other_things_are_refused():
    with pytest.raises(TypeError, match="no document"):
        as_json(object())
    with pytest.raises(ValueError, match="kind"):
        from_json({"kind": "Nobody"})
    with pytest.raises(ValueError, match="no document of the kind Mean"):
        from_json({"kind": "Mean", "n": 1})
