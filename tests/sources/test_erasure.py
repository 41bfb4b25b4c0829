from pathlib import Path

import pytest
from django.utils import timezone

from personalization.personal_data import Person
from personalization.sources import services
from personalization.sources.models import Import
from personalization.sources.personal_store import ImportFiles


@pytest.mark.django_db
def test_an_uploaded_file_that_names_the_person_is_deleted_and_others_stay(upload):
    for encoding in ("utf-8", "utf-16"):
        services.take_file(
            upload("id;mail\n7;ada@example.com\n".encode(encoding)), kind="customers", actor="x"
        )
    other = services.take_file(upload("id;mail\n8;bob@example.com\n"), kind="customers", actor="x")
    ada = Person((1,), timezone.now(), {"email": ("ada@example.com",)}, ("ada@example.com",))
    assert len(ImportFiles().export(ada)) == 2
    assert ImportFiles().erase(ada) == 2
    assert ImportFiles().erase(ada) == 0
    assert [job.pk for job in Import.objects.exclude(path="")] == [other.pk]
    assert Path(other.path).is_file()
