"""An import as a data manager meets it: upload, map, look, try dry, start, fetch the rejected rows."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from personalization.access.models import User
from personalization.customers.models import Customer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PASSWORD = "correct horse battery"
PEOPLE = "\ufeffnr;E-Mail;plan\r\n1;ada@example.com;gold\r\n2;nonsense;\r\n3;;silver\r\n"


def test_a_spreadsheet_is_imported_by_hand(
    page: Page, worker: Callable[[], None], accessible: Callable[[Page], None], shot: Callable[..., None],
    settings: Any, tmp_path: Any,
) -> None:  # fmt: skip
    settings.IMPORT_DIR = tmp_path / "imports"
    User.objects.create_superuser("ada", email="ada@shop.example", password=PASSWORD)
    worker()
    page.goto("/app/data/imports/")
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").first.fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    accessible(page)
    page.get_by_label("File", exact=True).set_input_files(
        {"name": "people.csv", "mimeType": "text/csv", "buffer": PEOPLE.encode()}
    )
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_label("Field for E-Mail")).to_have_value("email")
    page.get_by_label("Field for nr").select_option("external_id")
    page.get_by_role("button", name="Look again").click()
    expect(page.get_by_text("1 of these rows would be rejected.")).to_be_visible()
    expect(page.get_by_role("cell", name="E-mail: not an e-mail address")).to_be_visible()
    accessible(page)
    shot(page, "import", full_page=True)
    page.get_by_role("button", name="Dry run").click()
    expect(page.get_by_role("button", name="Import for real")).to_be_visible(timeout=30_000)
    assert not Customer.objects.exists()
    page.get_by_role("button", name="Import for real").click()
    expect(page.get_by_text("Done", exact=True)).to_be_visible(timeout=30_000)
    accessible(page)
    shot(page, "import-done", full_page=True)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the rejected rows").click()
    assert "not an e-mail address" in download.value.path().read_text()
    assert sorted(Customer.objects.values_list("external_id", flat=True)) == ["1", "3"]
