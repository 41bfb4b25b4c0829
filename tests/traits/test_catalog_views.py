"""The page of traits: what is computed is told, asked for and stopped."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from personalization.access.models import AuditEntry, User
from personalization.customers.models import Customer
from personalization.traits import tasks
from personalization.traits.models import TraitDefinition

VIEW, CHANGE = "view_traitdeclaration", "change_traitdefinition"


@pytest.fixture
def staff(client):
    def log_in(*permissions: str):
        user = User.objects.create_user("-".join(permissions), is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        client.force_login(user)
        return client

    return log_in


@pytest.fixture
def running(ada, define) -> TraitDefinition:
    now = timezone.now()
    return define(
        "orders", "count", leased_until=now + timedelta(minutes=5), started_at=now - timedelta(minutes=1),
        share_done=0.75,
    )  # fmt: skip


def test_who_may_change_traits_has_one_computed_for_everybody(ada, happen, define, staff):
    happen(ada)
    definition = define("orders", "count", is_active=False)
    viewer = staff(VIEW)
    page = viewer.get("/app/traits/").content.decode()
    assert "switched off" in page and "Compute orders now" not in page
    assert viewer.post("/app/traits/act", {"job": definition.pk}).status_code == 403
    client = staff(VIEW, CHANGE)
    assert "Compute orders now" in client.get("/app/traits/").content.decode()
    assert client.post("/app/traits/act", {"job": definition.pk}).status_code == 302
    assert AuditEntry.objects.get(action="trait.asked").target == "trait:orders"
    tasks.refresh_trait(definition.pk)
    assert Customer.objects.get().traits == {"orders": 1}


def test_how_far_a_refresh_is_stands_on_the_page_until_it_ends(running, staff):
    client = staff(VIEW)
    part = client.get("/app/traits/live")
    text = part.content.decode()
    assert "orders" in text and "75 %" in text and "about 2" in text and "Stop" not in text
    assert "HX-Refresh" not in part
    TraitDefinition.objects.update(leased_until=None, started_at=None)
    assert client.get(f"/app/traits/live?known={running.pk}")["HX-Refresh"] == "true"


def test_one_that_takes_a_moment_only_is_not_told(running, staff):
    TraitDefinition.objects.update(started_at=timezone.now())
    assert "75 %" not in staff(VIEW).get("/app/traits/").content.decode()


def test_stopping_switches_it_off(running, staff):
    client = staff(VIEW, CHANGE)
    assert "Stop and switch off" in client.get("/app/traits/").content.decode()
    answer = client.post("/app/traits/act", {"job": running.pk, "action": "cancel"}, follow=True)
    assert "orders is switched off" in answer.content.decode()
    running.refresh_from_db()
    assert (running.is_active, running.started_at) == (False, None)
    tasks.refresh_trait(running.pk)
    running.refresh_from_db()
    assert running.refreshed_at is None
