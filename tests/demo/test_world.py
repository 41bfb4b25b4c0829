import numpy as np
import pytest

from personalization.demo import people
from personalization.demo.behavior import LAPSED_DAYS, YEAR_DAYS, Kind, draw_items, simulate_year
from personalization.demo.world import build_world


def test_the_same_seed_gives_the_same_shop_and_year():
    first, second = (build_world(seed=3, n_customers=200, n_items=100) for _ in range(2))

    assert first.customers.email == second.customers.email
    assert np.array_equal(first.choice, second.choice)
    assert np.array_equal(simulate_year(first).seconds, simulate_year(second).seconds)


def test_another_seed_gives_another_shop():
    first, second = (build_world(seed=seed, n_customers=200, n_items=100) for seed in (3, 4))

    assert not np.array_equal(first.items.price, second.items.price)


def test_more_items_than_can_be_named_are_refused():
    with pytest.raises(ValueError, match="at most 480"):
        build_world(n_customers=10, n_items=481)


def test_mail_of_the_demo_can_only_go_to_example_domains(world):
    domains = {address.rpartition("@")[2] for address in world.customers.email if "@" in address}

    assert domains - {""} <= set(people.DOMAINS)


def test_the_full_shop_has_the_promised_size_and_flaws():
    world = build_world()
    year = simulate_year(world)
    addresses = [address for address in world.customers.email if address]

    assert (len(world.customers), len(world.items)) == (5000, 400)
    assert 150_000 < len(year) < 300_000
    assert 0.83 < world.customers.consented.mean() < 0.87
    assert len(addresses) < 5000  # some are missing
    assert len(set(addresses)) < len(addresses)  # some are shared
    assert any("@@" in address for address in addresses)  # some are malformed
    assert 0 < (world.items.stock == 0).sum() < 40


def test_choice_is_a_distribution_for_everyone(world):
    assert np.allclose(world.choice.sum(axis=1), 1)
    assert (world.choice >= 0).all()


def test_items_are_drawn_as_often_as_the_choice_says(world):
    draws = draw_items(world, np.zeros(40_000, dtype=int), np.random.default_rng(1).random(40_000))
    seen = np.bincount(draws, minlength=len(world.items)) / 40_000
    standard_error = np.sqrt(world.choice[0] * (1 - world.choice[0]) / 40_000)

    assert (np.abs(seen - world.choice[0]) < 5 * standard_error + 1e-3).all()


def test_every_event_happens_in_the_year_and_after_the_customer_joined(world, year):
    joined = (YEAR_DAYS - world.customers.joined_days[year.customer]) * 86_400

    assert year.seconds.min() >= 0
    assert year.seconds.max() <= YEAR_DAYS * 86_400
    assert (year.seconds >= joined - 1).all()
    assert (np.diff(year.seconds) >= 0).all()


def test_each_order_has_lines_of_its_own_customer_and_nothing_is_bought_without_being_added(year):
    orders, lines = year.kind == Kind.ORDERED, year.kind == Kind.LINE
    owner = dict(zip(year.order[orders].tolist(), year.customer[orders].tolist(), strict=True))

    assert set(year.order[lines].tolist()) == set(owner)
    assert all(owner[o] == c for o, c in zip(year.order[lines], year.customer[lines], strict=True))
    added = set(zip(year.customer[year.kind == Kind.ADDED], year.item[year.kind == Kind.ADDED], strict=True))
    assert set(zip(year.customer[lines], year.item[lines], strict=True)) <= added


def test_the_lapsed_group_was_not_seen_lately(world, year):
    recent = year.seconds > (YEAR_DAYS - LAPSED_DAYS + 20) * 86_400

    assert not world.customers.lapsed[year.customer[recent]].any()


def test_ratings_rise_with_liking(world, year):
    rated = year.kind == Kind.RATED
    liking = world.liking[year.customer[rated], year.item[rated]]

    assert np.corrcoef(liking, year.amount[rated])[0, 1] > 0.3


def test_garden_sells_in_spring_and_toys_before_christmas(world):
    year = simulate_year(world, first_day_of_year=0)
    month = np.minimum((year.seconds // 86_400).astype(int) * 12 // 365, 11)
    department = np.where(year.item >= 0, world.items.department[year.item], -1)
    garden, toys = month[department == 3], month[department == 7]

    assert np.isin(garden, [3, 4, 5]).mean() > 1.5 * np.isin(garden, [9, 10, 11]).mean()
    assert np.isin(toys, [10, 11]).mean() > 1.5 * np.isin(toys, [3, 4]).mean()
