"""Recommenders as a campaign manager meets them: train, look at the evidence, try on a customer, promote."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from playwright.sync_api import Page, expect

from personalization.access.models import User
from personalization.customers.models import Customer
from personalization.demo.services import load_shop
from personalization.demo.world import build_world
from recommender.models import ModelRun, RunStatus

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PASSWORD = "correct horse battery"
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def shop(settings: Any, tmp_path: Any, live_server: Any) -> None:
    """The demo shop in small, two trained models, and somebody who may do everything."""
    settings.DATA_DIR, settings.MODEL_DIR = tmp_path, tmp_path / "models"
    settings.MEDIA_ROOT, settings.SITE_URL = tmp_path / "media", live_server.url
    load_shop(build_world(n_customers=400, seed=5))
    for algorithm in ("item_knn", "popular"):
        call_command("train", algorithm=algorithm, wait=True)
    User.objects.create_superuser("ada", email="ada@shop.example", password=PASSWORD)


def log_in(page: Page) -> None:
    page.goto("/app/recommender/")
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").first.fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Recommenders", exact=True)).to_be_visible()


def promote_popular(page: Page) -> None:
    page.get_by_role("link", name="Most popular", exact=True).click()
    page.get_by_text("Let it serve").click()
    page.get_by_label("Reason").fill("a test of everything")
    page.get_by_role("button", name="Promote").click()
    expect(page.get_by_text("serves from now on").first).to_be_visible()


def go_back(page: Page) -> None:
    page.goto("/app/recommender/")
    expect(page.get_by_text("Promoted by user:ada: a test of everything")).to_be_visible()
    page.get_by_text("Go back to the one before").click()
    expect(page.get_by_text(re.compile(r"Item neighbors #\d+ serves again at once"))).to_be_visible()
    page.get_by_role("button", name="Go back now").click()
    expect(page.get_by_text(re.compile(r"Item neighbors #\d+ serves, promoted on"))).to_be_visible()


def test_a_model_is_trained_watched_promoted_and_taken_back(
    shop: None, page: Page, worker: Callable[[], None], shot: Callable[..., None]
) -> None:
    log_in(page)
    expect(page.locator("[data-plot] svg")).to_be_visible()
    shot(page, "recommenders", full_page=True)
    page.get_by_role("link", name="Train", exact=True).click()
    page.get_by_label("Recommender", exact=True).select_option("ease")
    page.get_by_text("Parameters (the defaults are fine").click()
    page.get_by_label("Regularization").fill("100")
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_text("Waiting").first).to_be_visible()
    worker()
    # The page looks by itself and is loaded anew at the end.
    expect(page.get_by_role("heading", name=re.compile(r"Judged on \d+ customers"))).to_be_visible(
        timeout=60_000
    )
    run = ModelRun.objects.filter(algorithm="ease").latest("created_at")
    assert run.status == RunStatus.DONE and run.parameters == {"regularization": 100.0}
    expect(page.locator("[data-plot] svg")).to_have_count(2)
    shot(page, "recommender", full_page=True)

    page.goto("/app/recommender/")
    promote_popular(page)
    go_back(page)


def test_models_are_tried_on_a_customer_found_by_name(
    shop: None, page: Page, shot: Callable[..., None]
) -> None:
    log_in(page)
    person = Customer.objects.exclude(first_name="").filter(events__item__isnull=False).order_by("pk")[0]
    page.goto("/app/recommender/try/")
    page.get_by_label("Customer", exact=True).press_sequentially(person.external_id or "")
    page.locator("#rc-found a").first.click()
    expect(page.get_by_role("heading", name=f"What {person} did lately")).to_be_visible()
    lists = page.locator(".rc-list")
    expect(lists).to_have_count(2)
    expect(lists.first).to_contain_text("Because of")
    expect(lists.last).to_contain_text("Popular, not personal")
    shot(page, "try", full_page=True)
    page.get_by_label("Bought items").select_option("allow")
    page.get_by_label("Most per category").fill("1")
    page.get_by_role("button", name="Apply").click()
    expect(page.locator(".rc-list")).to_have_count(2)
    assert "max_per_category=1" in page.url


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_recommender_pages_are_accessible_and_fit_a_phone(
    shop: None, page: Page, accessible: Callable[[Page], None], scheme: Any
) -> None:
    page.emulate_media(color_scheme=scheme)
    log_in(page)
    run, customer = ModelRun.objects.order_by("pk")[0].pk, Customer.objects.order_by("pk")[0].pk
    paths = ["", f"{run}/", "which/", "train/?algorithm=ease", f"try/?customer={customer}"]
    for path in paths:
        page.set_viewport_size({"width": 1400, "height": 900})
        page.goto(f"/app/recommender/{path}")
        page.wait_for_load_state("networkidle")
        accessible(page)
        page.set_viewport_size(PHONE)
        page.wait_for_function("document.documentElement.scrollWidth <= window.innerWidth", timeout=5_000)
