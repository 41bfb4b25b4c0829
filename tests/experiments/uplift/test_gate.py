import numpy as np
import pytest

from experiments.uplift import Offer, Rule, study
from experiments.uplift.rules import best_rule, candidates


def test_a_constant_effect_makes_nobody_stand_out(made_trial):
    found = study(made_trial(lambda table: np.ones(len(table)), n=3000), draws=200)
    assert found.offer is Offer.NOBODY
    assert found.everybody is not None
    assert found.everybody.absolute == pytest.approx(1, abs=0.1)


def test_a_true_rule_is_found_and_no_model_is_offered_beside_it(made_trial):
    found = study(made_trial(lambda table: (table.words["city"] == "Oslo") * 1.0, n=3000), draws=200)
    assert found.offer is Offer.RULE
    assert found.rule == Rule("city", "is", "Oslo")
    assert found.rule_judged.inside.absolute == pytest.approx(1, abs=0.2)
    low, high = found.rule_judged.outside.absolute_ci
    assert low < 0 < high


def test_a_model_is_offered_where_no_single_rule_tells_the_customers_apart(made_trial):
    def by_two_traits(table):
        return 0.05 * (table.numbers["age"] - 45) + 1.0 * (table.numbers["visits"] - 3)

    found = study(made_trial(by_two_traits, n=6000), draws=200)
    assert found.offer is Offer.MODEL
    assert found.model_over_rule.is_above_zero
    assert found.model_judged.inside.absolute > found.model_judged.outside.absolute


def test_the_customers_who_judge_are_not_those_who_teach(made_trial):
    found = study(made_trial(lambda table: np.ones(len(table)), n=2000), names=["t_learner"], draws=50)
    assert found.customers == 2000
    assert found.judged_customers == pytest.approx(1000, abs=1)
    assert found.learner == "t_learner"


def test_too_few_customers_are_refused_with_the_number_needed(made_trial):
    with pytest.raises(ValueError, match="400 customers"):
        study(made_trial(lambda table: np.ones(len(table)), n=300))


def test_pure_luck_is_seldom_offered(made_trial):
    """No effect differs; a rule or a model slips through in at most one of twenty cases, twice over."""
    offered = 0
    for seed in range(20):
        trial = made_trial(lambda table: np.zeros(len(table)), n=1000, seed=seed)
        offered += study(trial, names=["t_learner"], draws=100, seed=seed).offer is not Offer.NOBODY
    assert offered <= 4


@pytest.mark.parametrize("seed", [0, 1])
def test_for_mens_visits_every_model_and_rule_is_refused(hillstrom, seed):
    trial, _ = hillstrom("Mens")
    assert study(trial, draws=200, seed=seed).offer is Offer.NOBODY


@pytest.mark.parametrize("seed", [0, 1])
def test_for_womens_visits_the_rule_bought_womens_before_is_found(hillstrom, seed):
    trial, _ = hillstrom("Womens")
    found = study(trial, draws=200, seed=seed)
    assert found.offer is Offer.RULE
    assert found.rule == Rule("womens", "at_least", 1.0)
    assert found.rule_judged.inside.absolute == pytest.approx(0.0731, abs=0.013)


def test_unknown_numbers_match_no_comparison_and_unknown_words_are_not_any(made_trial):
    trial = made_trial(lambda table: np.ones(len(table)), n=10)
    trial.table.numbers["age"][0] = np.nan
    trial.table.words["city"][0] = None
    assert not Rule("age", "at_least", 0.0).matches(trial.table)[0]
    assert not Rule("age", "less_than", 99.0).matches(trial.table)[0]
    assert Rule("city", "is_not", "Rome").matches(trial.table)[0]


def test_thresholds_are_values_that_occur(made_trial):
    trial = made_trial(lambda table: np.ones(len(table)), n=500)
    values = {rule.value for rule in candidates(trial.table) if rule.trait == "age"}
    assert len(values) == 9
    assert values <= set(trial.table.numbers["age"])


def test_a_rule_for_nearly_everybody_is_no_rule(made_trial):
    trial = made_trial(lambda table: np.ones(len(table)), n=2000)
    chosen = best_rule(trial)
    assert chosen is not None
    assert 0.05 <= chosen.matches(trial.table).mean() <= 0.95
