"""Numbers of customers as a caller may know them.

Staff who work without personal data get them in steps of K_ANONYMITY, rounded down, and only "fewer than"
below it: whoever could count any definition to the person could single one out by two that differ in them.
"""

from collections.abc import Hashable, Mapping
from typing import TypeVar

from django.http import HttpRequest
from django.utils import formats
from rest_framework.request import Request

from personalization.customers.reading import may_see
from personalization.privacy.floor import round_down, smallest_cell

Key = TypeVar("Key", bound=Hashable)


def told_count(request: HttpRequest | Request, customers: int) -> int:
    """0 stands for fewer than the floor where the caller has one."""
    return customers if may_see(request) else round_down(customers)


def step_for(request: HttpRequest | Request) -> int:
    """In what steps this caller is told numbers; 0 for who is told them exactly."""
    return 0 if may_see(request) else smallest_cell()


def told_counts(counts: Mapping[Key, int], *, whole: bool) -> dict[Key, int]:
    """Each of them in steps for those who have a floor: then their differences tell no number below it."""
    return {key: n if whole else round_down(n) for key, n in counts.items()}


def told_words(customers: int, *, whole: bool) -> str:
    """For a page: 1,230, or < 10."""
    told = customers if whole else round_down(customers)
    if not whole and not told:
        return f"< {smallest_cell()}"
    return formats.number_format(told, force_grouping=True)
