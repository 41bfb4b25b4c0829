"""One person in all the ways in which we know them."""

from collections.abc import Iterable

from personalization.customers.addresses import address_hash
from personalization.customers.models import Customer, Identifier, IdentifierKind
from personalization.personal_data import Person

# Shorter texts stand in rows of other people by chance: an id like 4711 cannot be searched for.
SHORTEST_NEEDLE, SHORTEST_NUMBER = 6, 9


def describe(customer: Customer) -> Person:
    """The person behind a customer, with the empty profiles that were merged into it."""
    hollows = sorted(Customer.objects.filter(merged_into=customer).values_list("pk", flat=True))
    identifiers = list(Identifier.objects.filter(customer=customer).values_list("kind", "value"))
    of_kind = lambda kind: [value for found, value in identifiers if found == kind]  # noqa: E731
    emails = _distinct([customer.email, *of_kind(IdentifierKind.EMAIL)])
    phones = _distinct([customer.phone, *of_kind(IdentifierKind.PHONE)])
    ids = _distinct([customer.external_id or "", *(value for _kind, value in identifiers)])
    return Person(
        customer_ids=(customer.pk, *hollows),
        known_since=customer.created_at,
        addresses={"email": emails, "sms": phones},
        needles=tuple(text for text in _distinct([*emails, *phones, *ids]) if _is_telling(text)),
    )


def subject_hashes(person: Person) -> list[str]:
    """Keyed hashes of everything that names the person, to find their requests by when they are gone."""
    return sorted({address_hash("subject", text) for text in person.needles})


def _distinct(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text.strip() for text in texts if text.strip()))


def _is_telling(text: str) -> bool:
    digits = sum(character.isdigit() for character in text)
    if digits == len(text.lstrip("+")):
        return digits >= SHORTEST_NUMBER
    return len(text) >= SHORTEST_NEEDLE
