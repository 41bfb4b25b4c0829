"""Who entered and left, kept in step with what happens."""

from datetime import timedelta
from unittest.mock import patch

import pytest
from django.db import connections
from django.utils import timezone

from personalization.customers.models import Consent, Customer, MergeReason
from personalization.customers.services import write_traits
from personalization.customers.traits import split_traits
from personalization.events.merging import merge_customers
from personalization.events.models import Event
from personalization.privacy.erasure import erase
from personalization.segments import explain, history, membership, previews, selectors
from personalization.segments.compiler import compile_definition
from personalization.segments.history import NotWatchedThen, changes_since, latest_cursor, members_at
from personalization.segments.models import Segment, SegmentMembership, SegmentMove
from personalization.segments.services import save_segment

BOUGHT = {"event": "Order", "is": "at_least", "value": 1, "window": {"last_days": 30}}


class Clock:
    """Real time for what is stamped by the database, moved by hand for the refresh."""

    def __init__(self) -> None:
        self.now = timezone.now()

    def tick(self, **later) -> int:
        self.now += timedelta(**(later or {"seconds": 2}))
        return membership.refresh_all(now=self.now)


@pytest.fixture
def clock(db) -> Clock:
    return Clock()


def make(definition, name="S") -> Segment:
    return save_segment(None, name=name, definition=definition).segment


def inside(segment, at) -> set[str]:
    return set(members_at(segment, at=at).values_list("customer__external_id", flat=True))


def event(world, customer, clock, *, ago=timedelta(0)):
    made = world.event(customer, at=clock.now - ago)
    type(made).objects.filter(pk=made.pk).update(received_at=clock.now)


@pytest.fixture
def never_all():
    """No pass over everybody but the first."""
    long = timedelta(days=900)
    with (
        patch.object(membership, "FULL_EVERY", long),
        patch.object(membership, "FULL_EVERY_BY_CLOCK", long),
        patch.object(membership, "FULL_SHARE", 1e9),
    ):
        yield


def test_an_event_lets_in_and_its_age_lets_out(world, clock, never_all) -> None:
    a, _b = world.customer("a"), world.customer("b")
    segment = make(BOUGHT)
    clock.tick()
    empty_at = clock.now
    cursor = latest_cursor(segment.pk)
    event(world, a, clock)
    assert clock.tick() == 1
    entered_at = clock.now
    assert clock.tick() == 0
    assert clock.tick(days=29) == 0
    assert clock.tick(days=2) == 1
    assert inside(segment, empty_at) == inside(segment, clock.now) == set()
    assert inside(segment, entered_at) == inside(segment, clock.now - timedelta(seconds=1)) == {"a"}
    moves, after = changes_since(segment.pk, cursor=cursor)
    assert [(move.customer_id, move.entered) for move in moves] == [(a.pk, True), (a.pk, False)]
    assert changes_since(segment.pk, cursor=after) == ([], after)


def test_those_who_were_in_before_the_first_look_did_not_enter(world, clock) -> None:
    world.customer("a", country="GB")
    segment = make({"trait": "country", "op": "is", "value": "GB"})
    before = clock.now
    clock.tick()
    assert inside(segment, clock.now) == {"a"}
    assert not SegmentMove.objects.exists()
    with pytest.raises(NotWatchedThen):
        members_at(segment, at=before)


def test_traits_and_consent_move_customers(world, clock, never_all) -> None:
    a, b = world.customer("a"), world.customer("b")
    gold, mail = (
        make({"trait": "plan", "op": "is", "value": "gold"}, "gold"),
        make({"consent": "email"}, "mail"),
    )
    clock.tick(minutes=5)
    write_traits([(a.pk, split_traits({"plan": "gold"}))], by_us=True)
    Consent.objects.create(customer=b, channel="email", granted=True, source="t", recorded_at=timezone.now())
    with patch.object(membership, "LONGEST_WAIT", timedelta(hours=1)):
        membership.SegmentWatch.objects.update(seen_until=timezone.now() - timedelta(minutes=1))
        assert clock.tick() == 2
    assert (inside(gold, clock.now), inside(mail, clock.now)) == ({"a"}, {"b"})


def test_a_changed_definition_moves_and_keeps_the_past(world, clock) -> None:
    world.customer("a", country="GB"), world.customer("b", country="CN")
    segment = make({"trait": "country", "op": "is", "value": "GB"})
    clock.tick()
    then = clock.now
    save_segment(segment, name="S", definition={"trait": "country", "op": "is", "value": "CN"})
    assert clock.tick() == 2
    assert (inside(segment, then), inside(segment, clock.now)) == ({"a"}, {"b"})


def test_a_segment_within_a_segment_follows_its_change(world, clock) -> None:
    world.customer("a", country="GB"), world.customer("b", country="CN")
    inner = make({"trait": "country", "op": "is", "value": "GB"}, "inner")
    outer = make({"not": {"segment": inner.pk}}, "outer")
    clock.tick()
    save_segment(inner, name="inner", definition={"trait": "country", "op": "is", "value": "CN"})
    clock.tick()
    assert inside(outer, clock.now) == {"a"}


@pytest.mark.parametrize(
    "definition",
    [
        BOUGHT,
        {"not": BOUGHT},
        {**BOUGHT, "window": {"before_days": 3}},
        {"event": "Order", "op": "last", "is": "more_than_days_ago", "value": 4},
        {"sequence": [{"event": "Order"}, {"event": "Order"}], "within_days": 2, "followed": False},
        {"event": "Order", "op": "sum", "is": "at_most", "value": 5, "window": {"last_days": 6}},
    ],
)
def test_changes_alone_keep_the_same_members_as_the_definition(world, clock, never_all, definition) -> None:
    people = [world.customer(key) for key in "abcd"]
    segment = make(definition)
    clock.tick()
    for step in range(14):
        if step % 3 == 0:
            event(world, people[step % 4], clock, ago=timedelta(hours=7 * step))
        clock.tick(hours=17)
        expected = set(compile_definition(definition, now=clock.now).values_list("external_id", flat=True))
        assert inside(segment, clock.now) == expected, step


def test_the_size_over_time_adds_up(world, clock) -> None:
    a = world.customer("a")
    segment = make(BOUGHT)
    clock.tick()
    event(world, a, clock)
    clock.tick()
    clock.tick(days=31)
    found = history.sizes(segment, since=clock.now - timedelta(days=60), until=clock.now + timedelta(days=1))
    assert found[0].members == 1 and found[-1].members == 0
    assert (sum(size.entered for size in found), sum(size.left for size in found)) == (1, 1)


def test_members_who_are_erased_take_their_history_with_them(world, clock) -> None:
    a = world.customer("a", country="GB")
    make({"trait": "country", "op": "is", "value": "GB"})
    clock.tick()
    Customer.objects.filter(pk=a.pk).delete()
    assert not SegmentMembership.objects.exists()


def test_who_was_merged_away_or_erased_is_in_no_count(world, clock, never_all) -> None:
    a, b, c = (world.customer(key) for key in "abc")
    segment = make(BOUGHT)
    for customer in (a, b, c):
        event(world, customer, clock)
    clock.tick()
    long_ago = timezone.now() - timedelta(hours=1)
    Customer.objects.update(updated_at=long_ago)
    Event.objects.update(received_at=long_ago)
    merge_customers(b.pk, into_id=a.pk, reason=MergeReason.STAFF, actor="test")
    erase(c.pk)
    assert Customer.objects.get(pk=b.pk).merged_into_id == a.pk  # an empty row is left
    clock.now = timezone.now()
    clock.tick()
    assert history.member_total(segment) == 1
    assert inside(segment, clock.now) == {"a"}
    assert set(selectors.members(segment.current, now=clock.now)) == {a}
    assert previews.preview(BOUGHT, now=clock.now).some == [a]
    assert selectors.count(BOUGHT, now=clock.now) == 1
    assert [step.left for step in explain.funnel(BOUGHT, now=clock.now)] == [1]
    assert [region.count for region in explain.overlap([segment])] == [1]


@pytest.mark.django_db(transaction=True)
def test_two_workers_never_do_the_same_segment_at_once(world) -> None:
    from django.db import transaction

    world.customer("a", country="GB")
    segment = make({"trait": "country", "op": "is", "value": "GB"})
    now = timezone.now()
    membership.SegmentWatch.objects.create(segment=segment)
    other = connections.create_connection("default")
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("SELECT 1 FROM segments_segmentwatch FOR UPDATE")
            with transaction.atomic():
                assert membership.refresh_segment(segment.pk, now=now) == 0
            assert not SegmentMembership.objects.exists()
            cursor.execute("ROLLBACK")
        assert membership.refresh_segment(segment.pk, now=now) == 1
    finally:
        other.close()


def test_the_pass_over_everybody_counts_without_those_who_were_erased(world, clock) -> None:
    for key in "ab":
        event(world, world.customer(key), clock)
    segment = make(BOUGHT)
    clock.tick()
    erase(Customer.objects.get(external_id="b").pk)
    clock.tick(minutes=11)
    assert Segment.objects.get(pk=segment.pk).watch.member_count == 1
