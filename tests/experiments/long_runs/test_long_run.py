from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pytest
from scipy import stats

from experiments.long_runs.long_run import Week, WeekSums, cumulate
from experiments.long_runs.sums import holdout_weeks, load_weeks
from experiments.traffic.holdouts import create_holdout, draw
from personalization.customers.models import Customer

DAY = date(2026, 3, 2)


def weeks_of(spend, held):
    """Sums of each week of customers × weeks, made from the customers' totals before and after it."""
    totals = np.cumsum(spend, axis=1)
    found = []
    for week in range(spend.shape[1]):
        sums = []
        for group in (~held, held):
            after = totals[group, week]
            before = after - spend[group, week]
            n = int(group.sum()) if week == 0 else 0
            sums.append(
                WeekSums(
                    n, Decimal(float((after - before).sum())), Decimal(float((after**2 - before**2).sum()))
                )
            )
        found.append(Week(DAY + timedelta(weeks=week), *sums, messages=500, cost=Decimal("12.5")))
    return found


def made(seed=0, effect=1.0, n=4000):
    """Loyal customers spend every week: weeks of one customer go together."""
    rng = np.random.default_rng(seed)
    held = rng.random(n) < 0.2
    loyal = rng.gamma(1.0, 3.0, n)
    return rng.poisson(loyal[:, None] + effect * ~held[:, None], (n, 4)).astype(float), held


def test_weeks_add_up_to_a_test_of_the_customers_totals():
    spend, held = made()
    last = cumulate(weeks_of(spend, held))[-1]
    total = spend.sum(axis=1)
    welch = stats.ttest_ind(total[~held], total[held], equal_var=False)
    assert last.effect.absolute == pytest.approx(total[~held].mean() - total[held].mean())
    assert last.effect.p_value == pytest.approx(welch.pvalue)
    assert last.effect.absolute_ci == pytest.approx(tuple(welch.confidence_interval()))


def test_totals_and_profit_by_hand():
    spend, held = made()
    last = cumulate(weeks_of(spend, held), margin=0.4)[-1]
    n, effect = int((~held).sum()), last.effect
    assert (last.customers, last.held_out, last.messages, last.cost) == (n, 4000 - n, 2000, 50)
    assert last.revenue.value == pytest.approx(effect.absolute * n)
    assert last.profit.value == pytest.approx(0.4 * effect.absolute * n - 50)
    assert last.profit.ci[0] == pytest.approx(0.4 * effect.absolute_ci[0] * n - 50)
    assert last.revenue_per_thousand.value == pytest.approx(effect.absolute * n / 2)
    assert last.profit_per_thousand.ci[1] == pytest.approx((0.4 * effect.absolute_ci[1] * n - 50) / 2)


def test_campaigns_that_do_nothing_seem_to_earn_in_one_of_twenty_cases():
    wrong = 0
    for seed in range(200):
        spend, held = made(seed, effect=0.0, n=400)
        wrong += cumulate(weeks_of(spend, held))[-1].effect.p_value < 0.05
    assert wrong <= 20  # 10 expected, deviation 3.1


def test_nothing_is_said_without_a_holdout_or_a_message():
    alone = Week(DAY, WeekSums(10, Decimal(5), Decimal(25)), WeekSums())
    assert cumulate([alone])[0].revenue is None
    both = Week(DAY, WeekSums(10, Decimal(5), Decimal(25)), WeekSums(10, Decimal(2), Decimal(4)))
    assert cumulate([both])[0].revenue.value == pytest.approx(3)
    assert cumulate([both])[0].revenue_per_thousand is None


def test_weeks_out_of_order_and_margins_above_one_are_refused():
    week = Week(DAY, WeekSums(), WeekSums())
    with pytest.raises(ValueError, match="order"):
        cumulate([week, week])
    with pytest.raises(ValueError, match="margin"):
        cumulate([week], margin=1.2)


def test_the_sums_of_the_database_are_those_of_the_customers(make_customers, happen, start):
    customers = make_customers(6)
    Customer.objects.filter(pk=customers[5].pk).update(created_at=start + timedelta(days=8))
    for customer, value, days in [
        (0, "10", 1), (0, "5", 9), (1, "3", 2), (2, "7.50", 3), (2, "-2.50", 10), (4, "99", -3), (5, "4", 9),
    ]:  # fmt: skip
        happen(customers[customer], value=value, days=days)
    happen(customers[0], name="Message Sent", days=1)
    happen(customers[1], name="Message Sent", days=8)
    happen(customers[3], value="1000", days=20)  # after the end
    held = [customers[2].pk, customers[3].pk]
    weeks = load_weeks(held, since=start, until=start + timedelta(days=14), cost_per_message=Decimal("0.02"))
    reached = weeks[0].reached + weeks[1].reached
    # Totals 15, 3, 0, 4 of those reached (the fifth came in the second week), and 5, 0 of the holdout.
    assert reached == WeekSums(4, Decimal(22), Decimal(225 + 9 + 16))
    assert weeks[0].reached.n == 3
    assert weeks[0].held_out + weeks[1].held_out == WeekSums(2, Decimal(5), Decimal(25))
    assert [week.messages for week in weeks] == [1, 1]
    assert sum(week.cost for week in weeks) == Decimal("0.04")
    with pytest.raises(ValueError, match="after"):
        load_weeks(held, since=start, until=start)


def test_a_holdout_is_measured_by_its_draw(make_customers, happen, start):
    customers = make_customers(200)
    holdout = create_holdout(key="all", name="All", share=0.2, at=start, actor="test")
    held, _ = draw([customer.pk for customer in customers], at=start)
    for customer in customers:
        happen(customer, value="2" if customer.pk in held else "5", days=1)
    weeks = holdout_weeks(holdout, until=start + timedelta(days=3))
    assert weeks[0].held_out == WeekSums(len(held), Decimal(2 * len(held)), Decimal(4 * len(held)))
    assert weeks[0].reached.sum == 5 * (200 - len(held))
