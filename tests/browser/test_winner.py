"""A campaign finds its own winner: the editor says what the test could see, the report what follows."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from campaigns import tasks
from campaigns.models import Campaign, Delivery, Rollout
from campaigns.rollout import winner
from experiments.models import Plan
from personalization.access.models import User
from personalization.demo.services import load_shop
from personalization.demo.world import build_world
from personalization.events.services import NewEvent, record_events
from personalization.segments.services import save_segment

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PASSWORD = "correct horse battery"


@pytest.fixture
def shop(settings, tmp_path, live_server):
    settings.DATA_DIR, settings.MEDIA_ROOT = tmp_path, tmp_path / "media"
    settings.SITE_URL = live_server.url
    load_shop(build_world(n_customers=600, seed=5))
    save_segment(None, name="Everybody", definition={"all": []})
    User.objects.create_superuser("ada", email="ada@shop.example", password=PASSWORD)


def plan_campaign(page, shot, accessible):
    page.goto("/app/campaigns/new/")
    page.get_by_label("Campaign name").fill("Which subject")
    page.get_by_label("Segment", exact=True).select_option(label="Everybody")
    page.get_by_label("Sender address").fill("shop@shop.example")
    page.get_by_role("button", name="Duplicate").click()
    page.get_by_label(re.compile("Who tries the variants first")).fill("0.5")
    expect(page.get_by_text("The rest waits and gets the winner by itself")).to_be_visible(timeout=20_000)
    page.get_by_label("If there is no winner, the rest gets").select_option("best")
    page.get_by_text("Change the plan").click()
    expect(page.get_by_text("Too few past customers count for “Revenue”")).to_be_visible(timeout=20_000)
    page.get_by_label("What decides").select_option("conversion")
    page.get_by_label("Smallest change worth finding, %").fill("20")
    page.get_by_label("Length in days").fill("0")
    expect(page.get_by_text("The test must last some time")).to_be_visible(timeout=20_000)
    page.get_by_label("Length in days").fill("14")
    expect(page.get_by_text("Looked at after 7, 14 days.")).to_be_visible(timeout=20_000)
    expect(page.get_by_text(re.compile("in “Customers who ordered” with 80 % power"))).to_be_visible(
        timeout=20_000
    )
    # So few customers cannot rule out a fifth of a point: the editor says so, and another margin is chosen.
    expect(page.get_by_text("cannot be proven, so nothing could be named the winner")).to_be_visible()
    page.get_by_role("button", name="Choose them myself").click()
    page.get_by_label("Accepted harm").fill("20")
    expect(page.get_by_text("cannot be proven")).to_be_hidden(timeout=20_000)
    page.locator("#ce-test").scroll_into_view_if_needed()
    shot(page, "plan", full_page=True)
    accessible(page)
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url(re.compile(r"/app/campaigns/\d+/$"))
    expect(page.get_by_text("Saved", exact=True)).to_be_visible(timeout=20_000)


def change_plan(page, run):
    page.get_by_text("Change the plan").first.click()
    page.locator("#rp-effect").fill("25")
    page.get_by_label("Reason").fill("Only a large rise pays for a second mail")
    page.get_by_role("button", name="Change the plan").click()
    expect(page.get_by_text("Only a large rise pays for a second mail")).to_be_visible(timeout=20_000)
    before, after = (plan.terms for plan in run.experiment.plans.order_by("version"))
    assert before | {"minimum_effect": 0.25} == after
    assert after["guardrails"][0]["margin"] == 0.2


def test_a_campaign_finds_its_winner(page, shop, shot, accessible, monkeypatch, analyse) -> None:
    monkeypatch.setattr(tasks, "wake", lambda: None)
    page.goto("/")
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").first.fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    plan_campaign(page, shot, accessible)
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Launch now").click()
    page.wait_for_url(re.compile(r"/app/campaigns/\d+/report/"))
    run = Campaign.objects.latest("pk").runs.get()
    analyse(run.experiment)
    expect(page.get_by_text("Go on: the plan looks next on")).to_be_visible(timeout=20_000)
    expect(page.get_by_text("The rest of the audience waits for the winner.")).to_be_visible(timeout=20_000)
    shot(page, "decision-waiting", full_page=True)
    change_plan(page, run)
    people = Delivery.objects.filter(run=run, is_rest=False, variant__key="b").values_list(
        "customer_id", flat=True
    )
    at = timezone.now() + timedelta(hours=3)
    record_events(
        NewEvent(customer_id=pk, message_id=f"w-{pk}", name="Order Completed", occurred_at=at, value=30)
        for pk in people
    )
    plan = Plan.objects.get(experiment=run.experiment, version=2)
    winner.take_look(plan.pk, now=plan.next_look_at)
    assert Rollout.objects.get(run=run).variant.key == "b"
    analyse(run.experiment)
    page.reload()
    expect(page.get_by_text(re.compile("^Ship “"))).to_be_visible(timeout=20_000)
    expect(page.get_by_text(re.compile("The rest gets the winner"))).to_be_visible(timeout=20_000)
    shot(page, "decision-made", full_page=True)
    accessible(page)
