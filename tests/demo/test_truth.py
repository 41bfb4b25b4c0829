import numpy as np

from personalization.demo import truth
from personalization.demo.behavior import simulate_year
from personalization.demo.pictures import draw
from personalization.demo.world import build_world


def _messages(world, items):
    everyone = np.ones(len(world.customers), dtype=bool)
    return truth.Messages(items=items, named=everyone, own_language=everyone)


def test_a_message_never_lowers_the_chance_to_buy(world):
    without = truth.without_message(world)
    told = truth.with_message(world, _messages(world, truth.best_items(world)))

    assert (told.buy >= without.buy).all()
    assert (told.value >= without.value).all()
    assert (without.open == 0).all()


def test_items_to_one_s_taste_earn_more_than_bestsellers(world):
    own = truth.with_message(world, _messages(world, truth.best_items(world)))
    same = truth.with_message(world, _messages(world, truth.bestsellers(world)))

    assert own.click.mean() > 1.3 * same.click.mean()
    assert own.value.mean() > 1.15 * same.value.mean()


def test_all_chances_are_chances_and_the_chain_only_narrows(world):
    told = truth.with_message(world, _messages(world, truth.best_items(world)))

    for name in ("open", "click", "base", "extra", "buy", "unsubscribe"):
        assert ((getattr(told, name) >= 0) & (getattr(told, name) <= 1)).all(), name
    assert (told.open >= told.click).all()
    assert (told.click >= told.extra).all()


def test_a_message_without_items_is_possible(world):
    told = truth.with_message(world, _messages(world, np.full((len(world.customers), 3), -1)))

    assert np.isfinite(told.value).all()
    assert told.value.mean() > truth.without_message(world).value.mean()


def test_bestsellers_are_what_is_really_bought_most():
    world = build_world(seed=5, n_customers=2000, n_items=200)
    year = simulate_year(world)
    sold = np.bincount(year.item[year.item >= 0], minlength=200)

    assert set(truth.bestsellers(world, k=5)[0]) <= set(np.argsort(-sold)[:40])


def test_each_item_has_its_own_picture():
    pictures = {
        draw(department=d, category=c, thing=t, finish=f)
        for d in range(8) for c in range(3) for t in range(4) for f in range(5)
    }  # fmt: skip

    assert len(pictures) == 480
    assert all('"F"' not in picture and '"D"' not in picture and '"L"' not in picture for picture in pictures)
