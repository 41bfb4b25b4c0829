"""A segment for analysts: who is who stays unknown, and the same person has the same name in both files."""

import csv
import io

import pytest
from django.test import Client

from personalization.access.models import AuditEntry, Scope, User
from personalization.access.services import create_key
from personalization.customers.declarations import TraitDeclaration
from personalization.customers.pseudonyms import pseudonym
from personalization.segments.services import save_segment
from tests.segments.conftest import NOW


@pytest.fixture
def segment(world, settings):
    settings.K_ANONYMITY = 3
    TraitDeclaration.objects.create(name="plan", sensitivity="ordinary")
    TraitDeclaration.objects.create(name="diagnosis", sensitivity="sensitive")
    people = [
        world.customer(
            f"id-{n}", country="GB", email=f"ada{n}@mail.example", first_name="Ada",
            traits={"plan": "=gold", "diagnosis": "flu", "note": "likes Ada"},
        )
        for n in range(3)
    ]  # fmt: skip
    world.event(people[0], "Order", at=NOW, value=7, card="4711")
    world.event(world.customer("other", country="CN"), "Order", at=NOW)
    definition = {"trait": "country", "op": "is", "value": "GB"}
    return save_segment(None, name="GB", definition=definition).segment, people


def program() -> Client:
    token = create_key(name="lab", scopes=[Scope.SEGMENTS_READ])[1]
    return Client(headers={"authorization": f"Bearer {token}"})


def rows(answer) -> list[dict]:
    return list(csv.DictReader(io.StringIO(answer.getvalue().decode())))


def test_members_come_under_pseudonyms_with_traits_that_are_not_personal(segment):
    found, people = segment
    answer = program().get(f"/api/v1/segments/{found.pk}/export/customers")
    text = answer.getvalue().decode()
    told = list(csv.DictReader(io.StringIO(text)))
    assert [row["customer"] for row in told] == [pseudonym(one.pk) for one in people]
    assert {(row["country"], row["plan"]) for row in told} == {("GB", "'=gold")}
    for secret in ("id-0", "mail.example", "Ada", "flu", "note"):
        assert secret not in text


def test_events_carry_the_same_pseudonyms_and_no_properties(segment):
    found, people = segment
    [row] = rows(program().get(f"/api/v1/segments/{found.pk}/export/events"))
    assert (row["customer"], row["event"], row["value"]) == (pseudonym(people[0].pk), "Order", "7.00")
    assert "4711" not in str(row)
    entry = AuditEntry.objects.get(action="segment.exported")
    assert entry.detail == {"what": "events", "pseudonymous": True}


def test_fewer_people_than_the_floor_are_not_exported(segment, settings):
    settings.K_ANONYMITY = 4
    assert program().get(f"/api/v1/segments/{segment[0].pk}/export/customers").status_code == 409
    client = Client()
    client.force_login(User.objects.create_superuser("boss"))
    url = f"/app/segments/{segment[0].pk}/export"
    assert "fewer than 4 members" in client.post(url, {"what": "events"}, follow=True).content.decode()
    settings.K_ANONYMITY = 3
    assert len(rows(client.post(url, {"what": "customers"}))) == 3
    assert client.get(url).status_code == 405


def test_the_page_offers_it_only_to_who_may_change_segments(segment):
    viewer = User.objects.create_user("kim", is_staff=True)
    client = Client()
    client.force_login(viewer)
    assert client.post(f"/app/segments/{segment[0].pk}/export").status_code == 403
