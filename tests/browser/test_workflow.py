"""Two people and one campaign: copied, sent for approval, approved, planned, seen in the calendar."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone
from playwright.sync_api import Page, expect

from campaigns import services
from campaigns.models import ApprovalRule, Campaign
from personalization.access.models import User
from personalization.access.services import ensure_roles
from personalization.customers.models import Customer
from personalization.segments.membership import refresh_all
from personalization.segments.services import save_segment

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PASSWORD = "correct horse battery"
BODY = '<p>Hi {{ customer.first_name }}</p><p><a href="{{ unsubscribe_url }}">Unsubscribe</a></p>'


@pytest.fixture
def campaign(live_server: object) -> Campaign:
    ensure_roles()
    for name, role in (("ada", "Campaign manager"), ("ben", "Approver")):
        user = User.objects.create_user(name, password=PASSWORD, is_staff=True)
        user.groups.add(Group.objects.get(name=role))
    for number in range(3):
        Customer.objects.create(
            external_id=str(number), email=f"p{number}@mail.example", country="GB", created_at=timezone.now()
        )
    definition = {"trait": "country", "op": "is", "value": "GB"}
    segment = save_segment(None, name="Britons", definition=definition).segment
    refresh_all(now=timezone.now())
    ApprovalRule.objects.create(at_least=2)
    draft = services.MessageDraft(key="a", name="A", subject="Hi", body=BODY)
    return services.save_campaign(
        None, name="Spring", segment=segment, messages=[draft], sender_address="s@shop.example",
        control_share=0.0, actor="user:ada",
    )  # fmt: skip


def log_in(page: Page, name: str, path: str) -> None:
    page.context.clear_cookies()
    page.goto(f"/admin/login/?next={path}")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").first.fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()


def test_a_campaign_waits_for_a_second_pair_of_eyes(
    campaign: Campaign, page: Page, accessible: Callable[[Page], None], shot: Callable[..., None]
) -> None:
    log_in(page, "ada", f"/app/campaigns/{campaign.pk}/")
    page.get_by_role("button", name="Duplicate campaign").click()
    expect(page.get_by_label("Campaign name")).to_have_value("Spring (copy)")
    expect(page.get_by_text("A second person must approve this campaign")).to_be_visible()
    expect(page.get_by_role("button", name="Launch now")).to_be_disabled()
    page.get_by_label("What should they look at?").fill("Is the tone right?")
    page.get_by_role("button", name="Ask for approval").click()
    expect(page.get_by_text("Waiting for approval")).to_be_visible()
    expect(page.get_by_role("button", name="Approve", exact=True)).to_be_hidden()

    log_in(page, "ben", "/admin/")
    page.get_by_role("link", name="“Spring (copy)” waits for your approval.").click()
    page.get_by_label("Comment").fill("Lovely.")
    accessible(page)
    shot(page, "approval", full_page=True)
    page.get_by_role("button", name="Approve", exact=True).click()
    expect(page.get_by_text("Approved as it is")).to_be_visible()
    expect(page.get_by_role("button", name="Launch now")).to_be_enabled()


def test_the_calendar_shows_what_is_planned_and_who_gets_too_much(
    campaign: Campaign, page: Page, accessible: Callable[[Page], None], shot: Callable[..., None]
) -> None:
    ApprovalRule.objects.all().delete()
    at = (timezone.now() + timedelta(days=40)).replace(day=10, hour=9, minute=0)
    services.schedule(campaign, at=at, actor="user:ada")
    other = services.save_campaign(
        None, name="Autumn", segment=campaign.segment, sender_address="s@shop.example", control_share=0.0,
        messages=[services.MessageDraft(key="a", name="A", subject="Hi", body=BODY)], actor="user:ada",
    )  # fmt: skip
    services.schedule(other, at=at + timedelta(hours=2), actor="user:ada")
    log_in(page, "ada", f"/app/campaigns/calendar/?month={at:%Y-%m}")
    expect(page.get_by_role("link", name="Autumn").last).to_be_visible()
    expect(page.get_by_text("3 customers get more than one of these messages on one day.")).to_be_visible()
    accessible(page)
    shot(page, "calendar")
    page.set_viewport_size({"width": 390, "height": 844})
    expect(page.get_by_role("link", name="Spring").last).to_be_visible()
    shot(page, "calendar-phone")


def test_a_campaign_is_put_away_and_taken_out_again(campaign: Campaign, page: Page) -> None:
    log_in(page, "ada", f"/app/campaigns/{campaign.pk}/")
    page.get_by_role("button", name="Archive", exact=True).click()
    expect(page.get_by_text("“Spring” is in the archive")).to_be_visible()
    page.get_by_label("Status").select_option("archived")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="Spring").click()
    page.get_by_role("button", name="Take out of the archive").click()
    expect(page.get_by_role("link", name="Spring", exact=True)).to_be_visible()


def test_a_draft_that_repeats_comes_back_as_one_to_be_scheduled(campaign: Campaign, page: Page) -> None:
    Campaign.objects.update(timing={"repeat": "FREQ=DAILY"})
    log_in(page, "ada", f"/app/campaigns/{campaign.pk}/")
    expect(page.get_by_label("At a set time")).to_be_checked()
    expect(page.get_by_role("button", name="Schedule")).to_be_visible()
    expect(page.get_by_role("button", name="Launch now")).to_be_hidden()


def test_the_date_of_a_draft_is_kept_with_it(campaign: Campaign, page: Page) -> None:
    log_in(page, "ada", f"/app/campaigns/{campaign.pk}/")
    page.get_by_label("At a set time").check()
    page.get_by_label("Date and time").fill("2031-07-01T09:00")
    page.get_by_label("Time zone").fill("Asia/Shanghai")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("status").filter(has_text="Saved")).to_be_visible()
    page.reload()
    expect(page.get_by_label("At a set time")).to_be_checked()
    expect(page.get_by_label("Date and time")).to_have_value("2031-07-01T09:00")
    expect(page.get_by_label("Time zone")).to_have_value("Asia/Shanghai")
    page.get_by_label("As soon as I launch").check()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("status").filter(has_text="Saved")).to_be_visible()
    page.reload()
    expect(page.get_by_label("As soon as I launch")).to_be_checked()


def test_a_repetition_that_is_saved_again_after_scheduling_still_repeats(
    campaign: Campaign, page: Page
) -> None:
    ApprovalRule.objects.all().delete()
    log_in(page, "ada", f"/app/campaigns/{campaign.pk}/")
    page.get_by_label("At a set time").check()
    page.get_by_label("Date and time").fill("2031-07-01T09:00")
    page.get_by_label("Time zone").fill("Asia/Shanghai")
    page.get_by_label("Repeat").select_option("FREQ=DAILY")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("button", name="Schedule", exact=True).click()
    expect(page.get_by_role("button", name="Take back the schedule")).to_be_visible()
    page.get_by_label("Campaign name").fill("Spring, daily")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("status").filter(has_text="Saved")).to_be_visible()
    campaign.refresh_from_db()
    kept = {"repeat": "FREQ=DAILY", "starts": "2031-07-01T09:00", "zone": "Asia/Shanghai"}
    assert (campaign.name, campaign.status, campaign.timing) == ("Spring, daily", "scheduled", kept)


def test_a_schedule_by_local_time_names_the_day_that_was_chosen(campaign: Campaign, page: Page) -> None:
    Campaign.objects.update(timing={"mode": "local", "zone": "Asia/Shanghai"})
    ApprovalRule.objects.all().delete()
    campaign.refresh_from_db()
    # Noon in Shanghai on the 1st; the first clocks on earth show nine on that day 14 hours before UTC does.
    noon = datetime(2031, 7, 1, 4, tzinfo=UTC)
    campaign = services.schedule(campaign, at=noon, actor="user:ada")
    assert campaign.scheduled_at == datetime(2031, 6, 30, 19, tzinfo=UTC)
    log_in(page, "ada", f"/app/campaigns/{campaign.pk}/")
    expect(page.get_by_label("Date and time")).to_have_value("2031-07-01T12:00")
    expect(page.get_by_text("1 Jul 2031, by each customer's own clock")).to_be_visible()
    page.goto("/app/campaigns/")
    expect(page.get_by_text("By each customer's own clock, the first from")).to_be_visible()
