"""Six customers that are as unlike as the audience has them: those for whom a message breaks first.

Each is chosen for one reason, which is told; a reason that nobody fits is left out, and no customer stands
twice. Looks at most at the first `LOOKED_AT` of the audience by id, so that a page answers at any size.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from django.db.models import Exists, OuterRef, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from campaigns.models import Campaign
from personalization.customers.models import SOMEBODY, Customer
from personalization.events.models import Event
from personalization.segments import selectors as segments
from personalization.segments.definition import DefinitionError
from personalization.segments.models import SegmentVersion

LOOKED_AT = 5000
SHOWN = 6
# Languages written from right to left. Source: Unicode CLDR, character order of locales.
RIGHT_TO_LEFT = frozenset(
    {"ar", "arc", "ckb", "dv", "fa", "he", "iw", "ks", "ps", "sd", "syr", "ug", "ur", "yi"}
)
VALUES = ("first_name", "last_name", "language", "country", "city", "time_zone")
MARKUP = re.compile(r"[<>&\"'{}%]")


@dataclass(frozen=True)
class Seen:
    """What is looked at of a customer. `missing` counts empty columns of the profile."""

    id: int
    name: str
    language: str
    time_zone: str
    missing: int
    has_history: bool
    is_reachable: bool


@dataclass(frozen=True)
class Choice:
    customer_id: int
    kind: str
    reason: str | Promise


def audience(campaign: Campaign, *, now: datetime) -> tuple[QuerySet[Customer], bool]:
    """Customers of the segment, and whether they are of it: the whole shop where it holds nobody."""
    everybody = Customer.objects.filter(SOMEBODY)
    if campaign.segment is None:
        return everybody, False
    try:
        found = segments.members(campaign.segment.current, now=now).filter(SOMEBODY)
    except (SegmentVersion.DoesNotExist, DefinitionError):
        return everybody, False
    return (found, True) if found.exists() else (everybody, False)


def choose_of(customers: QuerySet[Customer], *, address_column: str) -> list[Choice]:
    """`address_column`: which column the channel writes to; empty where that is no column."""
    history = Exists(Event.objects.filter(customer=OuterRef("pk")))
    rows = customers.annotate(has_history=history).order_by("pk")[:LOOKED_AT]
    people = [
        Seen(
            row["id"], f"{row['first_name']} {row['last_name']}".strip(), row["language"], row["time_zone"],
            sum(not row[name] for name in VALUES), row["has_history"],
            not address_column or bool(row[address_column]),
        )
        for row in rows.values("id", "email", "phone", "external_id", *VALUES, "has_history")
    ]  # fmt: skip
    return choose(people)


def choose(people: Sequence[Seen], *, shown: int = SHOWN) -> list[Choice]:
    """Those whom the channel reaches come first; the unreachable only where nobody else fits the reason."""
    chosen: list[Choice] = []
    taken: set[int] = set()
    common = _commonest(one.language for one in people)
    for kind, reason, fits, key in _reasons(common):
        left = [one for one in people if one.id not in taken and fits(one)]
        if not left or len(chosen) == shown:
            continue
        best = max(left, key=lambda one: (one.is_reachable, key(one), -one.id))
        taken.add(best.id)
        chosen.append(Choice(best.id, kind, reason))
    return chosen


Reason = tuple[str, str | Promise, Callable[[Seen], bool], Callable[[Seen], float]]


def _reasons(common: str) -> list[Reason]:
    def foreign(one: Seen) -> bool:
        return bool(one.language) and _base(one.language) != common

    return [
        ("right_to_left", _("Reads from right to left"), is_right_to_left, lambda one: one.has_history),
        ("missing_data", _("The most values are missing"), lambda one: one.missing > 0,
         lambda one: one.missing),
        ("longest_name", _("The longest name"), lambda one: bool(one.name), lambda one: width(one.name)),
        (
            "other_language", _("Another language than most"),
            lambda one: foreign(one) and not is_right_to_left(one), lambda one: one.has_history,
        ),
        ("no_history", _("No history: nothing is known to recommend from"),
         lambda one: not one.has_history, lambda one: -one.missing),
        ("markup_in_name", _("Signs in the name that could break the message"),
         lambda one: bool(MARKUP.search(one.name)), lambda one: len(MARKUP.findall(one.name))),
        ("usual", _("Like most: a full profile, a history, the commonest language"),
         lambda one: not foreign(one) and one.has_history, lambda one: -one.missing),
        ("other_time_zone", _("Another time zone"), lambda one: bool(one.time_zone), lambda one: 0),
        ("shortest_name", _("The shortest name"), lambda one: bool(one.name), lambda one: -width(one.name)),
        ("anybody", _("One more"), lambda one: True, lambda one: 0),
    ]  # fmt: skip


def is_right_to_left(one: Seen) -> bool:
    """By the language, else by the letters of the name."""
    return _base(one.language) in RIGHT_TO_LEFT or (
        not one.name.isascii()
        and any(unicodedata.bidirectional(letter) in ("R", "AL") for letter in one.name)
    )


def width(text: str) -> int:
    """Columns: East Asian wide letters take two."""
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


@lru_cache(maxsize=1000)
def _base(language: str) -> str:
    return re.split(r"[-_]", language.lower(), maxsplit=1)[0]


def _commonest(languages: Iterable[str]) -> str:
    counts = Counter(_base(language) for language in languages if language)
    return min(counts, key=lambda name: (-counts[name], name), default="")
