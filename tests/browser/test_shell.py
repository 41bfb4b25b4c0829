"""The frame of every page: anything is found from everywhere, and a keyboard alone is enough."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from personalization.access.models import User
from personalization.segments.models import Segment

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def home(page: Page, client, live_server) -> Page:
    client.force_login(User.objects.create_superuser("ada", email="ada@shop.example"))
    cookie = client.cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
    page.goto("/admin/")
    return page


def test_anything_is_found_and_opened_by_keyboard(home: Page, accessible: Callable[[Page], None]) -> None:
    segment = Segment.objects.create(name="Tea drinkers")
    home.keyboard.press("Control+k")
    home.keyboard.type("drinkers")
    expect(home.get_by_role("link", name="Tea drinkers")).to_be_visible()
    accessible(home)
    assert "drinkers" not in home.url
    home.keyboard.press("ArrowDown")
    home.keyboard.press("Enter")
    home.wait_for_url(f"**/app/segments/{segment.pk}/")


def test_escape_closes_what_was_found_and_leaves_the_words(home: Page) -> None:
    home.keyboard.press("Control+k")
    home.keyboard.type("journeys")
    expect(home.locator("#nav-found").get_by_role("link", name="Journeys")).to_be_visible()
    home.keyboard.press("ArrowDown")
    home.keyboard.press("Escape")
    expect(home.locator("#nav-found")).to_be_hidden()
    expect(home.locator("#nav-filter")).to_be_focused()
    expect(home.locator("#nav-filter")).to_have_value("journeys")


def test_who_hears_a_page_hears_no_names_of_icons_and_what_scrolls_in_their_language(
    home: Page, live_server: Any
) -> None:
    home.context.add_cookies([{"name": "django_language", "value": "zh-hans", "url": live_server.url}])
    home.goto("/admin/customers/customer/")
    heard = home.locator("#nav-sidebar-apps").aria_snapshot()
    assert 'link "客户"' in heard and 'region "可滚动的内容"' in heard
    assert "scrollable" not in home.locator("body").aria_snapshot()


# Where an element and what it is beside begin and end, from the page's start, whichever side that is.
PLACES = """([one, other]) => {
    const room = document.documentElement.clientWidth, turned = document.documentElement.dir === 'rtl';
    return [one, other].flatMap(name => {
        const box = document.querySelector(name).getBoundingClientRect();
        return turned ? [room - box.right, room - box.left] : [box.left, box.right];
    });
}"""
TURNED = [
    ("/admin/", "#nav-sidebar", "#main"),
    ("/admin/", "#nav-sidebar a .material-symbols-outlined", "#nav-sidebar a .material-symbols-outlined + *"),
    ("/app/segments/new/", "#segment-name", "#segment-description"),
    ("/app/campaigns/calendar/", "main .b-actions a", "main .b-actions a + a"),
    ("/admin/auth/group/add/", "[for=id_name]", "#id_name"),
]


@pytest.mark.parametrize(("path", "one", "other"), TURNED)
def test_from_right_to_left_a_page_is_its_mirror_image(home: Page, path: str, one: str, other: str) -> None:
    home.goto(path)
    expect(home.locator(other).first).to_be_visible()
    there = home.evaluate(PLACES, [one, other])
    home.evaluate("document.documentElement.dir = 'rtl'")
    assert home.evaluate(PLACES, [one, other]) == pytest.approx(there, abs=2)
    assert home.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_a_phone_opens_the_menu_and_one_leaves_by_keyboard(home: Page) -> None:
    home.set_viewport_size({"width": 390, "height": 800})
    home.get_by_role("button", name="Menu", exact=True).press("Enter")
    home.get_by_role("button", name="ada").press("Enter")
    home.get_by_role("button", name="Dark").press("Enter")
    expect(home.locator("html")).to_have_class("dark")
    home.get_by_role("button", name="Log out").press("Enter")
    home.wait_for_url("**/admin/logout/")
