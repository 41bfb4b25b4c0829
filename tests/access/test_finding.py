"""Anything with a name is found from every page, by those who may see it."""

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from campaigns.models import Campaign
from experiments.models import Experiment
from personalization.access.finding import FindSource, find_sources
from personalization.access.models import PersonalRead, User
from personalization.catalog.models import Item
from personalization.customers.models import Customer
from personalization.segments.models import Segment

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(db) -> None:
    call_command("ensure_roles")
    Campaign.objects.create(name="Spring tea <b>")
    Campaign.objects.create(name="Autumn coffee")
    Segment.objects.create(name="Tea drinkers", archived_at=timezone.now())
    Item.objects.create(external_id="t-1", name="Green tea", categories=["Drinks", "Tea"])
    Experiment.objects.create(key="tea-picture", name="Which picture")
    Customer.objects.create(
        external_id="c1", first_name="Teaghan", email="t@example.com", created_at=timezone.now()
    )


def member(role: str) -> Client:
    user = User.objects.create_user(role, password="x", is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    client = Client()
    client.force_login(user)
    return client


def find(client: Client, words: str) -> str:
    answer = client.post("/app/find", {"words": words})
    assert answer.status_code == 200
    return answer.content.decode()


def test_each_room_finds_by_parts_of_names_and_people_by_beginnings(shop):
    page = find(member("Campaign manager"), "tea")
    for name in ("Spring tea &lt;b&gt;", "Tea drinkers", "Green tea", "Which picture", "Teaghan"):
        assert name in page
    assert "Autumn coffee" not in page
    assert PersonalRead.objects.filter(page="find").exists()


def test_pages_of_the_menu_are_found_in_the_language_of_the_person(shop):
    client = member("Viewer")
    assert "/app/journeys/" in find(client, "journ")
    client.cookies["django_language"] = "zh-hans"
    assert "/app/journeys/" in find(client, "旅程")


def test_nobody_finds_what_they_may_not_open(shop):
    page = find(member("Analyst"), "tea")
    assert "Spring tea" in page
    assert "Teaghan" not in page
    assert not PersonalRead.objects.exists()
    assert "/admin/access/user/" not in find(member("Viewer"), "staff")


def test_all_words_are_needed_and_nothing_found_is_said(shop):
    client = member("Viewer")
    assert "Spring tea" in find(client, "tea spr")
    assert "Nothing you may see" in find(client, "tea autumn")
    assert find(client, " \0 ").strip() == "" or "Nothing" in find(client, " \0 ")


def test_strangers_find_nothing_and_words_never_stand_in_an_address(shop):
    assert Client().post("/app/find", {"words": "tea"}).status_code == 302
    assert member("Viewer").get("/app/find?words=tea").status_code == 405


@pytest.mark.parametrize("source", find_sources(), ids=lambda source: type(source).__name__)
def test_every_source_has_a_label_an_icon_and_a_permission_that_exists(source, shop):
    assert isinstance(source, FindSource)
    assert str(source.label) and source.icon
    if source.permission:
        app, _, codename = source.permission.partition(".")
        from django.contrib.auth.models import Permission

        assert Permission.objects.filter(content_type__app_label=app, codename=codename).exists()
