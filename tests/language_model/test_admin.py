"""The set-up page: who may see it, and that a key never comes back out or goes astray."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.urls import reverse

from personalization.access.models import AuditEntry, User
from personalization.language_model.models import BrandVoice, Call, Endpoint

pytestmark = pytest.mark.django_db
FIELDS = {
    "is_active": "on", "url": "https://model.example/v1", "model": "m", "key": "sk-1",
    "token_limit": "max_tokens", "price_in": "3", "price_out": "15", "monthly_cap": "20",
    "timeout_seconds": "60",
}  # fmt: skip
ADD = reverse("admin:language_model_endpoint_add")
CHANGE = reverse("admin:language_model_endpoint_change", args=[1])


@pytest.fixture
def member(client: Any) -> Any:
    def log_in(role: str) -> Any:
        call_command("ensure_roles")
        user = User.objects.create_user("kim", is_staff=True)
        user.groups.add(Group.objects.get(name=role))
        client.force_login(user)
        return client

    return log_in


def test_an_administrator_sets_it_up_and_the_key_never_comes_back(member: Any) -> None:
    client = member("Administrator")
    assert client.get(reverse("admin:language_model_endpoint_changelist")).url == ADD
    assert client.post(ADD, FIELDS).status_code == 302
    row = Endpoint.objects.get()
    assert (row.key, row.is_active) == ("sk-1", True)
    assert "sk-1" not in client.get(CHANGE).content.decode()
    client.post(CHANGE, {**FIELDS, "key": "", "model": "n"})
    row.refresh_from_db()
    assert (row.key, row.model) == ("sk-1", "n")
    assert "sk-1" not in str(list(AuditEntry.objects.values()))
    assert AuditEntry.objects.filter(action="endpoint.saved").count() == 2
    assert client.get(ADD).status_code == 403


def test_another_address_needs_its_key_again(member: Any) -> None:
    client = member("Administrator")
    client.post(ADD, FIELDS)
    page = client.post(CHANGE, {**FIELDS, "key": "", "url": "https://elsewhere.example/v1"})
    assert page.status_code == 200
    assert Endpoint.objects.get().url == "https://model.example/v1"


@pytest.mark.parametrize("url", ["http://model.example/v1", "https://u:p@model.example/v1", "ftp://x/", "x"])
def test_an_address_that_is_never_called_is_refused(member: Any, url: str) -> None:
    assert member("Administrator").post(ADD, {**FIELDS, "url": url}).status_code == 200
    assert not Endpoint.objects.exists()


@pytest.mark.parametrize("role", ["Viewer", "Analyst", "Author", "Approver", "Campaign manager"])
def test_nobody_else_sees_or_changes_where_questions_go(member: Any, role: str) -> None:
    client = member(role)
    Endpoint.objects.create(url="https://model.example/v1", model="m", price_in=1, price_out=1, monthly_cap=1)
    assert client.get(CHANGE).status_code in (302, 403)
    assert client.post(CHANGE, FIELDS).status_code in (302, 403)
    assert Endpoint.objects.get().key == ""


def test_a_campaign_manager_writes_the_voice(member: Any) -> None:
    client = member("Campaign manager")
    add = reverse("admin:language_model_brandvoice_add")
    assert client.post(add, {"voice": "Plain.", "banned_words": "cheap\n\n best "}).status_code == 302
    assert BrandVoice.objects.get().banned == ["cheap", "best"]


def test_the_log_is_read_and_never_changed(member: Any) -> None:
    client = member("Administrator")
    call = Call.objects.create(purpose="x", messages=[{"content": "hello"}], max_tokens=1, model="m")
    page = reverse("admin:language_model_call_change", args=[call.pk])
    shown = client.get(page).content.decode()
    assert "hello" in shown and not re.search(r">\s*null\s*<", shown)
    assert client.post(page, {}).status_code == 403
    assert client.post(reverse("admin:language_model_call_delete", args=[call.pk])).status_code == 403
