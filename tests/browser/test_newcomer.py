"""A newcomer's first quarter of an hour, in English and in Chinese: own files, a segment, a campaign in three
variants with a control group and a recommendation block, sent to the mail catcher, reported. By the page's
links alone, as somebody would who knows no address."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.utils import translation
from django.utils.translation import gettext as said
from playwright.sync_api import Page, expect

from campaigns.models import Delivery, DeliveryStatus, Run, RunStatus
from personalization.access.models import User
from personalization.customers.models import Consent
from tests.browser.test_first_campaign import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PASSWORD = "correct horse battery"
N = 60
AGREED = ("ja", "x", "nein", "")
# As Excel in Germany saves them: semicolons, Windows-1252, commas in numbers, days first.
PEOPLE = "Kunden-Nr.;E-Mail Adresse;Vorname;Ort;Land;Newsletter?;Umsatz\r\n" + "".join(
    f'K{n};k{n}@kunden.example;Jürgen;"Köln, Süd";Deutschland;{AGREED[n % 4]};1.{100 + n},50\r\n'
    for n in range(N)
)
ITEMS = "Artikel-Nr.;Bezeichnung;Preis\r\n" + "".join(f"A{n};Grüner Tee {n};{4 + n},90\r\n" for n in range(9))
BOUGHT = "Datum;Kunde;Artikel-Nr.;Betrag\r\n" + "".join(
    f"{1 + n % 28:02}.0{1 + n % 9}.2026 14:{n % 60:02};K{n % N};A{n * n % 9};4,90\r\n" for n in range(240)
)


@pytest.fixture(params=["en", "zh-hans"])
def language(request: pytest.FixtureRequest) -> Iterator[str]:
    with translation.override(request.param):
        yield request.param


@pytest.fixture
def newcomer(
    page: Page, language: str, settings: Any, tmp_path: Any, live_server: Any, worker: Callable[[], None]
) -> Page:
    """Signed in, in a shop that is empty."""
    settings.IMPORT_DIR, settings.SITE_URL = tmp_path / "imports", live_server.url
    User.objects.create_superuser("ada", email="ada@shop.example", password=PASSWORD)
    worker()
    page.on("dialog", lambda dialog: dialog.accept())
    page.context.add_cookies([{"name": "django_language", "value": language, "url": live_server.url}])
    page.goto("/")
    page.locator("#id_username").fill("ada")
    page.locator("#id_password").fill(PASSWORD)
    page.locator("#id_password").press("Enter")
    expect(page.get_by_role("heading", name=said("Home"))).to_be_visible()
    return page


def bring(page: Page, kind: str, text: str, *, fields: tuple[tuple[str, str], ...] = ()) -> None:
    page.locator("#im-kind").select_option(kind)
    file = {"name": f"{kind}.csv", "mimeType": "text/csv", "buffer": text.encode("cp1252")}
    page.locator("#im-file").set_input_files(file)  # type: ignore[arg-type]  # playwright's own TypedDict
    page.get_by_role("button", name=said("Upload")).click()
    for column, field in fields:
        page.get_by_label(said("Field for %(name)s") % {"name": column}).select_option(field)


def start_import(page: Page) -> None:
    page.get_by_role("button", name=said("Start the import")).click()
    expect(page.get_by_text(said("Done"), exact=True)).to_be_visible(timeout=30_000)


def make_segment(page: Page) -> None:
    page.get_by_role("link", name=said("Next steps")).click()
    page.get_by_role("link", name=said("Choose whom to write to: make a segment.")).click()
    page.get_by_role("button", name=said("May get our e-mail")).click()
    page.locator(".sb-foot button").first.click()
    # As somebody writes who has read neither the names of traits nor the codes of countries.
    country = "Country" if translation.get_language() == "en" else "国家"
    page.get_by_placeholder(said("Choose a trait")).fill(country)
    page.get_by_placeholder(said("Choose a trait")).press("Tab")
    expect(page.get_by_placeholder(said("Choose a trait"))).to_have_value("country")
    page.get_by_placeholder(said("Value")).last.fill("DE")
    page.get_by_role("textbox", name=said("Name"), exact=True).fill("Readers")
    expect(page.get_by_text(re.compile(rf"\b{N // 2}\b")).first).to_be_visible()
    page.get_by_role("button", name=said("Save segment")).click()
    page.wait_for_url(re.compile(r"/app/segments/\d+/"))


def write_campaign(page: Page) -> None:
    page.get_by_role("link", name=said("Write to them")).click()
    page.get_by_label(said("Campaign name")).fill("Autumn tea")
    expect(page.get_by_label(said("Segment"), exact=True).locator("option:checked")).to_have_text("Readers")
    page.get_by_label(said("Sender address")).fill("shop@shop.example")
    page.get_by_label(re.compile(re.escape(said("Control group that gets nothing")))).fill("0.3")
    page.get_by_label(said("Start from")).select_option("picks")
    for subject in ("Tea for you", "{{ customer.first_name }}: your next cup"):
        page.get_by_role("button", name=said("Duplicate")).click()
        page.get_by_label(said("Subject"), exact=True).fill(subject)
    # The recommendation block, with items of the newcomer's own catalog.
    expect(page.locator("iframe[sandbox]")).to_have_attribute(
        "srcdoc", re.compile("Grüner Tee"), timeout=20_000
    )


def launch(page: Page) -> None:
    """Saved, looked through by the check list, and sent."""
    page.get_by_label(said("At a set time")).check()
    expect(page.get_by_role("button", name=said("Schedule"))).to_be_disabled()
    expect(page.get_by_text(said("Choose a date and time first."))).to_be_visible()
    page.get_by_label(said("As soon as I launch")).check()
    page.get_by_role("button", name=said("Save"), exact=True).click()
    page.wait_for_url(re.compile(r"/app/campaigns/\d+/$"))
    found = said("%(n)s customers are in the segment.") % {"n": N // 2}
    expect(page.get_by_text(found)).to_be_visible(timeout=20_000)
    expect(page.locator(".ce-checks .ce-error")).to_have_count(0)
    page.get_by_role("button", name=said("Launch now")).click()
    page.wait_for_url(re.compile(r"/app/campaigns/\d+/report/"))


def test_from_own_files_to_the_report(
    newcomer: Page, language: str, mailbox: Any, accessible: Callable[[Page], None], shot: Callable[..., None]
) -> None:
    page = newcomer
    page.get_by_role(
        "link", name=said("Import your customers from a file: a spreadsheet saved as CSV will do.")
    ).click()
    bring(page, "customers", PEOPLE, fields=(("Newsletter?", "email_consent"),))
    shot(page, f"newcomer-{language}-1-import")
    start_import(page)
    assert Consent.objects.filter(granted=True).count() == N // 2
    page.get_by_role("link", name=said("Import another file")).click()
    bring(page, "items", ITEMS)
    start_import(page)
    page.get_by_role("link", name=said("Import another file")).click()
    bring(page, "events", BOUGHT)
    page.locator("#im-event").fill("Order Line")
    start_import(page)
    make_segment(page)
    shot(page, f"newcomer-{language}-2-segment")
    write_campaign(page)
    shot(page, f"newcomer-{language}-3-campaign")
    accessible(page)
    launch(page)
    wait_until(lambda: Run.objects.filter(status=RunStatus.FINISHED).exists(), seconds=60)
    sent = Delivery.objects.filter(status=DeliveryStatus.SENT)
    assert len(mailbox[0].messages) == sent.count() > 0
    assert sent.values("variant").distinct().count() == 3
    assert Delivery.objects.exclude(status=DeliveryStatus.SENT).filter(variant__isnull=False).exists()
    expect(page.locator(".rp-headline .b-sentence")).not_to_be_empty()
    shot(page, f"newcomer-{language}-4-report", full_page=True)
    accessible(page)
