"""Senders and webhooks hold secrets and decide where data goes: scopes of their own, and administrators."""

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.test import Client

from personalization.access.models import Scope, User
from personalization.access.services import ADMINISTRATOR, ROLES, create_key

pytestmark = pytest.mark.django_db
SENDERS = {Scope.SENDERS_READ, Scope.SENDERS_WRITE}
READS = ["/sender-accounts", "/sender-accounts/1", "/webhooks", "/webhooks/1", "/webhooks/1/calls"]
WRITES = [
    ("post", "/sender-accounts"), ("put", "/sender-accounts/1"), ("delete", "/sender-accounts/1"),
    ("post", "/webhooks"), ("put", "/webhooks/1"), ("delete", "/webhooks/1"),
    ("post", "/webhooks/1/rotate-secret"), ("post", "/webhooks/1/calls"),
]  # fmt: skip


def ask(client: Client, method: str, path: str, **headers: str) -> int:
    call: Any = getattr(client, method)
    return call(f"/api/v1{path}", content_type="application/json", headers=headers).status_code


def with_key(scopes: set[Scope], method: str, path: str) -> int:
    token = create_key(name="k", scopes=sorted(scopes))[1]
    return ask(Client(), method, path, Authorization=f"Bearer {token}")


def test_all_other_scopes_together_open_neither_senders_nor_webhooks() -> None:
    others = set(Scope) - SENDERS
    assert {with_key(others, "get", path) for path in READS} == {403}
    assert {with_key(others, method, path) for method, path in WRITES} == {403}


def test_reading_is_not_writing_and_writing_opens_no_campaigns() -> None:
    assert {with_key({Scope.SENDERS_READ}, "get", path) for path in READS} == {200, 404}
    assert {with_key({Scope.SENDERS_READ}, method, path) for method, path in WRITES} == {403}
    assert 403 not in {with_key({Scope.SENDERS_WRITE}, method, path) for method, path in WRITES}
    assert {with_key({Scope.SENDERS_WRITE}, "get", path) for path in READS} == {403}
    assert with_key(SENDERS, "get", "/campaigns") == 403


@pytest.mark.parametrize("role", sorted(ROLES))
def test_no_role_but_the_administrator_changes_them(role: str) -> None:
    call_command("ensure_roles")
    user = User.objects.create_user("somebody", is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    client = Client()
    client.force_login(user)
    found = {ask(client, method, path) for method, path in WRITES}
    assert found == {403} if role != ADMINISTRATOR else 403 not in found
