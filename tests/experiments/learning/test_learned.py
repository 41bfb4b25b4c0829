"""A learned division in the report: sums by day by hand, what is believed of each, and what learning cost."""

from datetime import timedelta

import numpy as np
import pytest

from experiments.models import Allocation, Assignment, Metric
from experiments.off_policy import ArmSums
from experiments.reports.document import document
from experiments.reports.findings import as_document, from_document, read_findings
from experiments.reports.serializers import ReportSerializer
from experiments.selectors import newest_report, report_of
from experiments.services import VariantSpec, ensure_default_metrics
from experiments.sums.outcome_growth import load_growth

pytestmark = pytest.mark.django_db
SPECS = [
    VariantSpec("none", "No message", 0.2, is_control=True),
    VariantSpec("a", "A", 0.4),
    VariantSpec("b", "B", 0.4),
]
DAY = timedelta(days=1)


@pytest.fixture
def learned(make_customers, make_experiment, start):
    """Six waves of a day each with 100 customers; from the second on, A is drawn twice as often as B."""
    ensure_default_metrics()
    experiment = make_experiment(variants=SPECS, allocation=Allocation.LEARNING)
    variants = {one.key: one for one in experiment.variants.all()}
    rows = []
    for n, customer in enumerate(make_customers(600)):
        wave, place = divmod(n, 100)
        chances = {"none": 0.2, "a": 0.4, "b": 0.4} if wave == 0 else {"none": 0.2, "a": 0.5, "b": 0.3}
        key = "none" if place < 20 else "a" if place < 20 + 100 * chances["a"] else "b"
        rows.append(
            Assignment(
                experiment=experiment, customer=customer, variant=variants[key], propensity=chances[key],
                assigned_at=start + wave * DAY,
            )
        )  # fmt: skip
    Assignment.objects.bulk_create(rows)
    return experiment


def test_sums_grow_on_the_day_on_which_it_happened(learned, happen, start):
    rows = Assignment.objects.filter(experiment=learned, variant__key="a").select_related("customer")
    first, late = rows.order_by("pk").first(), rows.order_by("-pk").first()
    happen(first.customer, value="30", days=0.5)
    happen(first.customer, value="20", days=2.5)
    happen(late.customer, value="10", days=5.1)
    revenue = Metric.objects.get(key="revenue")
    Metric.objects.filter(pk=revenue.pk).update(cap=40)
    revenue.refresh_from_db()
    growth = load_growth(learned, revenue, as_of=start + 6 * DAY)
    by_day = growth.arm_sums(first.variant_id)
    # Chances .4 on day 0, .5 later. 30 on day 0; capped at 40 on day 2; 10 on day 5.
    assert vars(by_day[0]) == pytest.approx(
        {"n": 40, "w": 100, "ww": 250, "wy": 75, "wwy": 187.5, "wwyy": 5625}
    )
    assert vars(by_day[2]) == pytest.approx(
        {"n": 50, "w": 100, "ww": 200, "wy": 25, "wwy": 62.5, "wwyy": 4375}
    )
    assert vars(by_day[5]) == pytest.approx({"n": 50, "w": 100, "ww": 200, "wy": 20, "wwy": 40, "wwyy": 400})
    mine = growth.variant_ids == first.variant_id
    whole = ArmSums.of(growth.propensities[mine], growth.values[mine])
    assert vars(ArmSums.total(list(by_day.values()))) == pytest.approx(vars(whole))
    bought = load_growth(learned, Metric.objects.get(key="conversion"), as_of=start + 6 * DAY)
    assert bought.values.sum() == 2 and bought.arm_sums(first.variant_id)[2].wy == 0, (
        "who bought once counts once"
    )


def buy(learned, happen, share_a=3, share_b=12):
    rows = Assignment.objects.filter(experiment=learned).select_related("customer", "variant")
    for n, row in enumerate(rows.order_by("pk")):
        every = {"none": 20, "a": share_a, "b": share_b}[row.variant.key]
        if n % every == 0:
            happen(row.customer, value=str(20 + n % 7), days=(n // 100) + 0.4)


def test_the_report_tells_the_best_day_by_day_and_what_learning_cost(learned, happen, start):
    buy(learned, happen)
    metrics = list(Metric.objects.filter(key__in=("revenue", "conversion")))
    findings = read_findings(learned, metrics, now=start + 6 * DAY, stores=False)
    findings = from_document(learned, as_document(findings))
    report = report_of(learned, findings, learned_from="conversion")
    found = report.allocation.learned
    assert [one.key for one in found] == [report.primary.key, "conversion"]
    bought = found[1]
    control, a, b = bought.variants
    assert (control.best, control.loss) == (None, None) and control.value == pytest.approx(30 / 600, abs=0.02)
    assert a.best > 0.99 and b.best < 0.01 and b.loss > 0.1 and a.loss < 1e-4
    weighted = next(one for one in report.metrics if one.key == "conversion").weighted_values
    assert a.value == pytest.approx(weighted["a"]) == pytest.approx(1 / 3, abs=0.02)
    assert [day.drawn for day in bought.days["a"]] == [40, 50, 50, 50, 50, 50]
    assert [day.chance for day in bought.days["b"]] == pytest.approx([0.4, 0.3, 0.3, 0.3, 0.3, 0.3])
    last = bought.days["a"][-1]
    assert last.known == a and last.at == start + 6 * DAY
    widths = [np.ptp(day.known.interval) for day in bought.days["b"]]
    assert widths == sorted(widths, reverse=True)
    assert bought.regret.value < bought.regret.even
    assert bought.regret_days[-1][1:] == pytest.approx((bought.regret.value, bought.regret.even))


def test_a_personal_division_tells_no_regret(learned, happen, start):
    buy(learned, happen)
    learned.allocation = Allocation.PERSONAL
    findings = read_findings(
        learned, list(Metric.objects.filter(key="conversion")), now=start + 6 * DAY, stores=False
    )
    (found,) = report_of(learned, findings).allocation.learned
    assert found.regret is None and found.regret_days == () and found.variants[1].best > 0.9


def test_of_a_long_test_thirty_days_are_told_and_nobody_is_left_out(learned, happen, start):
    Assignment.objects.filter(experiment=learned, customer__external_id="c-599").update(
        assigned_at=start + 80 * DAY
    )
    buy(learned, happen)
    findings = read_findings(
        learned, list(Metric.objects.filter(key="conversion")), now=start + 90 * DAY, stores=False
    )
    (found,) = report_of(learned, findings).allocation.learned
    assert len(found.days["b"]) == 30 and found.days["b"][-1].day == 80
    assert sum(day.drawn for days in found.days.values() for day in days) == 600


def test_the_api_has_its_shape_and_lists_do_without_the_days(learned, happen, start, analyse):
    buy(learned, happen)
    analyse(learned)
    told = document(newest_report(learned, learned_from="clicked"))
    keys = [one["key"] for one in told["allocation"]["learned"]]
    assert keys == [told["verdict"]["metric"], "clicked"]
    serializer = ReportSerializer(data=told)
    assert serializer.is_valid(), serializer.errors
    fields = serializer.fields["allocation"].fields["learned"].child.fields
    assert set(told["allocation"]["learned"][0]) == set(fields)
    assert newest_report(learned, primary_only=True).allocation.learned == ()
