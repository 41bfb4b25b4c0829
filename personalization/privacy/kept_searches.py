"""People in the words that staff looked for, which are kept with their sessions."""

from collections.abc import Mapping, Sequence
from typing import Any

from personalization.access.posted_search import forget_words
from personalization.personal_data import Person


class KeptSearches:
    name = "words that staff looked for"

    def export(self, person: Person) -> Sequence[Mapping[str, Any]]:
        """Nothing: what somebody typed says who was looked for, not who that is."""
        return []

    def erase(self, person: Person) -> int:
        """All of them, for a name or half an address names the person too; the sessions that had any."""
        return forget_words()
