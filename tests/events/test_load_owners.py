"""Whose the rows of an events file are, where they name no customer id."""

import json

import pytest
from django.core.management import call_command
from django.utils import timezone

from personalization.customers.models import Customer, Identifier, IdentityRule
from personalization.events.models import Event
from personalization.importing.pipeline import load_rows
from personalization.importing.reading import read_blocks
from personalization.importing.rejects import FirstRejects
from personalization.sources.kinds import importer_for

pytestmark = pytest.mark.django_db


def customer(key, **named):
    return Customer.objects.create(external_id=key, created_at=timezone.now(), **named)


@pytest.fixture
def load(tmp_path):
    """Loads rows of one event each, in turn; answers the counts and the reasons by line."""

    def run(*rows, **options):
        path, rejects = tmp_path / "events.jsonl", FirstRejects(100)
        full = [{"event": "E", "time": "2026-01-02T03:04:05Z", "n": n, **row} for n, row in enumerate(rows)]
        path.write_text("".join(json.dumps(row) + "\n" for row in full))
        importer = importer_for("events", options)
        counts = load_rows(importer, read_blocks(path), rejects=rejects)
        return counts, {row["line"]: row["reason"] for row in rejects.found}

    return run


def owners() -> dict[int, int]:
    return {event.properties["n"]: event.customer_id for event in Event.objects.all()}


def test_e_mail_and_phone_lead_to_the_customer_who_has_them(load):
    ada = customer("ada", email="Ada@mail.example")
    bob = customer("bob", phone="+442079460018")
    counts, reasons = load(
        {"email": "ada@MAIL.example"}, {"phone": "+44 20 7946 0018"},
        {"customer": "ada", "email": "x@y.example"},
        {"email": "ada@mail.example", "phone": "+442079460018"}, {"email": "nobody@mail.example"}, {},
    )  # fmt: skip
    assert owners() == {0: ada.pk, 1: bob.pk, 2: ada.pk}
    assert (counts.read, counts.new, counts.rejected) == (6, 3, 3)
    for line, part in {4: "different customers", 5: "no customer has", 6: "there is no customer id"}.items():
        assert part in reasons[line]


def test_an_address_of_several_is_nobodys_and_a_customer_goes_before_a_visitor(load):
    customer("a", email="shared@mail.example"), customer("b", email="shared@mail.example")
    ada = customer("ada", email="ada@mail.example")
    customer(None, email="ada@mail.example")
    visitor = customer(None, email="visitor@mail.example")
    counts, reasons = load(
        {"email": "shared@mail.example"}, {"email": "ada@mail.example"}, {"email": "visitor@mail.example"}
    )
    assert owners() == {1: ada.pk, 2: visitor.pk}
    assert (counts.rejected, list(reasons)) == (1, [1])


def test_an_anonymous_id_leads_to_its_customer_or_makes_a_visitor(load, post):
    post("identify", {"userId": "ada", "anonymousId": "cookie"})
    rows = (
        {"anonymous_id": "cookie"},
        {"anonymous_id": "new"},
        {"anonymous_id": "new", "email": "no@x.example"},
    )
    for expected in (3, 0):  # the second time nothing is new
        assert load(*rows)[0].new == expected
    visitor = Identifier.objects.get(value="new").customer
    assert owners() == {0: Customer.objects.get(external_id="ada").pk, 1: visitor.pk, 2: visitor.pk}
    assert visitor.external_id is None


def test_where_the_rule_lets_no_e_mail_join_none_is_matched(load):
    customer("ada", email="ada@mail.example")
    IdentityRule.objects.update_or_create(kind="email", defaults={"joins": False})
    assert load({"email": "ada@mail.example"})[0].rejected == 1


def test_rejects_of_items_and_of_people_stand_at_their_own_lines(load):
    ada = customer("ada", email="ada@mail.example")
    _counts, reasons = load(
        {"customer": "ada", "item": "none"}, {"email": "no@x.example"}, {"email": "ada@mail.example"},
        {"email": "ada@mail.example", "item": "none"},
    )  # fmt: skip
    assert owners() == {2: ada.pk}
    assert {line: reason.startswith("the item") for line, reason in reasons.items()} == {
        1: True,
        2: False,
        4: True,
    }


def test_the_command_loads_a_file_without_customer_ids(tmp_path, capsys):
    ada = customer("ada", email="ada@mail.example")
    path = tmp_path / "visits.csv"
    path.write_text("E-mail,date,page\nada@mail.example,2026-01-02,home\n")
    call_command("load", "events", str(path), "--event", "Visit")
    assert capsys.readouterr().out.startswith("1 rows: 1 new")
    assert Event.objects.get(customer=ada).properties == {"page": "home"}
