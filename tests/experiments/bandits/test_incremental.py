"""Against drawing from the posteriors, and against what can be said by hand."""

import numpy as np
import pytest

from experiments.bandits.incremental import LEAST, Gain, incremental_chances
from experiments.stats import Mean


def gain(treated, control, n=400, spread=10.0):
    """Means with that spread on both sides."""

    def side(mean):
        return Mean(n, n * mean, n * mean**2 + (n - 1) * spread**2)

    return Gain(side(treated), side(control))


def test_one_offer_is_shown_with_the_chance_that_it_brings_more_than_nothing():
    from scipy import stats

    one = gain(11.0, 10.0)
    above = stats.t.sf(0, df=798, loc=1.0, scale=10 * np.sqrt(2 / 400))
    np.testing.assert_allclose(incremental_chances([one], floor=0.0), [above, 1 - above], atol=1e-9)


def test_several_are_shown_as_often_as_a_draw_of_each_comes_out_on_top():
    gains = [gain(11.0, 10.0), gain(10.4, 10.0, n=200), gain(9.0, 10.0, n=90)]
    random = np.random.default_rng(3)
    draws = np.column_stack([one.quantile(random.random(400_000)) for one in gains])
    best = np.where(draws.max(axis=1) > 0, draws.argmax(axis=1), 3)
    expected = np.bincount(best, minlength=4) / len(best)
    np.testing.assert_allclose(incremental_chances(gains, floor=0.0), expected, atol=0.003)


def test_offers_that_do_harm_leave_doing_nothing():
    chances = incremental_chances([gain(5.0, 10.0), gain(6.0, 10.0)], floor=0.02)
    np.testing.assert_allclose(chances, [0.02, 0.02, 0.96], atol=1e-4)


def test_an_offer_without_evidence_is_explored_with_one_share_of_all():
    chances = incremental_chances([gain(15.0, 10.0), None, gain(20.0, 10.0, n=LEAST - 1)], floor=0.0)
    np.testing.assert_allclose(chances, [0.5, 0.25, 0.25, 0.0], atol=1e-6)
    np.testing.assert_allclose(incremental_chances([None, None], floor=0.02), [1 / 3] * 3)


def test_where_nobody_differs_there_is_no_evidence():
    nobody = Gain(Mean(500, 0, 0), Mean(500, 0, 0))
    assert nobody.effect is None
    np.testing.assert_allclose(incremental_chances([nobody], floor=0.1), [0.5, 0.5])


def test_many_offers_keep_a_floor_that_fits():
    chances = incremental_chances([gain(5.0, 10.0)] * 60, floor=0.02)
    assert chances.min() == pytest.approx(1 / 122) and chances.sum() == pytest.approx(1)


def test_the_effect_is_the_one_of_the_report():
    effect = gain(11.0, 10.0).effect
    assert effect.absolute == pytest.approx(1.0)
    assert effect.absolute_ci == pytest.approx((1 - 1.388, 1 + 1.388), abs=0.001)
