"""Secrets at rest: rotatable keys, one per purpose."""

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.db import models
from django.test.utils import isolate_apps

from personalization.access.encryption import Undecipherable, decrypt, derive_key, encrypt, rotate
from personalization.access.fields import EncryptedTextField


@pytest.fixture(autouse=True)
def one_key(settings):
    settings.DATA_KEYS = ["first key"]


def test_what_is_encrypted_comes_back_and_is_another_text_each_time():
    first, second = (encrypt("пароль 密码", purpose="source") for _ in range(2))
    assert first != second
    assert "пароль" not in first
    assert decrypt(first, purpose="source") == decrypt(second, purpose="source") == "пароль 密码"


def test_another_purpose_a_changed_token_and_a_lost_key_are_refused(settings):
    token = encrypt("secret", purpose="source")
    with pytest.raises(Undecipherable):
        decrypt(token, purpose="webhook")
    with pytest.raises(Undecipherable):
        decrypt(token[:-8] + "AAAAAAA=", purpose="source")
    settings.DATA_KEYS = ["second key"]
    with pytest.raises(Undecipherable):
        decrypt(token, purpose="source")


def test_after_rotation_the_old_key_may_go(settings):
    token = encrypt("secret", purpose="source")
    settings.DATA_KEYS = ["second key", "first key"]
    assert decrypt(token, purpose="source") == "secret"
    token = rotate(token, purpose="source")
    settings.DATA_KEYS = ["second key"]
    assert decrypt(token, purpose="source") == "secret"


def test_keys_are_derived_by_hkdf():
    expected = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"bespoke: a").derive(b"x")
    assert derive_key("x", purpose="a") == expected != derive_key("x", purpose="b")


@isolate_apps("personalization.access")
def test_a_column_holds_a_token_and_cannot_be_searched():
    class Source(models.Model):
        password = EncryptedTextField(blank=True)

        class Meta:
            app_label = "access"

        def __str__(self) -> str:
            return "source"

    field = Source._meta.get_field("password")
    stored = field.get_prep_value("secret")
    assert "secret" not in stored
    assert field.from_db_value(stored, None, None) == "secret"
    assert field.get_prep_value("") == ""
    with pytest.raises(TypeError, match="cannot be searched"):
        Source.objects.filter(password="secret")
