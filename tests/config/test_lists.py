"""Every list of the administration tells people what it is for while it is empty."""

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from personalization.access.models import User
from personalization.privacy.models import Topic

pytestmark = pytest.mark.django_db
# Rows come with the installation, or one is made at the first look.
NEVER_EMPTY = {"User", "Group", "IdentityRule", "BrandVoice", "Endpoint", "ModelRun", "Campaign"}


@pytest.mark.parametrize("model", sorted(admin.site._registry, key=lambda model: model.__name__))
def test_an_empty_list_teaches(model):
    if model.__name__ not in NEVER_EMPTY:
        assert str(admin.site._registry[model].empty_text)


def test_a_list_is_called_by_what_it_holds_and_says_why_it_is_empty():
    Topic.objects.create(name="News", key="news")
    client = Client()
    client.force_login(User.objects.create_superuser("ada"))
    address = reverse("admin:privacy_topic_changelist")
    page = client.get(address).content.decode()
    assert "Topics | Bespoke" in page and "to change" not in page
    assert "Nothing fits" in client.get(address, {"q": "tips"}).content.decode()
    Topic.objects.all().delete()
    page = client.get(address).content.decode()
    assert "Nothing here yet" in page and "leave one by one" in page
