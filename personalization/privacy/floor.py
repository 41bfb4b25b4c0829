"""The floor of reports: a number about fewer than `K_ANONYMITY` customers speaks of somebody: not shown."""

from collections.abc import Hashable, Mapping
from typing import TypeVar

from django.conf import settings

Key = TypeVar("Key", bound=Hashable)


def smallest_cell() -> int:
    """The fewest customers a cell of a report may stand for; 1 when the floor is switched off."""
    return max(1, int(settings.K_ANONYMITY))


def round_down(customers: int) -> int:
    """In steps of the floor: 0 stands for anything below it."""
    return customers - customers % smallest_cell()


def is_reportable(customers: int) -> bool:
    """Whether a figure about so many customers may be shown. Nobody at all is no person: 0 may."""
    return customers == 0 or customers >= smallest_cell()


def small_cells(customers: Mapping[Key, int]) -> set[Key]:
    """The cells of a breakdown whose figures must not be shown.

    All cells below the floor; and when together they would still be so few that the total minus the shown
    cells gives them away, the next smallest cells too (complementary suppression: Sweeney, 2002; Hundepool et
    al., Statistical Disclosure Control, 2012, section 4.2).
    """
    floor = smallest_cell()
    hidden = {key for key, count in customers.items() if 0 < count < floor}
    if not hidden:
        return set()
    rest = sorted((key for key, count in customers.items() if count >= floor), key=lambda key: customers[key])
    while rest and (len(hidden) < 2 or sum(customers[key] for key in hidden) < floor):
        hidden.add(rest.pop(0))
    return hidden
