"""People in exported files: under pseudonyms, in files to which no foreign key leads."""

from collections.abc import Mapping, Sequence
from typing import Any

from personalization.personal_data import Person
from personalization.segments.kept_exports import forget_all_exports


class ExportedFiles:
    name = "exports of segments"

    def export(self, person: Person) -> Sequence[Mapping[str, Any]]:
        """Copies, for a day, of what the profile and its events say."""
        return []

    def erase(self, person: Person) -> int:
        """All files go, whoever is in them: they are asked for again sooner than searched."""
        return forget_all_exports()
