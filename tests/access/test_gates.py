"""docs/roles.md is what the code does: an address without a rule fails, and a rule that nobody looked at."""

import os
from pathlib import Path

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.test import Client

from personalization.access.models import User
from personalization.access.services import ROLES
from tests.access.gates import NAMES, cell, gates, members, table
from tests.access.test_role_matrix import COMMON, fill, matches

pytestmark = pytest.mark.django_db
PAGE = Path(__file__).resolve().parents[2] / "docs" / "roles.md"
START = "<!-- table: UPDATE_ROLES=1 bin/test tests/access/test_gates.py writes it -->\n"
# They ask by themselves: the administration's own entrances, keys of programs, signatures of providers.
ASKING = (
    r"^admin/r/", r"^admin/\^\(", r"^admin/\(", r"^admin/access/user/<id>/password/", r"^hooks/", r"^v1/",
    r"^\^media/",
)  # fmt: skip


@pytest.fixture(autouse=True)
def roles(db) -> None:
    call_command("ensure_roles")


def test_every_address_has_a_rule_or_is_open_on_purpose() -> None:
    _found, bare = gates()
    assert [path for path in bare if not matches(path, (*COMMON, *ASKING))] == []


def test_the_table_in_the_docs_is_what_the_code_does() -> None:
    text = "\n".join(table()) + "\n"
    head, mark, written = PAGE.read_text().partition(START)
    assert mark
    if os.environ.get("UPDATE_ROLES"):
        PAGE.write_text(head + START + "\n" + text)
        return
    was, now = written.strip().splitlines(), text.strip().splitlines()
    assert sorted(set(was) ^ set(now)) == [], "Look at each line that changed, then run with UPDATE_ROLES=1"


def test_a_higher_role_of_campaigns_may_all_that_lower_ones_may() -> None:
    staff = members()
    for low, high in (("Viewer", "Author"), ("Author", "Campaign manager"), ("Campaign manager", NAMES[-1])):
        missing = [g.path for g in gates()[0] if not g.model and cell(g, staff[low]) > cell(g, staff[high])]
        assert missing == [], (low, high)


def test_who_may_not_launch_on_a_page_may_not_by_the_api() -> None:
    staff = members()
    launching = {
        gate.path for gate in gates()[0]
        if gate.path.startswith("api/v1/") and gate.permission == "campaigns.launch_campaign"
    }  # fmt: skip
    assert {"api/v1/campaigns/<int:pk>/launch", "api/v1/journeys/<int:pk>/publish"} <= launching
    assert [name for name in NAMES if staff[name].has_perm("campaigns.launch_campaign")] == [
        "Approver", "Campaign manager", "Administrator",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "role", [name for name in ROLES if name != "Viewer"]
)  # test_role_matrix has that one
def test_what_the_table_refuses_is_refused(role: str) -> None:
    """By the real stack: for each rule that one role or another does not pass, one call that would change."""
    user = User.objects.create_user(role, is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    client = Client(raise_request_exception=False)
    client.force_login(user)
    member, answers = members()[role], {}
    for gate in gates()[0]:
        if gate.model is None and not gate.permission.split(".")[-1].startswith("view_"):
            if cell(gate, member):
                continue
            method = gate.methods[-1].lower()
            answer = getattr(client, method)(f"/{fill(gate.path)}", content_type="application/json")
            answers[f"{method} {gate.path}"] = answer.status_code
    assert {path: status for path, status in answers.items() if status not in (403, 405)} == {}
    assert len(answers) > 20
