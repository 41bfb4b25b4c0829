import re
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from experiments import services
from experiments.models import Metric
from experiments.plans.draft import draft_criteria, entrants_of
from experiments.plans.plan import freeze_plan
from experiments.reports.notices import notices
from experiments.reports.report import Finding
from experiments.selectors import report
from experiments.services import VariantSpec
from experiments.stats import Mean, Proportion, compare
from experiments.sums.metric_sums import load_assigned
from experiments.sums.questions import Question


@pytest.fixture(autouse=True)
def default_metrics(db):
    services.ensure_default_metrics()


@pytest.fixture
def two_groups(make_experiment, make_customers, place):
    """40 customers: the first 20 control, the others message A."""
    experiment, customers = make_experiment(), make_customers(40)
    place(experiment, "control", customers[:20])
    place(experiment, "a", customers[20:])
    return experiment, customers[:20], customers[20:]


def of(found, key):
    return next(metric for metric in found.metrics if metric.key == key)


def test_customers_without_events_count_as_zero(two_groups, happen, start):
    experiment, control, treated = two_groups
    happen(control[0], value="10.00")
    happen(treated[0], value="20.50", days=1)
    happen(treated[0], value="4.25", days=3)
    happen(treated[1], value="7.00", days=2)
    found = report(experiment, now=start + timedelta(days=20))
    revenue, conversion = of(found, "revenue"), of(found, "conversion")
    assert revenue.statistics == {
        "control": Mean(20, Decimal("10.00"), Decimal("100.0000")),
        "a": Mean(20, Decimal("31.75"), Decimal("24.75") ** 2 + 49),
    }
    assert conversion.statistics == {"control": Proportion(20, 1), "a": Proportion(20, 2)}
    assert revenue.baseline == "control"
    assert revenue.comparisons[0].effect == compare(*revenue.statistics.values())


def test_a_shop_that_never_sent_what_the_metric_counts_is_told_so(two_groups, happen, start):
    experiment, _control, treated = two_groups
    happen(treated[0], "Order Line", value="20.50")

    def told(days: int) -> list[tuple[str, str]]:
        found = notices(report(experiment, now=start + timedelta(days=days)))
        return [(one.kind, one.text) for one in found if one.kind in ("unknown_event", "stale_data")]

    ((kind, text),) = told(5)
    assert kind == "unknown_event"
    assert "No event “Order Completed” has ever come in, and “Revenue” counts nothing else." in text
    happen(treated[0], value="20.50", days=6)
    assert told(7) == []


def test_only_events_in_the_window_after_assignment_count(two_groups, happen, start):
    experiment, _, treated = two_groups
    happen(treated[0], value="1.00", days=-0.01)
    happen(treated[1], value="2.00", days=0)
    happen(treated[2], value="4.00", days=13.999)
    happen(treated[3], value="8.00", days=14)
    found = report(experiment, now=start + timedelta(days=60))
    assert of(found, "revenue").statistics["a"].sum == Decimal("6.00")
    assert of(found, "revenue").complete_at == start + timedelta(days=14)


def test_the_future_is_not_read(two_groups, happen, start):
    experiment, _, treated = two_groups
    happen(treated[0], value="2.00", days=1)
    happen(treated[1], value="4.00", days=5)
    found = report(experiment, now=start + timedelta(days=4))
    assert of(found, "revenue").statistics["a"].sum == Decimal("2.00")
    assert report(experiment, now=start - timedelta(days=1)).verdict.finding is Finding.NOBODY


def test_later_assigned_customers_have_their_own_window(
    make_experiment, make_customers, place, happen, start
):
    experiment, customers = make_experiment(), make_customers(8)
    place(experiment, "control", customers[:4])
    place(experiment, "a", customers[4:6])
    place(experiment, "a", customers[6:], at=start + timedelta(days=5))
    happen(customers[6], value="1.00", days=4)
    happen(customers[6], value="2.00", days=18)
    happen(customers[4], value="4.00", days=18)
    found = report(experiment, now=start + timedelta(days=30))
    assert of(found, "revenue").statistics["a"].sum == Decimal("2.00")
    series = of(found, "revenue").series
    assert series[0].effect is None  # nothing has happened yet
    assert series[-1].day == 18
    assert series[-1].effect == of(found, "revenue").comparisons[0].effect


def test_the_series_adds_up_to_the_report_of_each_day(two_groups, happen, start):
    experiment, control, treated = two_groups
    for number, customer in enumerate([*control[:6], *treated[:9], *treated[:5]]):
        happen(customer, value=f"{number + 1}.50", days=number * 0.61)
    final = of(report(experiment, now=start + timedelta(days=30)), "revenue")
    assert len(final.series) == 14
    for point in final.series:
        until_then = report(experiment, now=point.at - timedelta(microseconds=1))
        assert point.effect == of(until_then, "revenue").comparisons[0].effect


def test_mail_metrics_count_own_events_and_compare_mailed_variants(
    make_experiment, make_customers, place, happen, start
):
    experiment = make_experiment(
        variants=[
            VariantSpec("control", "None", 1, is_control=True),
            VariantSpec("a", "A", 1),
            VariantSpec("b", "B", 1),
        ]
    )
    customers = make_customers(30)
    for key, part in (("control", customers[:10]), ("a", customers[10:20]), ("b", customers[20:])):
        place(experiment, key, part)
    for customer in customers[10:13]:
        happen(customer, "Message Clicked", experiment="spring")
        happen(customer, "Message Clicked", experiment="spring", days=2)
    happen(customers[14], "Message Clicked", experiment="another")
    happen(customers[21], "Message Clicked", experiment="spring")
    clicked = of(report(experiment, now=start + timedelta(days=3)), "clicked")
    assert clicked.statistics == {"a": Proportion(10, 3), "b": Proportion(10, 1)}
    assert (clicked.baseline, clicked.comparisons[0].variant) == ("a", "b")


def test_a_count_adds_every_event(two_groups, happen, start):
    experiment, control, treated = two_groups
    views = Metric.objects.create(key="views", name="Views", kind="count", event="Product Viewed")
    for customer, times in ((treated[0], 3), (treated[1], 1), (control[0], 2)):
        for day in range(times):
            happen(customer, "Product Viewed", days=day + 0.5)
    found = of(report(experiment, metrics=[views], now=start + timedelta(days=9)), "views")
    assert found.statistics == {"control": Mean(20, 2, 4), "a": Mean(20, 4, 10)}
    assert found.is_primary  # the only one asked for


def test_a_clear_effect_gives_a_verdict_with_its_sum(two_groups, happen, start):
    experiment, control, treated = two_groups
    for number, customer in enumerate(control):
        happen(customer, value=f"{number % 5}.00")
    for number, customer in enumerate(treated):
        happen(customer, value=f"{10 + number % 5}.00")
    verdict = report(experiment, now=start + timedelta(days=20)).verdict
    assert (verdict.finding, verdict.variant, verdict.is_good) == (Finding.UP, "a", True)
    assert verdict.effect.absolute == pytest.approx(10.0)
    assert verdict.incremental.value == pytest.approx(200.0)
    assert verdict.incremental.ci == pytest.approx([bound * 20 for bound in verdict.effect.absolute_ci])
    assert not verdict.is_preliminary


def test_cannot_tell_is_an_answer(two_groups, happen, start):
    experiment, control, treated = two_groups
    happen(control[0], value="10.00")
    happen(treated[0], value="11.00")
    verdict = report(experiment, now=start + timedelta(days=2)).verdict
    assert (verdict.finding, verdict.is_good, verdict.is_preliminary) == (Finding.UNCLEAR, None, True)


def test_without_events_nothing_is_claimed(two_groups, start):
    experiment, *_ = two_groups
    found = report(experiment, now=start + timedelta(days=2))
    assert found.verdict.finding is Finding.NOT_ENOUGH
    assert of(found, "revenue").comparisons[0].obstacle == "no_variation"


def test_a_broken_division_silences_every_effect(make_experiment, make_customers, place, happen, start):
    experiment, customers = make_experiment(), make_customers(120)
    place(experiment, "control", customers[:30])
    place(experiment, "a", customers[30:])
    for customer in customers[30:]:
        happen(customer, value="9.00")
    found = report(experiment, now=start + timedelta(days=20))
    assert found.sample_ratio.mismatch
    assert found.verdict.finding is Finding.MISMATCH
    assert found.verdict.effect is None


def test_several_variants_share_the_error_rate(make_experiment, make_customers, place, happen, start):
    """Each alone would just pass 5 %; both together do not."""
    keys = ["control", "a", "b"]
    experiment = make_experiment(variants=[VariantSpec(k, k, 1, is_control=k == "control") for k in keys])
    customers = make_customers(60)
    groups = {key: customers[n * 20 : n * 20 + 20] for n, key in enumerate(keys)}
    for key, group in groups.items():
        place(experiment, key, group)
    for number in range(20):
        happen(groups["control"][number], value=f"{10 + number % 5}.00")
        happen(groups["a"][number], value=f"{10 + number % 5}.95")
        happen(groups["b"][number], value=f"{10 + number % 5}.10")
    found = report(experiment, now=start + timedelta(days=20))
    comparison = of(found, "revenue").comparisons[0]
    assert 0.025 < comparison.effect.p_value < 0.05
    assert comparison.adjusted_p_value == pytest.approx(2 * comparison.effect.p_value)
    assert comparison.simultaneous.absolute_ci[0] < 0 < comparison.effect.absolute_ci[0]
    assert comparison.decisive is comparison.simultaneous
    assert comparison.decisive_p_value == comparison.adjusted_p_value
    assert found.verdict.finding is Finding.UNCLEAR
    assert found.verdict.compared == 2


def test_that_numbers_are_rough_is_said_once_for_all_variants(
    make_experiment, make_customers, place, happen, start
):
    keys = ["control", "a", "b"]
    experiment = make_experiment(variants=[VariantSpec(k, k, 1, is_control=k == "control") for k in keys])
    customers = make_customers(60)
    for n, key in enumerate(keys):
        place(experiment, key, customers[n * 20 : n * 20 + 20])
        happen(customers[n * 20], value="10.00")
        happen(customers[n * 20 + 1], value="12.00")
    found = report(experiment, now=start + timedelta(days=20))
    rough = [notice for notice in notices(found) if notice.kind == "too_few"]
    assert [(one.metric, one.variant) for one in rough] == [("revenue", None)]
    assert rough[0].text == "Few customers did “Revenue” so far: the numbers of “a”, “b” are rough."


def test_metrics_of_the_same_events_cost_one_query(two_groups, django_assert_num_queries, start):
    experiment, *_ = two_groups
    metrics = list(Metric.objects.all())
    # Two for who was assigned, one each for the variants and the plan, one for who saw another one, a
    # transaction (two) with its three settings, one for all metrics of the same events between two settings,
    # one for the newest event of each name.
    names = {metric.event for metric in metrics}
    assigned = load_assigned(experiment, as_of=start + timedelta(days=1))
    sources = {Question(experiment, metric, assigned.calendar).source for metric in metrics}
    assert len(sources) < len(metrics)
    with django_assert_num_queries(10 + 3 * len(sources) + len(names)):
        report(experiment, metrics=metrics, now=start + timedelta(days=1))


def test_headline_and_plan_speak_of_the_same_baseline(make_experiment, make_customers, place, happen, start):
    """B doubles A; nothing was sent to the control. The plan compares B with A, and so does the verdict."""
    experiment = make_experiment(
        variants=[
            VariantSpec("control", "No", 1, is_control=True),
            VariantSpec("a", "A", 1),
            VariantSpec("b", "B", 1),
        ]
    )  # fmt: skip
    people = make_customers(90)
    for place_of, key in enumerate(("control", "a", "b")):
        group = people[place_of * 30 : place_of * 30 + 30]
        place(experiment, key, group)
        for number, person in enumerate(group):
            if place_of:
                happen(person, value=f"{place_of * 10 + number % 3}", days=1)
    criteria = draft_criteria(
        entrants_of(experiment), wishes={"baseline": "a", "metric": "revenue"}, start=start
    )
    freeze_plan(experiment, criteria, actor="test", at=start)
    found = report(experiment, now=start + timedelta(days=2))
    assert (found.verdict.variant, found.verdict.baseline) == ("b", "a")
    assert found.verdict.effect.absolute == pytest.approx(10)
    assert {one.baseline for one in found.primary.comparisons} == {"a"}
    against = {one.variant: one.effect.absolute for one in found.primary.against_control}
    assert against == {"a": pytest.approx(11), "b": pytest.approx(21)}
    assert all(one.baseline == "control" for one in found.primary.against_control)


def test_the_documents_example_is_right():
    """docs/statistics.md shows a computation; it must run and answer what it says."""
    text = (Path(__file__).parents[3] / "docs/statistics.md").read_text()
    code = re.search(r"```python\n(.*?)print\(compare", text, re.DOTALL).group(1)
    names = {}
    exec(code, names)
    effect = compare(names["control"], names["treated"])
    assert effect.absolute == pytest.approx(0.42441222, abs=1e-6)
    assert effect.absolute_ci == pytest.approx((0.16895679, 0.67986764), abs=1e-5)
    assert effect.p_value == pytest.approx(0.00112940, abs=1e-6)
