"""The report of an experiment in a browser: made by a worker while one looks, by groups, in both
languages."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from experiments import services
from experiments.models import Assignment
from experiments.services import VariantSpec, ensure_default_metrics
from personalization.access.models import User
from personalization.customers.models import Customer
from personalization.events.services import NewEvent, record_events

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
START = timezone.now() - timedelta(days=20)
PASSWORD = "correct horse battery"


@pytest.fixture
def experiment(live_server):
    """600 customers of two countries and three variants; the new page sells in Britain."""
    ensure_default_metrics()
    specs = [
        VariantSpec("old", "The page as it was", 1, is_control=True),
        VariantSpec("new", "New page", 1),
        VariantSpec("short", "A much shorter page with a rather long name", 1),
    ]
    made = services.create_experiment(key="page", name="The page", variants=specs)
    services.start_experiment(made, at=START)
    people = Customer.objects.bulk_create(
        Customer(
            external_id=f"c-{n}", created_at=START, country="GB" if n % 2 else "FR", traits={"plan": n % 5}
        )
        for n in range(600)
    )
    variants = list(made.variants.order_by("position"))
    Assignment.objects.bulk_create(
        Assignment(
            experiment=made, customer=person, variant=variants[n % 3], propensity=1 / 3, assigned_at=START
        )
        for n, person in enumerate(people)
    )
    record_events(
        NewEvent(
            customer_id=person.pk, message_id=f"o-{n}-{day}", name="Order Completed", value=20 + n % 7,
            occurred_at=START + timedelta(days=day),
        )
        for n, person in enumerate(people)
        for day in (1, 3)
        if (n % 3 == 1 and n % 2) or n % 11 == day
    )  # fmt: skip
    User.objects.create_superuser("ada", email="ada@shop.example", password=PASSWORD)
    return made


def log_in(page, next_page):
    page.goto(f"/admin/login/?next={next_page}")
    page.locator("#id_username").fill("ada")
    page.locator("#id_password").fill(PASSWORD)
    page.locator("form button[type=submit]").first.click()


def no_overflow(page):
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{wide} px too wide at {page.viewport_size}"


def on_paper_is_every_chart(page):
    """Also of a page printed before a chart was on the screen."""
    page.set_viewport_size({"width": 1400, "height": 200})
    page.evaluate("window.scrollTo(0, 0)")  # a page loaded again stays where it was
    page.reload()
    boxes = page.locator("[id^=chart-]:not([hidden])")
    page.pdf()
    drawn = [boxes.nth(n).locator("svg :is(path, circle)").count() > 0 for n in range(boxes.count())]
    assert len(drawn) > 2
    assert all(drawn)


def every_chart_is_said_in_words_and_numbers(page, language):
    charts = page.get_by_role("img").and_(page.locator(".b-chart:visible"))
    expect(charts).to_have_count(4)
    for n in range(4):
        chart = charts.nth(n)
        expect(chart).to_have_accessible_name(re.compile(r"\S"))
        expect(chart).to_have_accessible_description(re.compile(r"\d"))
        rows = chart.locator("xpath=..").locator(".b-numbers tbody tr")
        assert rows.filter(has_text=re.compile(r"\d")).count() == rows.count() > 1
    forest = page.locator("#chart-forest")
    said = "Above 0: New page · " if language == "en" else "高于 0：New page · "
    expect(forest).to_have_accessible_description(re.compile(said))
    page.locator(".b-numbers > summary").first.click()
    expect(
        page.get_by_role("columnheader", name="Lower bound" if language == "en" else "下限").first
    ).to_be_visible()
    page.locator(".b-numbers > summary").first.click()


def one_interval_that_tells_nothing_does_not_squeeze_the_others(page):
    """Three quarters of the ends lie within 0.3: the axis goes to 0.45, and 8 % of its length further."""
    known = "{label: 'a', points: [{value: 0.1, low: -0.1, high: 0.3, lines: []}]}"
    wild = "{label: 'b', points: [{value: 0.2, low: -0.1, high: 60, lines: []}]}"
    rows = ",".join([known] * 4 + [wild])
    furthest = page.evaluate(f"bespokePlot.intervals({{rows: [{rows}], show: String}}).x.max")
    assert furthest == pytest.approx(0.45 + 0.08 * 0.55)


def test_a_report_is_made_while_one_looks_and_tells_for_whom(page, experiment, worker, accessible, shot):
    worker()
    log_in(page, "/app/experiments/page/")
    expect(page.get_by_text("“New page” raised “Revenue”")).to_be_visible(timeout=40_000)
    page.get_by_text("Compare groups of customers").click()
    page.get_by_label("country", exact=True).check()
    page.get_by_label("plan", exact=True).check()
    page.get_by_role("button", name="Compare these groups").click()
    expect(page.get_by_text("The effect differs between groups of “country” (New page).")).to_be_visible(
        timeout=40_000
    )
    page.locator("#chart-groups").scroll_into_view_if_needed()
    expect(page.locator("#chart-groups svg")).to_be_visible(timeout=20_000)
    shot(page, "experiment-report", full_page=True)
    accessible(page)
    for language in ("en", "zh-hans"):
        page.context.add_cookies([{"name": "django_language", "value": language, "url": page.url}])
        for width in (390, 1400):
            page.set_viewport_size({"width": width, "height": 900})
            page.reload()
            page.locator("#chart-forest").scroll_into_view_if_needed()
            expect(page.locator("#chart-forest svg")).to_be_visible(timeout=20_000)
            no_overflow(page)
            every_chart_is_said_in_words_and_numbers(page, language)
            shot(page, f"experiment-report-{language}-{width}", full_page=True)
    one_interval_that_tells_nothing_does_not_squeeze_the_others(page)
    on_paper_is_every_chart(page)
    with page.expect_download() as download:
        page.locator("a[href$='report.csv']").click()
    assert re.match(r"page.*\.csv", download.value.suggested_filename)
