"""Finding a customer while one types: by the beginning of a name, an address, an id or a phone.

Every word must begin one of them. The index of each column gives a few rows in its own order and stops, so
that one letter costs no more than a whole address, however many customers there are.
"""

from django.db.models import Expression, F, OrderBy, Q, QuerySet
from django.db.models.functions import Lower

from personalization.customers.models import Customer

MOST_WORDS = 4
# In the order of the answer. Ids and phones are compared as they are.
_KEYS: dict[str, Expression | F] = {
    "low_first_name": Lower("first_name"),
    "low_last_name": Lower("last_name"),
    "low_email": Lower("email"),
    "external_id": F("external_id"),
    "phone": F("phone"),
}
_LOWERED = {name: key for name, key in _KEYS.items() if isinstance(key, Lower)}


class PatternOrder(OrderBy):
    """The byte order of the pattern indexes, so that one of them can give the first rows and stop."""

    # Django looks for a direction in the text of every order; the operator is one.
    template = "%(expression)s USING ~<~ /* ASC */"


def search(words: str, *, limit: int) -> list[Customer]:
    """With that very id first, then by name, then by address, then by id; nothing typed: the newest."""
    typed = _split(words)
    if not typed:
        return list(Customer.objects.filter(merged_into=None).order_by("-pk")[:limit])
    found = {customer.pk: customer for customer in _exact(words.replace("\0", "").strip())}
    # The longest word leaves the fewest rows to test the others on.
    first, *others = sorted(typed, key=len, reverse=True)
    for name, key in _KEYS.items():
        rows = _people().filter(_begins(name, first)).order_by(PatternOrder(key))
        for word in others:
            rows = rows.filter(begins_with(word))
        for customer in rows[:limit]:
            found.setdefault(customer.pk, customer)
        if len(found) >= limit:
            break
    return list(found.values())[:limit]


def matching(words: str) -> QuerySet[Customer]:
    """All whom `search` would find, in no order: for lists with filters of their own."""
    rows = _people()
    for word in _split(words):
        rows = rows.filter(begins_with(word))
    return rows


def begins_with(word: str) -> Q:
    """Name, address, id or phone begin with the word."""
    found = Q()
    for name in _KEYS:
        found |= _begins(name, word)
    return found


def _people() -> QuerySet[Customer]:
    return Customer.objects.filter(merged_into=None).alias(**_LOWERED)


def _begins(name: str, word: str) -> Q:
    return Q(**{f"{name}__startswith": word.lower() if name in _LOWERED else word})


def _exact(words: str) -> list[Customer]:
    if words.startswith("#") and words[1:].isdecimal() and len(words) < 20:
        return list(Customer.objects.filter(pk=int(words[1:]), merged_into=None))
    return list(Customer.objects.filter(external_id=words))


def _split(words: str) -> list[str]:
    return words.replace("\0", "").split()[:MOST_WORDS]
