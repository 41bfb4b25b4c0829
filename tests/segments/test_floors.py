"""What staff without personal data learn of the sizes of segments."""

import re

import pytest
from django.contrib.auth.models import Permission
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from personalization.access.models import User
from personalization.privacy.told import told_words
from personalization.segments import membership
from personalization.segments.services import save_segment

GB = {"trait": "country", "op": "is", "value": "GB"}
CN = {"trait": "country", "op": "is", "value": "CN"}


@pytest.fixture
def analyst(db, settings) -> Client:
    settings.K_ANONYMITY = 10
    cache.delete("segments:total")
    user = User.objects.create_user("kim", password="x", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__startswith="view_segment"))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def people(world) -> None:
    for number in range(67):  # no day and no minute, so that no time on a page is taken for it
        world.customer(f"g{number}", country="GB", first_name="Grace")
    for number in range(4):
        world.customer(f"c{number}", country="CN")


def ask(client: Client, definition: object, page: str = "count") -> dict:
    answer = client.post(f"/app/segments/{page}", {"definition": definition}, content_type="application/json")
    assert answer.status_code == 200
    return answer.json()


def test_a_live_count_is_told_in_steps_and_nobody_is_shown(analyst, people):
    found = ask(analyst, GB)
    assert (found["count"], found["fewer_than"], found["sample"]) == (60, 10, [])
    assert found["total"] == 70, "of 71 people"
    assert ask(analyst, CN)["count"] == 0
    without_one = {"all": [GB, {"not": {"trait": "external_id", "op": "is", "value": "g5"}}]}
    assert ask(analyst, without_one)["count"] == 60
    narrowed = ask(analyst, {"any": [GB, CN]}, "narrow")
    assert narrowed["total"] == 70
    steps = narrowed["steps"]
    assert all(step["left"] % 10 == step["alone"] % 10 == 0 for step in steps)


def test_the_page_about_a_segment_names_nobody_and_no_small_number(analyst, people):
    one, other = save_segment(None, name="GB", definition=GB), save_segment(None, name="CN", definition=CN)
    membership.refresh_all(now=timezone.now())
    url = f"/app/segments/{one.segment_id}/members/"
    page = analyst.get(url, {"with": other.segment_id, "at": "2126-11-26"})
    text = re.sub(r"<[^>]+>|\s+", " ", page.content.decode())
    assert "Grace" not in text
    assert "67" not in re.findall(r"\b\d+\b", text.split("Members over time")[1].split("Day (its first")[0])
    assert "&lt; 10" in text
    # Else the share of a bar would give the whole number away: 60 of 67.
    bars = page.content.decode().split("Compare")[-1]
    assert set(re.findall(r"width: ([\d.]+)%", bars)) == {"100.0", "0.0"}
    listed = analyst.get("/admin/segments/segment/").content.decode()
    assert "&lt; 10" in listed
    assert ">60<" in listed.replace(" ", "").replace("\n", "")


def test_masked_members_are_not_listed_one_by_one(analyst, people):
    """Whoever can count them to the person tells by two definitions who differs in them."""
    segment = save_segment(None, name="CN", definition=CN).segment
    membership.refresh_all(now=timezone.now())
    sees = Permission.objects.get(codename="view_customer")
    User.objects.get(username="kim").user_permissions.add(sees)
    for what in ("members", "moves"):
        assert analyst.get(f"/api/v1/segments/{segment.pk}/{what}").status_code == 403


@pytest.mark.parametrize(
    ("count", "whole", "words"),
    [(1234, False, "1,230"), (9, False, "< 10"), (0, False, "< 10"), (10, False, "10"), (9, True, "9")],
)
def test_numbers_in_words(settings, count, whole, words):
    settings.K_ANONYMITY = 10
    assert told_words(count, whole=whole) == words
