"""What may go missing between planning and launch: nothing is sent, and the campaign and home say why."""

from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.db import OperationalError
from django.db.models import ProtectedError
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from campaigns import services, tasks
from campaigns.models import Campaign, Delivery, SenderAccount
from personalization.access.models import User
from personalization.catalog.models import Item
from personalization.content import services as blocks
from personalization.content.models import ContentBlock
from personalization.segments.models import Segment, SegmentVersion
from recommender.models import ModelRun, RunStatus
from tests.campaigns.conftest import BODY

pytestmark = pytest.mark.django_db(transaction=True)

SMS = {"account_sid": "AC1", "auth_token": "t", "sender": "+442079460018", "base_url": "https://sms.example"}
ITEMS = BODY.replace("Hello", "{% for item in items %}{{ item.name }}{% endfor %} Hello")


def body_with(text: str) -> str:
    return BODY.replace("Hello", f"{text} Hello")


@pytest.fixture
def at_launch(make_customers: Any, client: Client) -> Callable[..., str]:
    """Plans the campaign, lets something happen, and answers what the campaign says after the tick."""

    def run(campaign: Campaign, happen: Callable[[], object]) -> str:
        services.schedule(campaign, at=timezone.now() - timedelta(seconds=1), actor="test")
        happen()
        tasks.tick()
        campaign.refresh_from_db()
        assert campaign.status == "draft" and not Delivery.everything.exists()
        client.force_login(User.objects.create_superuser("root"))
        assert campaign.problem in unescape(client.get("/admin/").content.decode())
        return campaign.problem

    make_customers(2)
    return run


def test_the_catalog_was_emptied(make_campaign, at_launch) -> None:
    Item.objects.create(external_id="i", name="Shoe")
    problem = at_launch(make_campaign(bodies=(ITEMS,)), lambda: Item.objects.update(is_hidden=True))
    assert "there is none to show" in problem


def test_a_repeated_campaign_that_is_held_stays_planned_and_goes_out_at_its_next_time(
    make_campaign, make_customers, client
) -> None:
    make_customers(1)
    Item.objects.create(external_id="i", name="Shoe")
    campaign = make_campaign(bodies=(ITEMS,), timing={"repeat": "FREQ=DAILY"})
    first = timezone.now() + timedelta(minutes=2)
    services.schedule(campaign, at=first, actor="test")
    Item.objects.update(is_hidden=True)
    Campaign.objects.update(scheduled_at=timezone.now())
    tasks.tick()
    campaign.refresh_from_db()
    assert campaign.status == "scheduled" and "there is none to show" in campaign.problem
    assert timezone.now() < campaign.scheduled_at <= first and not campaign.runs.exists()
    client.force_login(User.objects.create_superuser("root"))
    for page in ("/admin/", reverse("campaigns:list"), reverse("campaigns:edit", args=[campaign.pk])):
        assert campaign.problem in unescape(client.get(page).content.decode())
    Item.objects.update(is_hidden=False)
    Campaign.objects.update(scheduled_at=timezone.now())
    tasks.tick()
    campaign.refresh_from_db()
    assert campaign.runs.count() == 1 and campaign.status == "scheduled" and campaign.problem == ""


def test_a_message_that_asks_whether_there_are_items_goes_out_without_any(
    make_campaign, make_customers
) -> None:
    make_customers(2)
    body = body_with("{% if items.size > 0 %}{{ items.first.name }}{% else %}Nothing new{% endif %}")
    campaign = make_campaign(bodies=(body,))
    said = [one.level for one in services.check_campaign(campaign) if "there is none to show" in one.message]
    assert said == ["warning"]
    services.launch(campaign, actor="test")
    assert Delivery.objects.filter(status="pending").exists()


def test_the_catalog_was_emptied_under_a_tag(make_campaign, at_launch) -> None:
    Item.objects.create(external_id="i", name="Shoe")
    body = body_with('{% recommend "for_you" as picks %}{% for one in picks %}{{ one.name }}{% endfor %}')
    problem = at_launch(make_campaign(bodies=(body,)), lambda: Item.objects.all().delete())
    assert "there is none to show" in problem


def test_a_text_message_about_items_is_checked_like_any_other(make_campaign) -> None:
    campaign = make_campaign()
    Campaign.objects.filter(pk=campaign.pk).update(channel="sms")
    campaign.messages.update(body="{{ items.first.name }} {{ unsubscribe_url }}", subject="", preheader="")
    campaign.refresh_from_db()
    said = [one.level for one in services.check_campaign(campaign) if "there is none to show" in one.message]
    assert said == ["error"]


def test_a_list_of_a_tag_that_is_asked_for_may_be_empty(make_campaign) -> None:
    body = body_with('{% recommend "for_you" as picks %}{% if picks %}{{ picks.first.name }}{% endif %}')
    checks = services.check_campaign(make_campaign(bodies=(body,)))
    assert [one.level for one in checks if "there is none to show" in one.message] == ["warning"]


def test_the_recommender_that_a_tag_names_is_gone(make_campaign, at_launch) -> None:
    Item.objects.create(external_id="i", name="Shoe")
    model = ModelRun.objects.create(algorithm="als", status=RunStatus.DONE, artifact="als.npz")
    body = body_with('{% recommend "als" as picks %}{% for one in picks %}{{ one.name }}{% endfor %}')
    assert "there is no such strategy" in at_launch(make_campaign(bodies=(body,)), model.delete)


def test_a_block_was_archived(make_campaign, at_launch) -> None:
    blocks.save_block("footer", texts={"": "<mj-text>Bye</mj-text>"}, actor="test")
    campaign = make_campaign(bodies=(BODY.replace("<mj-text><a", '{% block "footer" %}<mj-text><a', 1),))
    block = ContentBlock.objects.get()
    assert "footer" in at_launch(campaign, lambda: blocks.archive_block(block, actor="test"))


def test_the_only_sender_was_removed(make_campaign, at_launch) -> None:
    row = SenderAccount.objects.create(channel="sms", name="Texts", options=SMS)
    campaign = make_campaign()
    Campaign.objects.filter(pk=campaign.pk).update(channel="sms")
    campaign.messages.update(body="Sale {{ unsubscribe_url }}", subject="", preheader="")
    campaign.refresh_from_db()
    assert "no account with a provider" in at_launch(campaign, row.delete)


def test_a_segment_within_the_segment_is_gone(make_campaign, at_launch) -> None:
    campaign = make_campaign()
    inner = Segment.objects.create(name="inner")
    SegmentVersion.objects.create(segment=inner, number=1, definition={"all": []})
    definition = {"segment": inner.pk}
    SegmentVersion.objects.create(segment=campaign.segment, number=9, definition=definition)
    assert "something that is gone" in at_launch(campaign, inner.delete)


def test_the_segment_was_archived_and_cannot_be_deleted(make_campaign, at_launch) -> None:
    campaign = make_campaign()
    with pytest.raises(ProtectedError):
        campaign.segment.delete()
    problem = at_launch(campaign, lambda: Segment.objects.update(archived_at=timezone.now()))
    assert "in the archive" in problem


def test_what_hinders_a_launch_is_told_in_the_language_of_who_planned_it(make_campaign, at_launch) -> None:
    campaign = make_campaign()
    with translation.override("zh-hans"):
        problem = at_launch(campaign, lambda: Segment.objects.update(archived_at=timezone.now()))
    assert "已归档" in problem


def test_an_unexpected_error_holds_its_campaign_and_no_other(
    make_campaign, make_customers, at_launch, monkeypatch
) -> None:
    broken, good = make_campaign(), make_campaign()
    launch = services.launch
    services.schedule(good, at=timezone.now() + timedelta(seconds=1), actor="test")
    Campaign.objects.filter(pk=good.pk).update(scheduled_at=timezone.now())

    def stumble(campaign: Campaign, **rest: Any) -> Any:
        if campaign.pk == broken.pk:
            raise KeyError("x")
        return launch(campaign, **rest)

    monkeypatch.setattr(services, "launch", stumble)
    services.schedule(broken, at=timezone.now() - timedelta(seconds=1), actor="test")
    tasks.tick()
    broken.refresh_from_db()
    good.refresh_from_db()
    assert broken.status == "draft" and "unexpected error (KeyError)" in broken.problem
    assert good.status == "launched" and good.runs.count() == 1


def test_a_launch_that_the_database_broke_off_is_tried_again(
    make_campaign, make_customers, monkeypatch
) -> None:
    make_customers(1)
    campaign, launch = make_campaign(), services.launch
    services.schedule(campaign, at=timezone.now() - timedelta(seconds=1), actor="test")

    def stumble(campaign: Campaign, **rest: Any) -> Any:
        raise OperationalError("canceling statement due to statement timeout")

    monkeypatch.setattr(services, "launch", stumble)
    tasks.tick()
    campaign.refresh_from_db()
    assert campaign.status == "scheduled" and "tried again" in campaign.problem
    monkeypatch.setattr(services, "launch", launch)
    tasks.tick()
    campaign.refresh_from_db()
    assert campaign.status == "launched" and campaign.problem == ""
