"""A/A: two groups treated alike, spend as in shops: nine in a hundred buy, amounts are skewed."""

import numpy as np

from experiments.stats import Mean, compare


def test_skewed_spend_gives_few_false_alarms_and_on_both_sides():
    random = np.random.default_rng(20_080_320)
    runs, customers, alarms = 2_000, 2_000, {"up": 0, "down": 0}
    for _ in range(runs):
        spend = random.lognormal(4, 0.8, (2, customers)) * (random.random((2, customers)) < 0.09)
        one, other = (Mean(customers, float(arm.sum()), float((arm * arm).sum())) for arm in spend)
        effect = compare(one, other)
        if effect.p_value < 0.05:
            alarms["up" if effect.absolute > 0 else "down"] += 1
            assert (effect.relative_ci[0] > 0) == (effect.absolute > 0)
    # 2.5 % on each side, within three standard errors of 2,000 runs.
    assert 0.014 < alarms["up"] / runs < 0.036
    assert 0.014 < alarms["down"] / runs < 0.036
