"""Who did something, in the words of people."""

import pytest

from personalization.access.actors import actor_labels
from personalization.access.models import User
from personalization.access.services import create_key

pytestmark = pytest.mark.django_db


def test_people_and_keys_are_called_by_their_names_and_who_is_gone_by_what_was_written() -> None:
    User.objects.create_user("kim9", first_name="Kim", last_name="Ng")
    User.objects.create_user("bo")
    key, _token = create_key(name="shop", scopes=["ingest"])
    actors = ["user:kim9", "user:bo", "user:gone", f"key:{key.prefix}", "key:old", "command line"]
    names = ["Kim Ng", "bo", "gone", "API key “shop”", "old", "command line"]
    assert list(actor_labels(actors).values()) == names
