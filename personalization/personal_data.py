"""What becomes of rows about a customer: declared by each model, carried out by `personalization.privacy`.

A model from which foreign keys lead to `Customer` says so in its class attribute `personal_data`; a test
fails for one that does not. What lives outside of such rows (files, caches, notes of other models) is a
`PersonalStore`, named by its room's app configuration in `personal_stores`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol


class AtErasure(StrEnum):
    """DELETE: the rows go. ANONYMIZE: they stay for counts, lead to nobody, and lose the columns `clear`."""

    DELETE = "delete"
    ANONYMIZE = "anonymize"


@dataclass(frozen=True)
class PersonalData:
    """`kind`: one word for people (profile, consent, events, messages, experiments …), the unit of retention.

    `path`: lookup from the row to its customer. `clear`: columns emptied when anonymized, with their value.
    `ages_by`: the column of time by which rows grow old; "" for those that live as long as the profile.
    `neutral`: columns of text that stay when anonymized, because they never speak of the person.
    `also`: further lookups of the export, by the name they get there. `internal`: columns left out of it.
    """

    kind: str
    at_erasure: AtErasure
    path: str = "customer"
    clear: Mapping[str, Any] = field(default_factory=dict)
    neutral: Sequence[str] = ()
    ages_by: str = ""
    also: Mapping[str, str] = field(default_factory=dict)
    internal: Sequence[str] = ()


@dataclass(frozen=True)
class Person:
    """Whom a store is asked about: the customer, first, and the empty profiles merged into it.

    `addresses`: e-mails and phones, present and former. `needles`: texts that identify them wherever they
    stand.
    """

    customer_ids: tuple[int, ...]
    known_since: datetime
    addresses: Mapping[str, tuple[str, ...]]
    needles: tuple[str, ...]


class PersonalStore(Protocol):
    """`name` stands in exports and certificates. Both calls may be repeated and must then do no harm."""

    name: str

    def export(self, person: Person) -> Sequence[Mapping[str, Any]]:
        """Everything it holds of this person, as JSON objects."""
        ...

    def erase(self, person: Person) -> int:
        """Removes it, and answers how many entries that were."""
        ...
