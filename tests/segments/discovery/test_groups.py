"""Clouds whose groups are known, and clouds without any."""

import numpy as np
import pytest

from personalization.segments.discovery.groups import (
    distinctions,
    find_groups,
    match_letters,
    nearest,
)
from personalization.segments.discovery.scaling import Scaling, learn_scaling


def clouds(centers, *, each=250, columns=6, seed=1):
    draw = np.random.default_rng(seed)
    table = draw.normal(size=(each * len(centers), columns))
    truth = np.repeat(np.arange(len(centers)), each)
    for label, center in enumerate(centers):
        table[truth == label, : len(center)] += center
    return table, truth


FOUR = [(4, 0, 0), (-4, 0, 0), (0, 5, 0), (0, 0, 5)]


def test_four_clouds_are_found_as_four_and_everybody_is_in_the_own_one():
    table, truth = clouds(FOUR)
    found = find_groups(table)

    assert found.centers is not None
    assert found.centers.shape == (4, 6)
    pairs = {(int(a), int(b)) for a, b in zip(truth, found.labels, strict=True)}
    agreement = max(np.bincount(found.labels[truth == label]).max() for label in range(4))
    assert agreement >= 245
    assert len({b for _a, b in pairs}) == 4
    assert (nearest(table, found.centers) == found.labels).mean() == 1.0
    assert [tried.groups for tried in found.tried if tried.holds][-1] == 4


def cloud(kind, draw):
    round_one = draw.normal(size=(600, 5))
    if kind == "long":
        return round_one * [6, 1, 1, 1, 1]
    if kind == "square":
        return draw.uniform(-2, 2, size=(600, 5))
    if kind == "skewed":
        raw = draw.exponential(50, size=(600, 5)).round()
        return learn_scaling(raw).apply(raw)
    return round_one


@pytest.mark.parametrize("kind", ["round", "long", "square", "skewed"])
def test_one_cloud_has_no_groups_whatever_its_form(kind):
    found = find_groups(cloud(kind, np.random.default_rng(1)))

    assert found.centers is None
    assert len(found.tried) == 7


def test_a_few_customers_are_refused():
    with pytest.raises(ValueError, match="200"):
        find_groups(np.zeros((199, 2)))


def test_a_group_is_told_by_the_columns_in_which_it_differs_most():
    table, truth = clouds(FOUR)

    first = distinctions(table, truth, 0)
    assert first[0][0] == 0
    assert first[0][1] == pytest.approx(4 + 4 / 3, abs=0.2)  # the others' mean there is −4/3
    assert {column for column, _ in first} == {0, 1, 2}


def test_groups_keep_their_letters_when_found_anew_under_other_numbers():
    before = ["A"] * 5 + ["B"] * 5 + ["C"] * 5
    labels = np.array([2] * 5 + [0] * 4 + [1] + [1] * 5)

    assert match_letters(before, labels, groups=3) == ["B", "C", "A"]
    assert match_letters([""] * 15, labels, groups=3) == ["A", "B", "C"]


def test_scaling_goes_to_json_and_back_and_fills_what_is_unknown():
    raw = np.array([[1.0, 0.0, 5.0], [3.0, 100.0, 5.0], [np.nan, 0.0, 5.0], [3.0, 0.0, 5.0]])
    scaling = learn_scaling(raw)
    scaled = Scaling(**scaling.to_json()).apply(raw)

    assert scaling.kept == [0, 1]  # the third is the same for all
    assert scaling.logged == [False, True, False]
    assert scaled[2, 0] == scaled[1, 0]  # unknown counts as the middle one, 3
    assert scaled.std(axis=0) == pytest.approx([1, 1])
