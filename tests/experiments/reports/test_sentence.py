"""The first paragraph says no more than the interval, in whole sentences."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from experiments.reports import sentence
from experiments.reports.judging import compare_all, judge
from experiments.reports.report import MetricReport, Report, VariantSummary
from experiments.stats import Mean, Proportion, sample_ratio

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)


def report_of(statistics, *, direction="up", name="Revenue", now=NOW, weights=None):
    weights = weights or [1 / len(statistics)] * len(statistics)
    variants = tuple(
        VariantSummary(key, key.title(), key == "control", weight, statistic.n)
        for (key, statistic), weight in zip(statistics.items(), weights, strict=True)
    )
    metric = MetricReport(
        key="m", name=name, kind="revenue", event="Order Completed", direction=direction, scope="customer",
        window_days=14, is_primary=True, statistics=statistics, baseline="control",
        comparisons=compare_all(statistics, "control", simultaneous=True),
        complete_at=datetime(2026, 3, 15, tzinfo=UTC),
    )  # fmt: skip
    ratio = sample_ratio([v.customers for v in variants], [v.weight for v in variants])
    found = Report(
        key="k", name="K", as_of=now, started_at=None, ended_at=None, alpha=0.05,
        variants=variants, sample_ratio=ratio, metrics=(metric,),
    )  # fmt: skip
    return replace(found, verdict=judge(variants, ratio, metric, as_of=now))


def spend(n, mean, deviation=2.0):
    return Mean(n, n * mean, deviation**2 * (n - 1) + n * mean**2)


def test_a_raise_is_told_with_its_interval():
    found = report_of({"control": spend(1_000, 5.0), "a": spend(1_000, 5.5)})
    assert sentence.first_sentence(found) == (
        # Fieller (1954) by hand: m = 5.0 and 5.5, s²/n = 0.004, t(1998) = 1.961.
        "“A” raised “Revenue” by 10.0 % compared with “Control” (95% interval +6.4 % to +13.8 %, p < 0.0001)."
    )
    assert sentence.further_sentences(found) == [
        "This is the wanted direction.",
        "For each customer that is +0.50.",
        "Over all customers of this variant that makes +500.00 in all, between +324.59 and +675.41.",
    ]


def test_a_raise_of_something_unwanted_is_not_praised():
    found = report_of(
        {"control": Proportion(5_000, 50), "a": Proportion(5_000, 150)}, direction="down", name="Unsubscribed"
    )
    assert sentence.first_sentence(found).startswith("“A” raised “Unsubscribed” by 200.0 %")
    assert sentence.further_sentences(found)[:2] == [
        "This is not the wanted direction.",
        "For each customer that is +2.00 percentage points.",
    ]


def test_a_fall_is_told_as_a_fall():
    found = report_of({"control": spend(1_000, 5.5), "a": spend(1_000, 5.0)})
    assert sentence.first_sentence(found).startswith("“A” lowered “Revenue” by 9.1 %")
    assert "−12.1 % to −6.0 %" in sentence.first_sentence(found)


@pytest.mark.parametrize(
    "statistics",
    [
        {"control": spend(100, 5.0), "a": spend(100, 5.1)},
        {"control": Proportion(100, 30), "a": Proportion(100, 32)},
    ],
)
def test_when_zero_lies_inside_we_cannot_tell(statistics):
    found = report_of(statistics)
    assert sentence.first_sentence(found).startswith("We cannot tell whether")
    assert not any("direction" in s or "in all" in s for s in sentence.further_sentences(found))


def test_a_narrow_bound_is_not_rounded_to_zero():
    found = report_of({"control": Proportion(100_000, 1_000), "a": Proportion(100_000, 1_090)})
    assert found.verdict.finding == "up"
    assert not re.search(r"[ +]0\.0+ ", sentence.first_sentence(found))


def test_without_a_ratio_the_size_is_told_in_the_metric_s_own_unit():
    found = report_of({"control": spend(1_000, 0.0), "a": spend(1_000, 0.5)})
    assert "raised “Revenue” by 0.50 compared" in sentence.first_sentence(found)


def test_an_early_look_is_called_preliminary():
    found = report_of({"control": spend(90, 5.0), "a": spend(90, 7.0)}, now=NOW - timedelta(days=12))
    assert "preliminary" in sentence.further_sentences(found)[-1]


def test_more_variants_are_said_to_widen_the_interval():
    found = report_of({"control": spend(90, 5.0), "a": spend(90, 7.0), "b": spend(90, 5.0)})
    assert any(s.startswith("2 variants were compared") for s in sentence.further_sentences(found))


def test_a_broken_division_comes_before_any_effect():
    found = report_of({"control": spend(500, 5.0), "a": spend(900, 9.0)})
    assert "do not trust any effect" in sentence.first_sentence(found)
    assert sentence.further_sentences(found) == []


def test_nobody_and_nothing_have_their_sentences():
    assert sentence.first_sentence(report_of({"control": Mean(0, 0, 0), "a": Mean(0, 0, 0)})).startswith(
        "No customer"
    )
    assert "too little" in sentence.first_sentence(report_of({"control": Mean(5, 0, 0), "a": Mean(5, 0, 0)}))
    assert "nothing to compare" in sentence.first_sentence(report_of({"control": spend(9, 1)}))
