"""The report of a division that was learned, in a browser: what to believe of each message."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from experiments import services
from experiments.models import Allocation, Assignment
from experiments.services import VariantSpec, ensure_default_metrics
from personalization.access.models import User
from personalization.customers.models import Customer
from personalization.events.services import NewEvent, record_events
from tests.browser.test_experiment_report import log_in, no_overflow

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
START = timezone.now() - timedelta(days=8)
CHANCES = [(0.1, 0.3, 0.3, 0.3), (0.1, 0.35, 0.35, 0.2), (0.1, 0.5, 0.3, 0.1), (0.1, 0.62, 0.18, 0.1)]
BUYS = (0.05, 0.24, 0.18, 0.1)


@pytest.fixture
def learned(live_server, analyse):
    """Four waves of 400 customers; the first message sells most and is drawn the more often."""
    ensure_default_metrics()
    specs = [
        VariantSpec("none", "No message", 0.1, is_control=True),
        VariantSpec("a", "Free shipping", 0.3),
        VariantSpec("b", "Ten percent off with a rather long name", 0.3),
        VariantSpec("c", "New arrivals", 0.3),
    ]
    made = services.create_experiment(
        key="learned", name="Learned", variants=specs, allocation=Allocation.LEARNING
    )
    services.start_experiment(made, at=START)
    people = Customer.objects.bulk_create(
        Customer(external_id=f"c-{n}", created_at=START) for n in range(1600)
    )
    variants = list(made.variants.order_by("position"))
    rows, events = [], []
    for n, person in enumerate(people):
        wave, place = divmod(n, 400)
        chances, at = CHANCES[wave], START + timedelta(days=2 * wave)
        drawn = sum((place + 0.5) / 400 > sum(chances[: k + 1]) for k in range(3))
        rows.append(
            Assignment(
                experiment=made, customer=person, variant=variants[drawn], propensity=chances[drawn],
                assigned_at=at,
            )
        )  # fmt: skip
        if (n * 37) % 100 < BUYS[drawn] * 100:
            events.append(
                NewEvent(person.pk, f"o-{n}", "Order Completed", at + timedelta(hours=5), value=20 + n % 9)
            )
    Assignment.objects.bulk_create(rows)
    record_events(events)
    User.objects.create_superuser("ada", email="ada@shop.example", password="correct horse battery")
    analyse(made)
    return made


def test_the_report_shows_what_was_learned(page, learned, accessible, shot):
    log_in(page, "/app/experiments/learned/")
    expect(page.get_by_role("heading", name="How the variants were shared out")).to_be_visible()
    for chart in ("shares", "arms", "regret"):
        page.locator(f"#chart-{chart}").scroll_into_view_if_needed()
        expect(page.locator(f"#chart-{chart} svg")).to_be_visible(timeout=20_000)
    expect(page.locator("#chart-series")).to_be_hidden()
    page.get_by_text("Day by day", exact=True).click()
    shot(page, "learned-report", full_page=True)
    accessible(page)
    page.set_viewport_size({"width": 390, "height": 900})
    no_overflow(page)
