"""Views of the list of customers: kept for their owner, shared with others, opened with their columns."""

import re

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from personalization.access.models import AuditEntry, User
from personalization.customers.models import Customer, SavedView

pytestmark = pytest.mark.django_db
LIST = reverse("admin:customers_customer_changelist")
SAVE = reverse("customers:save-view")


def staff(name, *codenames):
    user = User.objects.create_user(name, is_staff=True)
    names = codenames or ("view_customer", "view_personal_data")
    user.user_permissions.set(
        Permission.objects.filter(codename__in=names, content_type__app_label="customers")
    )
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def people():
    now = timezone.now()
    Customer.objects.create(
        external_id="a", first_name="Ada", country="GB", traits={"plan": "gold"}, created_at=now
    )
    Customer.objects.create(
        external_id="b", first_name="Bo", country="CN", traits={"plan": "free"}, created_at=now
    )


def save(client, **named):
    asked = {"name": "Gold", "filters": "country=GB&o=1&q=Ada", "column": ["country", "trait:plan"]} | named
    return client.post(SAVE, asked)


def test_a_view_keeps_filters_order_and_columns_but_no_words_that_name_people(people):
    client = staff("ann")
    there = save(client)
    view = SavedView.objects.get()

    assert (view.filters, view.columns) == ({"country": "GB", "o": "1"}, ["country", "trait:plan"])
    page = client.get(there["Location"]).content.decode()
    assert "Ada" in page
    assert not re.search(r">\s*Bo\b", page)
    assert "gold" in page
    assert f"view={view.pk}" in page, "links of the list keep the view"
    assert client.get(f"{LIST}?view={view.pk}&country=CN").content.decode().count("free") == 1


def test_saving_under_the_same_name_replaces_the_view(people):
    client = staff("ann")
    save(client)
    save(client, column=["email"])
    assert SavedView.objects.get().columns == ["email"]


def test_others_see_a_view_only_when_it_is_shared_and_never_remove_it(people):
    ann, kim = staff("ann"), staff("kim")
    save(ann)
    view = SavedView.objects.get()
    assert ">Gold" not in kim.get(LIST).content.decode()
    assert "gold" not in kim.get(f"{LIST}?view={view.pk}").content.decode(), "opens with the usual columns"
    save(ann, is_shared="on")
    assert ">Gold" in kim.get(LIST).content.decode()
    remove = reverse("customers:remove-view", args=[view.pk])
    assert kim.post(remove).status_code == 404
    assert ann.post(remove).status_code == 302
    assert not SavedView.objects.exists()
    assert list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))[-3:] == [
        "view.saved", "view.saved", "view.removed",
    ]  # fmt: skip


def test_a_view_without_name_or_columns_is_refused(people):
    client = staff("ann")
    assert "name of 1 to 100" in client.post(SAVE, {"column": ["email"]}, follow=True).content.decode()
    assert (
        "1 to 12 columns"
        in save(client, column=["secret__hash"]).wsgi_request._messages._queued_messages[0].message
    )
    assert not SavedView.objects.exists()


def test_who_may_not_see_people_sees_masks_in_any_column(people):
    save(staff("ann"), is_shared="on")
    page = staff("kim", "view_customer").get(f"{LIST}?view={SavedView.objects.get().pk}").content.decode()
    assert "Ada" not in page
    assert ">gold<" not in page


def test_an_unknown_view_is_the_usual_list(people):
    client = staff("ann")
    for asked in ("99999", "x", "9" * 40):
        assert client.get(f"{LIST}?view={asked}").status_code == 200
