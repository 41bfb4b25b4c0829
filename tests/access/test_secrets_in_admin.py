"""No page of the admin shows what is kept encrypted to somebody who may only look."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from personalization.access.fields import EncryptedTextField
from personalization.access.models import User

pytestmark = pytest.mark.django_db
SECRET = "canary-secret"
VALUES = {
    "contentsource": {"name": "weather", "url": "https://weather.example/"},
    "source": {"name": "shop", "kind": "customers", "way": "file"},
    "endpoint": {
        "url": "https://model.example/v1", "model": "m", "price_in": 1, "price_out": 1, "monthly_cap": 1,
    },
}  # fmt: skip


def registered_with_secrets() -> list[tuple[type, list[str]]]:
    found = []
    for model in apps.get_models():
        secrets = [f.name for f in model._meta.fields if isinstance(f, EncryptedTextField) and f.editable]
        if secrets and admin.site.is_registered(model):
            found.append((model, secrets))
    return found


def test_every_such_model_is_looked_at_here() -> None:
    assert {model._meta.model_name for model, _secrets in registered_with_secrets()} == set(VALUES)


@pytest.mark.parametrize(("model", "secrets"), registered_with_secrets(), ids=str)
def test_a_reader_sees_no_secret(model: type, secrets: list[str]) -> None:
    options = model._meta
    row = model._default_manager.create(**VALUES[options.model_name], **dict.fromkeys(secrets, SECRET))
    reader = User.objects.create_user("reader", is_staff=True)
    reader.user_permissions.add(
        Permission.objects.get(
            codename=f"view_{options.model_name}", content_type__app_label=options.app_label
        )
    )
    client = Client()
    client.force_login(reader)
    page = client.get(reverse(f"admin:{options.app_label}_{options.model_name}_change", args=[row.pk]))
    assert page.status_code == 200
    assert SECRET not in page.content.decode()
