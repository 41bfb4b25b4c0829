"""The menu of the shell: one entry is lit, and every page of ours that stands alone has one."""

import pytest
from django.test import Client
from django.urls import reverse

from personalization.access.models import User

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("name", ["campaigns:list", "campaigns:accounts", "journeys:list", "onsite:list"])
def test_the_entry_of_a_page_is_the_only_one_lit(name: str) -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("boss"))
    page = client.get(reverse(name))
    lit = [
        str(item["link"])
        for group in page.context["sidebar_navigation"]
        for item in group["items"]
        if item.get("active")
    ]
    assert lit == [reverse(name)]
