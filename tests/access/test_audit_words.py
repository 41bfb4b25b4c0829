"""What the logs say in words: nothing that the code writes down is without one, in either language."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from django.utils.translation import override

from personalization.access.audit_details import NAMES, say_details
from personalization.access.audit_words import DEEDS, READ_ON, THINGS, say_action, say_actor, say_target
from personalization.access.models import AuditEntry, PersonalRead

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("personalization", "campaigns", "experiments", "recommender")


def calls() -> Iterator[ast.Call]:
    for room in ROOMS:
        for path in (ROOT / room).rglob("*.py"):
            if "migrations" not in path.parts:
                yield from (one for one in ast.walk(ast.parse(path.read_text())) if isinstance(one, ast.Call))


def texts(node: ast.expr | None) -> Iterator[str]:
    """The words that stand in an expression: one, or those of an `if`."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    if isinstance(node, ast.IfExp):
        yield from (*texts(node.body), *texts(node.orelse))


def arguments(call: ast.Call, name: str, *, place: int | None = None) -> Iterator[str]:
    yield from texts(next((one.value for one in call.keywords if one.arg == name), None))
    if place is not None and len(call.args) > place:
        yield from texts(call.args[place])


def test_everything_that_is_audited_has_words() -> None:
    named = [call for call in calls() if getattr(call.func, "attr", getattr(call.func, "id", "")) == "audit"]
    written = {action for call in named for action in arguments(call, "action", place=1)}
    assert len(written) > 100
    parts = [action.partition(".") for action in written]
    assert {thing for thing, _dot, _deed in parts} - set(THINGS) == set()
    assert {deed for _thing, _dot, deed in parts} - set(DEEDS) == set()


def test_every_particular_that_is_audited_has_a_word() -> None:
    named = [call for call in calls() if getattr(call.func, "attr", getattr(call.func, "id", "")) == "audit"]
    written = {one.arg for call in named for one in call.keywords} - {
        None,
        "actor",
        "action",
        "target",
        "before",
    }
    assert len(written) > 50 and written - set(NAMES) == set()


def test_particulars_are_said_in_rows_and_what_was_before_beside_what_it_became() -> None:
    assert say_details({"before": 50, "per_second": None}) == [("messages a second", "50 → –")]
    assert say_details({"at": "2026-03-01T09:30:00+00:00", "share": 0.05}) == [
        ("time", "1 Mar 2026, 09:30"), ("share of customers", "5 %"),
    ]  # fmt: skip
    assert say_details({"fields": ["email", "city"], "dry_run": False, "most_joins": {"a": 12_000}}) == [
        ("what was changed", "email, city"), ("dry run", "No"), ("most joins", "a: 12,000"),
    ]  # fmt: skip
    assert say_details({}) == []


def test_every_page_that_shows_personal_data_has_a_name() -> None:
    pages = {page for call in calls() for page in arguments(call, "page") if page != "page"}
    assert len(pages) > 20 and pages - set(READ_ON) == set()


def test_an_entry_is_said_in_words_and_an_unknown_code_as_it_is() -> None:
    assert say_action("campaign.launched") == "Campaign: launched"
    assert say_target("campaign:2") == "Campaign 2"
    assert say_target("demo") == "Demo shop"
    assert say_actor("user:kim") == "kim"
    assert say_actor("key:4f2a") == "API key 4f2a"
    assert say_action("ship.sailed") == "ship.sailed"
    with override("zh-hans"):
        assert say_action("campaign.launched") == "营销活动：已启动"
        assert say_target("campaign:2") == "营销活动 2"


@pytest.mark.django_db
def test_the_logs_show_words_and_are_filtered_by_them(admin_client: Any) -> None:
    AuditEntry.objects.create(actor="user:kim", action="campaign.launched", target="campaign:2")
    AuditEntry.objects.create(actor="system", action="model.promoted", target="model:1")
    PersonalRead.objects.create(actor="user:kim", page="customer list", customer_ids=[1])
    logs = admin_client.get(reverse("admin:access_auditentry_changelist"), {"about": "campaign"})
    page = logs.content.decode()
    assert (
        "Campaign: launched" in page
        and "campaign.launched" not in page
        and "Recommender: promoted" not in page
    )
    reads = admin_client.get(reverse("admin:access_personalread_changelist"), {"page": "customer list"})
    assert "List of customers" in reads.content.decode()
