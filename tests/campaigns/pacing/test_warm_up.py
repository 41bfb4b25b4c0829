"""The warm-up of a sender: so many messages on each of its first days, engaged people first."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from campaigns import services
from campaigns.errors import InvalidAccount
from campaigns.models import Chunk, WarmUpDay
from campaigns.pacing.places import give_back, take_places
from campaigns.pacing.warm_up import Group, WarmUp
from campaigns.planning.checks import check_campaign
from campaigns.senders import accounts
from campaigns.sending import chunk
from personalization.access.models import User
from personalization.events.services import NewEvent, record_events
from tests.campaigns.test_sending import counts

pytestmark = pytest.mark.django_db(transaction=True)
PLAN = WarmUp((50, 100, 200), date(2026, 3, 27), "Europe/Berlin", 9)


def plan_from_today(*volumes: int) -> dict[str, Any]:
    today = timezone.now().astimezone(UTC).date()
    return {"volumes": list(volumes), "starts_on": today.isoformat(), "zone": "UTC", "hour": 9}


def account_with(sink: Any, *volumes: int) -> Any:
    return accounts.save_account(
        None, channel="email", name="New", values={"smtp_url": sink.url}, actor="test",
        warm_up=plan_from_today(*volumes),
    )  # fmt: skip


def test_each_day_has_its_volume_and_there_is_no_limit_after_the_last() -> None:
    assert [PLAN.volume_of(date(2026, 3, day)) for day in (26, 27, 28, 29, 30)] == [0, 50, 100, 200, None]
    # In Berlin it is tomorrow already.
    assert PLAN.day_of(datetime(2026, 3, 27, 23, 30, tzinfo=UTC)) == date(2026, 3, 28)


def test_what_waits_goes_on_at_the_hour_of_the_senders_own_day() -> None:
    # The clocks of Berlin go forward in the night to the 29th: nine is at seven then, not at eight.
    assert PLAN.goes_on_at(datetime(2026, 3, 27, 12, tzinfo=UTC)) == datetime(2026, 3, 28, 8, tzinfo=UTC)
    assert PLAN.goes_on_at(datetime(2026, 3, 28, 12, tzinfo=UTC)) == datetime(2026, 3, 29, 7, tzinfo=UTC)
    assert PLAN.goes_on_at(datetime(2026, 3, 1, 12, tzinfo=UTC)) == datetime(2026, 3, 27, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("messages", "used", "days"),
    [(50, 0, 1), (51, 0, 2), (350, 0, 3), (351, 0, 4), (10_000, 0, 4), (150, 1, 3)],
)
def test_days_are_counted_until_everybody_is_sent_to(messages: int, used: int, days: int) -> None:
    now = datetime(2026, 3, 27, 12, tzinfo=UTC)
    assert PLAN.days_for(messages, now=now, used_today=used) == days


def test_places_of_a_day_are_never_more_than_its_volume(sink) -> None:
    account, day = account_with(sink, 50), date(2026, 3, 27)
    assert [take_places(account.pk, day=day, volume=50) for _ in range(4)] == [20, 20, 10, 0]
    give_back(account.pk, day=day, places=7)
    assert take_places(account.pk, day=day, volume=50) == 7


def test_what_exceeds_the_day_waits_for_tomorrow_and_engaged_people_go_first(
    sink, make_customers, make_campaign, send_all
) -> None:
    account = account_with(sink, 25, 1000)
    people = make_customers(60)
    keen = people[40:50]
    record_events(
        NewEvent(
            customer_id=person.pk, message_id=f"o{person.pk}", name="Message Opened",
            occurred_at=timezone.now() - timedelta(days=3), properties={},
        )
        for person in keen
    )  # fmt: skip
    campaign = make_campaign()
    said = [check.message for check in check_campaign(campaign)]
    assert "This will take 2 days because the sender warms up: 25, 1,000 … messages a day." in said
    run = services.launch(campaign, actor="test")
    send_all(run)
    found = counts(run)
    assert found["sent"] == 25 and found["waiting"] == {"warm_up": 35}
    assert {person.email for person in keen} < set(sink.recipients)
    assert [recipient for recipient, _ in sink.accepted][:10] == [person.email for person in keen]
    assert WarmUpDay.objects.get().taken == 25
    tomorrow = WarmUp.from_json(account.warm_up).goes_on_at(timezone.now())
    assert run.chunks.get().due_at == tomorrow
    # The plan is lifted: who waits asks again at once, and gets one message.
    accounts.save_account(
        account, channel="email", name="New", values={"smtp_url": sink.url}, warm_up={}, actor="test"
    )
    send_all(run)
    assert counts(run)["sent"] == 60 and max(sink.recipients.values()) == 1


def test_a_group_of_domains_warms_up_by_itself(sink, make_customers, make_campaign, send_all) -> None:
    plan = {
        **plan_from_today(1000),
        "groups": [{"domains": ["Gmail.com", "googlemail.com"], "volumes": [25, 90]}],
    }
    accounts.save_account(
        None, channel="email", name="New", values={"smtp_url": sink.url}, actor="test", warm_up=plan
    )
    for person in make_customers(40):
        person.email = f"{person.external_id}@{'gmail.com' if person.pk % 2 else 'googlemail.com'}"
        person.save()
    make_customers(30, start=40)
    campaign = make_campaign()
    said = [check.message for check in check_campaign(campaign)]
    assert "This will take 2 days because the sender warms up at gmail.com: 25, 90 …" in said
    run = services.launch(campaign, actor="test")
    send_all(run)
    domains = Counter(recipient.rpartition("@")[2] for recipient in sink.recipients)
    # 25 of the 40 to Google's two domains together; all others, though they stand behind them in line.
    assert domains["gmail.com"] + domains["googlemail.com"] == 25 and domains["example.com"] == 30
    assert counts(run)["waiting"] == {"warm_up": 15}
    day = WarmUpDay.objects.get()
    assert (day.taken, day.by_group) == (30, {"gmail.com": 25})


def test_groups_are_read_from_lines_and_drawn_each_by_itself(sink, client) -> None:
    account = account_with(sink, 10)
    client.force_login(User.objects.create_superuser("ada"))
    form = {
        "name": "New", "position": "0", "is_active": "1", "v_smtp_url": sink.url, "volumes": "10 20",
        "starts_on": "2026-03-27", "zone": "UTC", "hour": "9",
        "groups": "gmail.com googlemail.com: 5, 10\nqq.com: 3",
    }  # fmt: skip
    url = f"/app/campaigns/senders/{account.pk}"
    assert client.post(url, form).status_code == 302
    account.refresh_from_db()
    plan = WarmUp.from_json(account.warm_up)
    assert plan and plan.groups == (Group(("gmail.com", "googlemail.com"), (5, 10)), Group(("qq.com",), (3,)))
    page = client.get(url).content.decode()
    assert page.count('class="ac-days"') == 3
    assert "<strong>gmail.com, googlemail.com</strong>" in page and "All other domains" in page
    twice = client.post(url, {**form, "groups": "gmail.com: 5\ngmail.com: 6"})
    assert twice.status_code == 422 and "A domain stands here twice." in twice.content.decode()
    none = client.post(url, {**form, "volumes": ""}).content.decode()
    assert "Say how many messages go to all other domains on each day." in none


def test_a_second_campaign_shares_the_day(sink, make_customers, make_campaign, send_all) -> None:
    account_with(sink, 30)
    make_customers(20)
    first, second = (services.launch(make_campaign(), actor="test") for _ in range(2))
    send_all(first)
    send_all(second)
    assert counts(first)["sent"] == 20 and counts(second)["sent"] == 10 and len(sink.accepted) == 30


def test_places_that_were_not_used_are_given_back(sink, make_customers, make_campaign) -> None:
    account_with(sink, 100)
    make_customers(5)
    run = services.launch(make_campaign(), actor="test")
    chunk.send_chunk(Chunk.objects.get(run=run).pk)
    assert len(sink.accepted) == 5 and WarmUpDay.objects.get().taken == 5


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"volumes": [50, 0]}, "volumes"),
        ({"volumes": ["many"]}, "volumes"),
        ({"zone": "Mars/Base"}, "zone"),
        ({"starts_on": "soon"}, "starts_on"),
        ({"hour": 24}, "hour"),
    ],
)
def test_what_is_no_plan_names_its_field(sink, change: dict[str, Any], pointer: str) -> None:
    account = account_with(sink, 5)
    with pytest.raises(InvalidAccount) as caught:
        accounts.save_account(
            account, channel="email", name="New", values={"smtp_url": sink.url}, actor="test",
            warm_up={**plan_from_today(5), **change},
        )  # fmt: skip
    assert [one["pointer"] for one in caught.value.errors] == [f"/warm_up/{pointer}"]


def test_the_page_of_the_sender_shows_the_plan_and_how_far_it_is(sink, client) -> None:
    client.force_login(User.objects.create_superuser("root", "root@shop.example", "x"))
    account = account_with(sink, 50, 100)
    take_places(account.pk, day=timezone.now().astimezone(UTC).date(), volume=50)
    url = f"/app/campaigns/senders/{account.pk}"
    page = client.get(url).content.decode()
    assert "Today 20 of 50." in page and "2 days in all." in page and 'value="50, 100"' in page
    form = {"name": "New", "position": "0", "is_active": "1", "v_smtp_url": sink.url}
    plan = {"volumes": "10, 20 40", "starts_on": "2026-12-01", "zone": "Asia/Shanghai", "hour": "8"}
    assert client.post(url, {**form, **plan}).status_code == 302
    account.refresh_from_db()
    assert WarmUp.from_json(account.warm_up) == WarmUp((10, 20, 40), date(2026, 12, 1), "Asia/Shanghai", 8)
