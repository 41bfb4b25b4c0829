"""The texts of items in the memory of this process: read again once a stocktaking saw them written."""

from collections.abc import Collection
from threading import Lock
from typing import Any

from personalization.catalog import selectors as catalog
from recommender import selectors as recommender

MAX_ITEMS = 20_000
ITEMS_PER_READ = 1_000
FILL_SECONDS = 60.0

_known: dict[int, tuple[tuple[int, int], dict[str, Any]]] = {}
_lock = Lock()


def items(item_ids: Collection[int]) -> dict[int, dict[str, Any]]:
    """As `catalog.items`, as old as the last stocktaking of this process: ask after a list was made."""
    # Taken before the texts are read: a write in between is then seen as a later one.
    numbers = recommender.write_numbers(item_ids)
    found = {item: _known.get(item) for item in numbers}
    answer = {item: one[1] for item, one in found.items() if one is not None and one[0] == numbers[item]}
    if missing := [item for item in numbers if item not in answer]:
        read = catalog.items(missing)
        answer.update(read)
        _keep({item: (numbers[item], text) for item, text in read.items()})
    return answer


def fill() -> None:
    """Reads what may be shown now, as far as there is room for it."""
    shown = recommender.shown_item_ids(max_age=FILL_SECONDS)[-MAX_ITEMS:]  # rather the newer ones
    for at in range(0, len(shown), ITEMS_PER_READ):
        items(shown[at : at + ITEMS_PER_READ])


def forget() -> None:
    with _lock:
        _known.clear()


def _keep(new: dict[int, tuple[tuple[int, int], dict[str, Any]]]) -> None:
    with _lock:
        for item in new:
            _known.pop(item, None)
        _known.update(new)
        for item in list(_known)[: max(len(_known) - MAX_ITEMS, 0)]:  # the oldest first
            del _known[item]
