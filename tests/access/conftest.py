import pytest


@pytest.fixture
def quick_passwords(settings) -> None:
    """The real hash takes half a second on purpose."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
