"""Saving: versions, names, the audit log."""

import pytest

from personalization.access.models import AuditEntry
from personalization.segments.errors import InvalidDefinition, NameTaken
from personalization.segments.services import save_segment

pytestmark = pytest.mark.django_db
BRITISH = {"trait": "country", "op": "is", "value": "GB"}
CHINESE = {"trait": "country", "op": "is", "value": "CN"}


def test_a_changed_definition_is_a_new_version_and_the_same_one_is_not() -> None:
    first = save_segment(None, name=" British ", definition=BRITISH)
    again = save_segment(first.segment, name="Brits", definition=dict(BRITISH))
    changed = save_segment(first.segment, name="Brits", definition=CHINESE)
    assert (first.number, again.pk, changed.number) == (1, first.pk, 2)
    assert first.segment.current == changed
    assert first.segment.versions.count() == 2
    assert list(AuditEntry.objects.values_list("target", flat=True)) == [f"segment:{first.segment_id}"] * 2


def test_a_name_is_given_once() -> None:
    save_segment(None, name="British", definition=BRITISH)
    with pytest.raises(NameTaken):
        save_segment(None, name="British", definition=CHINESE)


@pytest.mark.parametrize(("name", "definition"), [("", BRITISH), ("x" * 201, BRITISH), ("Fine", {"any": []})])
def test_what_is_not_valid_is_not_saved(name, definition) -> None:
    with pytest.raises(InvalidDefinition):
        save_segment(None, name=name, definition=definition)
    assert not AuditEntry.objects.exists()
