"""Every page that the product mounts, as a reader of screens meets it: in light and dark, English and
Chinese, on a desk and on a phone; whether its icons are icons; and what its first load weighs."""

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Page

from personalization.access.models import User
from personalization.customers.models import Customer
from tests.access.test_role_matrix import CUSTOMER_ID, routes
from tests.browser.conftest import serious_findings
from tests.privacy.making import NOW, NUMBER, make_rows

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
# Other people's pages, and what is no page.
NOT_OURS = ("api/docs", "admin/jsi18n", "admin/logout", "i18n/")
DARK = "document.documentElement.classList.add('dark'); document.documentElement.style.colorScheme = 'dark'"

# A page's first load with its charts and what it asks for by itself, compressed as it comes over the wire.
# Only the campaign's editor may weigh more: it brings the editor of e-mails.
HEAVIEST_BYTES = 250_000
EDITOR = re.compile(r"app/campaigns/(new|\d+)/$")
PAGE_BYTES = """[...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
  .filter(one => !new URL(one.name).pathname.startsWith('/static/'))
  .reduce((sum, one) => sum + one.encodedBodySize, 0)"""
ASSETS = """performance.getEntriesByType('resource').map(one => new URL(one.name))
  .filter(url => url.origin === location.origin && url.pathname.startsWith('/static/'))
  .map(url => url.pathname)"""
# A name in three scripts: whoever the customers are, no page grows by a font for each of them.
NAME = "Łukasz Ž. Григорий Ελένη"
# An icon is one character wide; one that the font lacks shows as its name.
WORDS = """[...document.querySelectorAll('.material-symbols-outlined')]
  .filter(one => one.offsetWidth && getComputedStyle(one).fontFamily.includes('Symbols'))
  .filter(one => { const range = document.createRange(); range.selectNodeContents(one);
    return range.getBoundingClientRect().width > 1.2 * parseFloat(getComputedStyle(one).fontSize); })
  .map(one => one.textContent.trim())"""
# The same for those that a style sheet puts after an element.
STYLED = """[...document.querySelectorAll('a, i, span, button')].flatMap(one => {
    const style = getComputedStyle(one, '::after'), name = /^"([a-z_]{3,})"$/.exec(style.content);
    if (!name || !style.fontFamily.includes('Symbols')) return [];
    const tried = document.body.appendChild(document.createElement('span'));
    Object.assign(tried.style, { position: 'absolute', whiteSpace: 'nowrap', fontFamily: style.fontFamily,
      fontSize: '20px', fontFeatureSettings: '"liga"', letterSpacing: 'normal', textTransform: 'none' });
    tried.textContent = name[1];
    const width = tried.offsetWidth;
    tried.remove();
    return width > 24 ? [name[1]] : [];
  })"""
# The style sheets that a page links, and which of some selectors find something on it.
LINKED = "[...document.styleSheets].flatMap(one => one.href ? [new URL(one.href).pathname] : [])"
FOUND = "(selectors) => selectors.filter(one => document.querySelector(one))"
SHEETS = Path(__file__).resolve().parents[2] / "static/bespoke"
SIZES = {"desk": {"width": 1400, "height": 900}, "phone": {"width": 390, "height": 844}}


@cache
def asset_bytes(path: str) -> int:
    """As it goes out to a browser (the test's server has its own way with assets)."""
    return int(Client().get(path, HTTP_ACCEPT_ENCODING="gzip")["Content-Length"])


@cache
def selectors_of(sheet: str) -> list[str]:
    css = re.sub(r"/\*.*?\*/|@[^{]*\{", "", (SHEETS / f"{sheet}.css").read_text(), flags=re.DOTALL)
    found = re.findall(r"([^{}]+)\{", css)
    plain = (re.sub(r"::?[\w-]+(?![\w(-])", "", one).strip() for one in found)
    return [one for one in plain if one]


def unstyled(page: Page) -> list[str]:
    """What a sheet says of this page that the page does not link."""
    linked = {Path(path).stem for path in page.evaluate(LINKED) if path.startswith("/static/bespoke/")}
    rooms = {path.stem for path in SHEETS.glob("*.css")} - {"shared", "tracking"} - linked
    return [
        f"it does not link {sheet}.css, which styles its {selector}"
        for sheet in sorted(rooms)
        for selector in page.evaluate(FOUND, selectors_of(sheet))
    ]


def loading_problems(page: Page, path: str) -> list[str]:
    """What is too heavy, and icons that show as words."""
    page.wait_for_function("document.fonts.status === 'loaded'")
    found = [
        f"the icon {name} is not in the font: run bin/assets"
        for name in page.evaluate(WORDS) + page.evaluate(STYLED)
    ]
    found += unstyled(page)
    sizes = {asset: asset_bytes(asset) for asset in page.evaluate(ASSETS)}
    weight = page.evaluate(PAGE_BYTES) + sum(sizes.values())
    if weight > HEAVIEST_BYTES and not EDITOR.match(path):
        found.append(f"its first load weighs {weight} bytes: {sizes}")
    return found


@pytest.fixture
def pages(live_server: Any) -> list[str]:
    """The addresses that answer with a page once there is one row of everything."""
    customer = Customer.objects.create(
        pk=NUMBER, external_id=CUSTOMER_ID, email="ada@mail.example", first_name=NAME, created_at=NOW
    )
    make_rows(customer, "made", numbered=True)
    client = Client(raise_request_exception=False)
    client.force_login(User.objects.create_superuser("kim", password="secret"))
    found = []
    for path in routes():
        answer = client.get(f"/{path}")
        is_page = answer.status_code == 200 and answer["Content-Type"].startswith("text/html")
        if is_page and b"<html" in answer.content and not path.startswith(NOT_OURS):
            found.append(path)
    return found


def test_no_page_has_a_serious_finding(page: Page, pages: list[str], live_server: Any) -> None:
    assert len(pages) > 60
    client = Client()
    client.force_login(User.objects.get(username="kim"))
    page.context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    found = {}
    for number, path in enumerate(pages):
        language = "zh-hans" if number % 2 else "en"
        page.context.add_cookies([{"name": "django_language", "value": language, "url": live_server.url}])
        page.set_viewport_size(SIZES["phone" if number % 4 > 1 else "desk"])
        page.goto(f"/{path}")
        problems = serious_findings(page) + loading_problems(page, path)
        page.evaluate(DARK)
        problems += [f"dark: {one}" for one in serious_findings(page, rules=["color-contrast"])]
        if problems:
            found[path] = problems
    assert not found, "\n".join(f"{path}: {one}" for path, problems in found.items() for one in problems)
