"""What is left of a report for whoever may not see personal data; floors of ten, numbers by hand."""

from datetime import UTC, datetime

import pytest

from experiments.breakdowns.report import Cut, compare_groups
from experiments.reports.floored import floored, speaks_of_few
from experiments.reports.report import Finding, MetricReport, Report, SeriesPoint, VariantSummary, Verdict
from experiments.stats import Mean, Proportion, Quantile, Ratio

NOW = datetime(2026, 11, 27, tzinfo=UTC)


@pytest.fixture(autouse=True)
def ten(settings):
    settings.K_ANONYMITY = 10


@pytest.mark.parametrize(
    ("statistic", "few"),
    [
        (Proportion(9, 0), True),
        (Proportion(50, 0), False),  # nobody is no person
        (Proportion(50, 3), True),
        (Proportion(50, 10), False),
        (Proportion(50, 47), True),  # those who did not, by subtraction
        (Proportion(50, 50), False),
        (Mean.of([100] + [0] * 49), True),  # the mean tells what one customer paid
        (Mean.of([7] * 9 + [0] * 41), True),
        (Mean.of([7] * 10 + [0] * 40), False),
        (Mean.of([0] * 50), False),
        (Mean.of([1000] + [1] * 49), True),  # one customer's money is nearly all of it
        (Ratio.of([30] * 10 + [0] * 40, [1] * 50), False),
        (Ratio.of([30] * 9 + [0] * 41, [1] * 50), True),
    ],
)
def test_a_number_speaks_of_few_when_fewer_than_ten_stand_behind_it(statistic, few):
    assert speaks_of_few(statistic) is few


def metric(key, control, treatment, *, is_primary=False, days=()):
    return MetricReport(
        key, key, "conversion", "Bought", "up", "shop", 7, is_primary, {"control": control, "a": treatment},
        "control", (), series=days, daily={"a": ((control, treatment),)},
    )  # fmt: skip


def report(*metrics, sizes=(50, 50), **more):
    variants = tuple(
        VariantSummary(key, key, key == "control", 0.5, n)
        for key, n in zip(("control", "a"), sizes, strict=True)
    )
    verdict = Verdict(Finding.UP, metric=metrics[0].key if metrics else None)
    return Report("key", "name", NOW, None, None, 0.05, variants, None, metrics, verdict=verdict, **more)


def test_a_metric_of_which_one_variant_tells_too_few_goes_as_a_whole():
    bought = metric("bought", Proportion(50, 12), Proportion(50, 20), is_primary=True)
    clicked = metric("clicked", Proportion(50, 12), Proportion(50, 3))
    found = floored(report(bought, clicked))
    assert [one.key for one in found.metrics] == ["bought"]
    assert found.verdict.finding is Finding.UP
    assert found.metrics[0].statistics["a"] == Proportion(50, 20)


def test_without_the_metric_that_decides_there_is_no_verdict():
    found = floored(report(metric("bought", Proportion(50, 12), Proportion(50, 3), is_primary=True)))
    assert (found.metrics, found.verdict.finding, found.verdict.effect) == ((), Finding.WITHHELD, None)


def test_a_small_variant_withholds_all_that_the_others_would_give_away():
    bought = metric("bought", Proportion(4, 0), Proportion(57, 20), is_primary=True)
    found = floored(report(bought, sizes=(4, 57), stage_counts={"sent": [None, 57]}))
    assert (found.metrics, found.verdict.finding) == ((), Finding.WITHHELD)
    assert [one.customers for one in found.variants] == [0, 50]
    assert found.stage_counts == {"sent": [None, 50]}


def test_the_first_days_with_few_customers_are_left_out():
    days = tuple(
        SeriesPoint(day, NOW, "a", None, statistics=(Proportion(50, n), Proportion(50, n)))
        for day, n in ((1, 2), (2, 12))
    )
    shown = metric("bought", Proportion(50, 12), Proportion(50, 20), is_primary=True, days=days)
    [found] = floored(report(shown)).metrics
    assert [point.day for point in found.series] == [2]
    assert found.daily == {}


def test_a_breakdown_goes_where_a_group_did_too_little():
    fifty, forty, thirty = Proportion(50, 20), Proportion(40, 18), Proportion(30, 12)
    groups = {
        "country": {"GB": (fifty, fifty), "CN": (thirty, Proportion(30, 4))},
        "plan": {"free": (forty, forty), "paid": (forty, forty)},
    }
    cuts = [
        Cut("trait", name, name, {label: {"control": c, "a": t} for label, (c, t) in by.items()})
        for name, by in groups.items()
    ]
    broken = compare_groups(cuts, metric="bought", baseline="control", variants=["a"])
    bought = metric("bought", Proportion(80, 32), Proportion(80, 38), is_primary=True)
    found = floored(report(bought, sizes=(80, 80), breakdown=broken)).breakdown
    assert [cut.name for cut in found.cuts] == ["plan"]
    assert found.left_out == (("country", "too_few"),)


def test_a_quantile_is_a_figure_about_all_its_customers():
    assert speaks_of_few(Quantile.of([1.0] * 9, level=0.5))
    assert not speaks_of_few(Quantile.of([1.0] * 10, level=0.5))
