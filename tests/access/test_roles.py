import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command

from personalization.access.models import User
from personalization.access.services import ROLES

pytestmark = pytest.mark.django_db


@pytest.fixture
def member():
    call_command("ensure_roles")

    def make(role: str) -> User:
        user = User.objects.create_user(f"{role}-1", is_staff=True)
        user.groups.add(Group.objects.get(name=role))
        return user

    return make


def test_every_permission_named_in_a_role_exists(member) -> None:
    for role, codenames in ROLES.items():
        held = set(Group.objects.get(name=role).permissions.values_list("codename", flat=True))
        assert set(codenames) <= held


def test_a_viewer_looks_at_everything_and_changes_nothing(member) -> None:
    viewer = member("Viewer")
    assert viewer.has_perm("campaigns.view_campaign")
    assert not any(viewer.has_perm(p) for p in ("campaigns.launch_campaign", "customers.change_customer"))


def test_a_campaign_manager_launches_but_leaves_customers_alone(member) -> None:
    manager = member("Campaign manager")
    assert manager.has_perm("campaigns.launch_campaign")
    assert not manager.has_perm("customers.change_customer")


def test_doing_it_again_changes_nothing(member) -> None:
    before = Group.objects.get(name="Data manager").permissions.count()
    call_command("ensure_roles")
    assert Group.objects.get(name="Data manager").permissions.count() == before
