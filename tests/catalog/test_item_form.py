"""The form of an item in the admin shell."""

import warnings
from typing import Any

from django.contrib import admin

from personalization.catalog.models import Item


def test_a_page_without_a_scheme_is_taken_as_https_and_nothing_is_warned_of(rf: Any, admin_user: Any) -> None:
    request = rf.get("/")
    request.user = admin_user
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        form = admin.site.get_model_admin(Item).get_form(request)
    assert form.base_fields["url"].clean("shop.example/jar") == "https://shop.example/jar"
