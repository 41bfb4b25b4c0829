from datetime import timedelta

import pytest

from experiments.assignment import hash_fraction
from experiments.errors import HoldoutEnded, InvalidHoldout, KeyTaken
from experiments.models import HoldoutMember
from experiments.traffic import holdouts
from personalization.access.models import AuditEntry
from personalization.customers.models import Customer


@pytest.fixture
def make_holdout(db, start):
    def make(key="global", share=0.2, **kwargs):
        return holdouts.create_holdout(key=key, name=key, share=share, at=start, actor="user:ada", **kwargs)

    return make


def by_hash(customers, share, seed="holdout:global:1"):
    return {c.pk for c in customers if hash_fraction(seed, c.external_id) < share}


def test_members_are_drawn_by_hash_and_written_down_with_the_time(make_holdout, make_customers, start):
    customers = make_customers(200)
    holdout = make_holdout()
    assert holdouts.held_out_at(holdout, at=start) == by_hash(customers, 0.2)
    assert holdouts.held_out_at(holdout, at=start - timedelta(seconds=1)) == set()
    assert AuditEntry.objects.filter(action="holdout.created", actor="user:ada").exists()


def test_new_customers_are_drawn_when_they_are_first_considered(make_holdout, make_customers, start):
    holdout = make_holdout()
    customers = make_customers(100)
    assert holdouts.held_out_at(holdout, at=start) == set()
    later = start + timedelta(days=1)
    held_out, chance = holdouts.draw([c.pk for c in customers], at=later)
    assert held_out == by_hash(customers, 0.2) == holdouts.held_out_at(holdout, at=later)
    assert chance == pytest.approx(0.2)
    assert holdouts.draw([c.pk for c in customers], at=later + timedelta(days=1))[0] == held_out
    assert set(HoldoutMember.objects.values_list("entered_at", flat=True)) == {later}


def test_without_a_holdout_nobody_is_held_out(make_customers, start):
    assert holdouts.draw([c.pk for c in make_customers(3)], at=start) == (set(), 0.0)


def test_a_larger_share_lets_nobody_go_and_a_smaller_one_takes_nobody_in(make_holdout, make_customers, start):
    customers, holdout = make_customers(300), make_holdout()
    first = holdouts.held_out_at(holdout, at=start)
    second = start + timedelta(days=1)
    holdouts.change_share(holdout, share=0.4, at=second, actor="user:ada")
    assert holdouts.held_out_at(holdout, at=second) == by_hash(customers, 0.4) > first
    third = start + timedelta(days=2)
    holdouts.change_share(holdout, share=0.1, at=third, actor="user:ada")
    assert holdouts.held_out_at(holdout, at=third) == by_hash(customers, 0.1) < first
    # What was, can still be told.
    assert holdouts.held_out_at(holdout, at=second) == by_hash(customers, 0.4)
    assert [v.share for v in holdout.versions.order_by("number")] == [0.2, 0.4, 0.1]


def test_a_new_draw_has_a_new_seed(make_holdout, make_customers, start):
    customers, holdout = make_customers(300), make_holdout()
    later = start + timedelta(days=90)
    holdouts.redraw(holdout, at=later, actor="user:ada")
    assert holdouts.held_out_at(holdout, at=later) == by_hash(customers, 0.2, "holdout:global:2")
    assert holdouts.held_out_at(holdout, at=start) == by_hash(customers, 0.2)


def test_the_end_lets_everybody_go_and_is_final(make_holdout, make_customers, start):
    customers, holdout = make_customers(50), make_holdout()
    later = start + timedelta(days=1)
    holdouts.end_holdout(holdout, at=later, actor="user:ada")
    assert holdouts.held_out_at(holdout, at=later) == set()
    assert holdouts.draw([c.pk for c in customers], at=later) == (set(), 0.0)
    with pytest.raises(HoldoutEnded):
        holdouts.change_share(holdout, share=0.3, at=later, actor="user:ada")


def test_a_holdout_that_is_not_global_counts_only_where_it_is_named(make_holdout, make_customers, start):
    customers = make_customers(200)
    everywhere, own = make_holdout(share=0.1), make_holdout("spring", 0.2, is_global=False)
    ids = [c.pk for c in customers]
    assert holdouts.draw(ids, at=start)[0] == by_hash(customers, 0.1)
    held_out, chance = holdouts.draw(ids, at=start, also=[own.pk])
    assert held_out == by_hash(customers, 0.1) | by_hash(customers, 0.2, "holdout:spring:1")
    assert chance == pytest.approx(1 - 0.9 * 0.8)
    assert everywhere.members.count() == len(by_hash(customers, 0.1))


def test_a_new_id_moves_no_member(make_holdout, make_customers, start):
    customers, holdout = make_customers(50), make_holdout()
    member = next(c for c in customers if c.pk in holdouts.held_out_at(holdout, at=start))
    outside = next(f"n-{n}" for n in range(99) if hash_fraction("holdout:global:1", f"n-{n}") >= 0.2)
    Customer.objects.filter(pk=member.pk).update(external_id=outside)
    assert member.pk in holdouts.draw([member.pk], at=start)[0]


@pytest.mark.parametrize("share", [0, -0.1, 0.51, 1, float("nan")])
def test_impossible_shares_are_refused(make_holdout, share):
    with pytest.raises(InvalidHoldout):
        make_holdout(share=share)


def test_a_key_is_used_once(make_holdout):
    make_holdout()
    with pytest.raises(KeyTaken):
        make_holdout()
