"""Likeness: against scikit-learn, a bootstrap, and members that cannot be told from anybody."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from personalization.segments.discovery.likeness import area_under_curve, learn_likeness


def test_the_area_is_that_of_scikit_learn_ties_and_all():
    draw = np.random.default_rng(3)
    members, others = draw.normal(0.6, 1, 80).round(1), draw.normal(0, 1, 200).round(1)

    area = area_under_curve(members, others)

    truth = np.r_[np.ones(80), np.zeros(200)]
    assert area.value == pytest.approx(roc_auc_score(truth, np.r_[members, others]), abs=1e-12)


def test_the_interval_is_about_that_of_a_bootstrap():
    draw = np.random.default_rng(4)
    members, others = draw.normal(0.8, 1, 150), draw.normal(0, 1, 300)
    area = area_under_curve(members, others)
    resampled = [
        area_under_curve(draw.choice(members, 150), draw.choice(others, 300)).value for _ in range(500)
    ]

    assert area.low == pytest.approx(np.quantile(resampled, 0.025), abs=0.012)
    assert area.high == pytest.approx(np.quantile(resampled, 0.975), abs=0.012)


def test_members_who_differ_are_told_and_the_most_alike_get_the_highest_places():
    draw = np.random.default_rng(5)
    members = draw.normal([1.2, 0, 0], 1, size=(200, 3))
    others = draw.normal(0, 1, size=(1000, 3))

    found = learn_likeness(members, others)

    assert found.area.tells
    assert found.area.value == pytest.approx(0.80, abs=0.03)  # Φ(1.2/√2) = .802
    assert found.lift > 2
    assert np.argmax(np.abs(found.weights)) == 0
    places = found.places(others)
    assert (places.min(), places.max()) == (0, 100)
    assert np.corrcoef(places, others[:, 0])[0, 1] > 0.9
    assert (places >= 90).mean() == pytest.approx(0.1, abs=0.01)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_members_drawn_by_chance_are_no_kind(seed):
    draw = np.random.default_rng(seed)

    assert not learn_likeness(draw.normal(size=(150, 8)), draw.normal(size=(600, 8))).area.tells


def test_too_few_members_are_refused():
    with pytest.raises(ValueError, match="50"):
        learn_likeness(np.zeros((49, 2)), np.zeros((500, 2)))
