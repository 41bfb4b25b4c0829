"""What is left of studies for whoever may not see personal data; floors of ten, numbers by hand."""

import pytest

from experiments.models import LongRunStudy, TargetingStudy
from experiments.reports.floored_studies import told_long_run, told_targeting


@pytest.fixture(autouse=True)
def ten(settings):
    settings.K_ANONYMITY = 10


def bought(n, people, each=5):
    return {"n": n, "sum": people * each, "sum_squares": people * each * each}


def week(held, reached, messages=400):
    return {"messages": messages, "sums": [held, reached]}


FEW, MANY = week(bought(100, 9), bought(400, 80)), week(bought(100, 20), bought(400, 80))


@pytest.mark.parametrize(
    ("weeks", "left"),
    [
        ([MANY, MANY], [MANY, MANY]),
        ([FEW, MANY], [MANY]),
        ([MANY, FEW], []),  # what an earlier week says is not what everything earned
        ([week(bought(9, 0), bought(400, 80))], []),  # nine were kept out
        ([week(bought(100, 20), bought(400, 80), messages=3)], []),
        ([{"messages": 400}], []),  # made before the sums were kept
    ],
)
def test_a_week_is_told_when_ten_stand_behind_each_of_its_sums(weeks, left):
    study = LongRunStudy(weeks=weeks)
    assert told_long_run(study, whole=False) is bool(left) and study.weeks == left
    study = LongRunStudy(weeks=weeks)
    assert told_long_run(study, whole=True) and study.weeks == weeks


def share(n, successes):
    return {"n": n, "successes": successes}


def targeting(inside=None, rule=None, level=None):
    inside = inside or share(100, 50)
    half = [inside, share(100, 50), share(100, 50), share(100, 50)]
    levels = [{"label": "yes", "control": level or share(100, 50), "treatment": share(100, 50)}]
    document = {
        "sums": [share(200, 100), share(200, 100)], "model": {"sums": half}, "rule": rule,
        "subgroups": {"breakdowns": [{"trait": "tea", "differs": True, "levels": levels}]},
    }  # fmt: skip
    return TargetingStudy(offer="model", document=document)


@pytest.mark.parametrize(
    "study",
    [targeting(inside=share(100, 9)), targeting(inside=share(100, 91)), targeting(rule={"share": 0.2})],
)
def test_a_study_of_which_one_side_is_of_few_is_not_told_at_all(study):
    assert told_targeting(study, whole=True) and study.document
    assert not told_targeting(study, whole=False)
    assert (study.document, study.offer) == (None, "")


def test_the_groups_of_a_trait_go_where_one_is_small_and_whether_they_differ_stays():
    study = targeting(level=share(12, 3))
    assert told_targeting(study, whole=False) and study.offer == "model"
    assert study.document["subgroups"]["breakdowns"] == [{"trait": "tea", "differs": True, "levels": []}]
    study = targeting()
    assert told_targeting(study, whole=False)
    assert len(study.document["subgroups"]["breakdowns"][0]["levels"]) == 1
