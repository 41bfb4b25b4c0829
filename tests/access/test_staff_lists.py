"""Lists of the admin shell in Chinese: what Django calls by one of our words keeps its own meaning."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.urls import reverse
from django.utils.translation import override

from personalization.access.models import User
from personalization.access.services import create_key
from personalization.catalog.models import Item

pytestmark = pytest.mark.django_db


@pytest.fixture
def chinese(admin_client: Any, settings: Any) -> Iterator[Any]:
    admin_client.cookies[settings.LANGUAGE_COOKIE_NAME] = "zh-hans"
    with override("zh-hans"):  # a request leaves its language to what comes after it
        yield admin_client


def test_the_roles_of_every_installation_are_named_in_chinese(chinese: Any) -> None:
    call_command("ensure_roles")
    page = chinese.get(reverse("admin:auth_group_changelist")).content.decode()
    assert "营销经理" in page
    assert "Campaign manager" not in page
    assert "客户群组" not in page  # groups of customers are something else
    assert re.search(r"7\s+角色", page)


def test_staff_and_roles_are_called_so_on_their_pages_as_in_the_menu(admin_client: Any, chinese: Any) -> None:
    for language, staff, roles in (("en", "Staff", "Roles"), ("zh-hans", "员工", "角色")):
        chinese.cookies["django_language"] = language
        for address, name in (
            ("admin:access_user_changelist", staff),
            ("admin:auth_group_changelist", roles),
        ):
            heading = re.search(r"<h1.*?</h1>", chinese.get(reverse(address)).content.decode(), re.DOTALL)
            assert heading and re.sub(r"<[^>]+>|\s", "", heading[0]) == name


def test_the_boxes_of_a_member_of_staff_are_in_their_language(chinese: Any) -> None:
    call_command("ensure_roles")
    kim = User.objects.create_user("kim")
    page = chinese.get(reverse("admin:access_user_change", args=[kim.pk])).content.decode()
    boxes = re.findall(r'<input type="checkbox" name="(?:groups|user_permissions)"[^>]*>\s*([^<]+)', page)
    assert len(boxes) > 100 and "营销经理" in map(str.strip, boxes)
    assert [one for one in boxes if re.search("[A-Za-z]", one)] == []
    assert 'aria-label="批准: 营销活动"' in page


def test_rights_ticked_in_rows_are_kept(admin_client: Any) -> None:
    wanted = Permission.objects.get(codename="launch_campaign")
    form = {"name": "Launchers", "permissions": [wanted.pk], "rule-TOTAL_FORMS": 0, "rule-INITIAL_FORMS": 0}
    assert admin_client.post(reverse("admin:auth_group_add"), form).status_code == 302
    assert list(Group.objects.get(name="Launchers").permissions.all()) == [wanted]


def test_an_unknown_browser_is_not_an_unknown_outcome_of_a_message(chinese: Any) -> None:
    page = chinese.get(reverse("account:home"), headers={"user-agent": ""}).content.decode()
    assert '<th scope="row">未知' in page
    assert "结果未知" not in page


def test_an_item_that_is_shown_has_no_red_cross_for_not_being_hidden(chinese: Any) -> None:
    Item.objects.create(external_id="a", name="Kettle")
    Item.objects.create(external_id="b", name="Old kettle", is_hidden=True)
    page = chinese.get(reverse("admin:catalog_item_changelist")).content.decode()
    assert page.count("field-away") == 2
    assert "field-is_hidden" not in page


def test_metrics_are_listed_as_reports_call_them(chinese: Any) -> None:
    call_command("ensure_metrics")
    page = chinese.get(reverse("admin:experiments_metric_changelist")).content.decode()
    assert "收入" in page
    assert ">Revenue<" not in page


def test_a_no_is_no_alarm_and_is_said_to_those_who_do_not_see_it(chinese: Any) -> None:
    User.objects.create_superuser("kim")
    page = chinese.get(reverse("admin:access_user_changelist")).content.decode()
    assert 'aria-label="是"' in page and 'aria-label="否"' in page
    assert "close_small" not in page


def test_the_page_that_adds_says_so_and_offers_no_second_way_to_add(admin_client: Any) -> None:
    page = admin_client.get(reverse("admin:auth_group_add")).content.decode()
    heading = re.search(r"<h1.*?</h1>", page, re.DOTALL)
    assert heading and re.sub(r"<[^>]+>|\s", "", heading[0]) == "Roleschevron_rightNew"
    assert "addlink" not in page
    assert "addlink" in admin_client.get(reverse("admin:auth_group_changelist")).content.decode()


def test_dates_are_said_as_no_reader_of_english_mistakes_them(admin_client: Any) -> None:
    User.objects.create_user("kim", last_login=datetime(2026, 2, 5, 14, 5, tzinfo=UTC))
    assert "5 Feb 2026, 14:05" in admin_client.get(reverse("admin:access_user_changelist")).content.decode()


def test_a_key_says_in_words_what_it_may(chinese: Any) -> None:
    key, _token = create_key(name="Shop", scopes=["customers:read"], created_by=None)
    for address in (
        reverse("admin:access_apikey_changelist"), reverse("admin:access_apikey_change", args=[key.pk]),
    ):  # fmt: skip
        page = chinese.get(address).content.decode()
        assert "读取客户" in page and "customers:read" not in page


def test_staff_are_filtered_by_roles_in_words(chinese: Any) -> None:
    call_command("ensure_roles")
    page = chinese.get(reverse("admin:access_user_changelist")).content.decode()
    assert "营销经理" in page and "Campaign manager" not in page


def test_what_deletes_something_is_written_without_a_space_in_chinese(chinese: Any) -> None:
    role = Group.objects.create(name="Helpers")
    page = chinese.get(reverse("admin:auth_group_change", args=[role.pk])).content.decode()
    assert re.search(r">\s*删除角色\s*<", page)
    assert reverse("admin:auth_group_delete", args=[role.pk]) in page and 'name="_addanother"' in page
