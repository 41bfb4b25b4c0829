"""The month of sends, and who would get too much of it; numbers counted by hand."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from campaigns import services
from campaigns.models import Campaign, CampaignStatus, FrequencyCap, TopicRule
from campaigns.workflow.collisions import collisions_among
from campaigns.workflow.month import month_of, planned_between, read_month
from personalization.access.models import User
from personalization.customers.models import Customer
from personalization.segments.models import SegmentMembership
from personalization.segments.services import save_segment

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 12, 1, 8, tzinfo=UTC)


@pytest.fixture
def segments():
    """A: customers 0 to 5; B: 4 to 9; both share 4 and 5."""
    customers = Customer.objects.bulk_create(Customer(external_id=str(n), created_at=NOW) for n in range(10))
    made = []
    for name, members in (("A", range(6)), ("B", range(4, 10))):
        segment = save_segment(
            None, name=name, definition={"trait": "city", "op": "is", "value": name}
        ).segment
        SegmentMembership.objects.filter(segment=segment).delete()
        SegmentMembership.objects.bulk_create(
            SegmentMembership(segment=segment, version=segment.current, customer=customers[n], entered_at=NOW)
            for n in members
        )
        made.append(segment)
    return made


def planned(segment, at, *, name="One", topic="marketing", timing=None):
    draft = services.MessageDraft(key="a", name="A", subject="Hi", body="{{ unsubscribe_url }}")
    campaign = services.save_campaign(
        None, name=name, segment=segment, messages=[draft], sender_address="s@shop.example", topic=topic,
        timing=timing, actor="user:kim",
    )  # fmt: skip
    Campaign.objects.filter(pk=campaign.pk).update(status=CampaignStatus.SCHEDULED, scheduled_at=at)
    return campaign


def entries(month):
    return {
        cell["day"]: [entry.name for entry in cell["entries"]]
        for week in month["weeks"] for cell in week if cell["entries"]
    }  # fmt: skip


def found_in(days=31):
    return collisions_among(list(planned_between(NOW, NOW + timedelta(days=days))))["collisions"]


def test_a_repeated_campaign_stands_on_each_of_its_days(segments):
    planned(
        segments[0], NOW + timedelta(days=1), timing={"repeat": "FREQ=WEEKLY", "starts": "2026-12-02T09:00"}
    )
    assert entries(month_of(date(2026, 12, 1), now=NOW, told=int)) == {
        date(2026, 12, day): ["One"] for day in (2, 9, 16, 23, 30)
    }


def test_a_send_by_local_time_stands_on_the_day_that_is_meant(segments):
    # Set to when the first clocks show ten on the 5th, which is still the 4th in UTC.
    planned(segments[0], datetime(2026, 12, 4, 20, tzinfo=UTC), timing={"mode": "local", "hour": "10:00"})
    assert list(entries(month_of(date(2026, 12, 1), now=NOW, told=int))) == [date(2026, 12, 5)]


def test_what_went_out_stands_beside_what_is_planned(segments):
    Customer.objects.filter(external_id="1").update(city="A", email="p@mail.example")
    sent = planned(segments[0], NOW, name="Sent")
    services.launch(sent, actor="user:kim", now=NOW)
    assert entries(month_of(date(2026, 12, 1), now=NOW + timedelta(days=9), told=int)) == {
        date(2026, 12, 1): ["Sent"]
    }


def test_two_sends_on_one_day_meet_at_whom_they_share(segments):
    planned(segments[0], NOW + timedelta(hours=1))
    planned(segments[1], NOW + timedelta(hours=9), name="Two")
    (found,) = found_in()
    assert (found.people, found.cap, [send.campaign.name for send in found.sends]) == (
        2,
        None,
        ["One", "Two"],
    )


def test_sends_to_strangers_do_not_collide(segments):
    SegmentMembership.objects.filter(customer__external_id__in=["4", "5"], segment=segments[1]).delete()
    planned(segments[0], NOW + timedelta(hours=1))
    planned(segments[1], NOW + timedelta(hours=9))
    assert found_in() == []


def test_a_cap_bites_across_days_and_counts_repeats(segments):
    cap = FrequencyCap.objects.create(max_messages=2, window_hours=72)
    # A on the 2nd, 3rd and 4th: its six members would get three in 72 hours; B's only on the 10th.
    planned(
        segments[0],
        NOW + timedelta(days=1),
        timing={"repeat": "FREQ=DAILY;COUNT=3", "starts": "2026-12-02T09:00"},
    )
    planned(segments[1], NOW + timedelta(days=9), name="Two")
    (found,) = found_in()
    assert (found.people, found.cap, len(found.sends)) == (6, cap, 3)


def test_of_a_cap_of_two_only_those_in_for_three_collide(segments):
    FrequencyCap.objects.create(max_messages=2, window_hours=72)
    planned(segments[0], NOW + timedelta(days=1))
    planned(segments[1], NOW + timedelta(days=2), name="Two")
    planned(segments[1], NOW + timedelta(days=3), name="Three")
    (found,) = found_in()
    assert found.people == 2  # customers 4 and 5, who are in both


def test_what_no_cap_holds_for_is_left_alone(segments):
    FrequencyCap.objects.create(max_messages=1, window_hours=720)
    TopicRule.objects.create(topic="orders", ignores_caps=True)
    planned(segments[0], NOW + timedelta(days=1), topic="orders")
    planned(segments[1], NOW + timedelta(days=5))
    assert found_in() == []


@pytest.mark.parametrize("text", ["", "nonsense", "2026-13", "0000-01", "2026-12-01"])
def test_a_month_that_is_none_means_this_month(text):
    assert read_month(text, now=NOW) == date(2026, 12, 1)


def test_the_page_teaches_when_it_is_empty_and_names_the_collisions(client, segments):
    user = User.objects.create_user("kim", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_campaign"))
    client.force_login(user)
    assert (
        "Nothing is planned"
        in client.get(reverse("campaigns:calendar"), {"month": "2031-01"}).content.decode()
    )
    at = datetime.now(UTC) + timedelta(days=40)
    for name in ("One", "Two"):
        planned(segments[0], at, name=name)
    page = client.get(reverse("campaigns:calendar"), {"month": f"{at:%Y-%m}"}).content.decode()
    assert "6 customers get more than one of these messages on one day" in page
