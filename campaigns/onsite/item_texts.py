"""The texts of items in the memory of this process: read again once a stocktaking saw them written."""

from collections.abc import Collection, Mapping, Sequence
from threading import Lock
from typing import Any

from campaigns.items.memory import ItemMemory
from campaigns.items.picks import ItemTexts, Pick, item_ids_of
from personalization.catalog import selectors as catalog
from personalization.content.remembering import Fragments
from recommender import selectors as recommender
from recommender.ranking.own_pictures import Chosen

MAX_ITEMS = 20_000
ITEMS_PER_READ = 1_000
FILL_SECONDS = 60.0

# What was made of the texts and of whole loops over them, for the dictionaries that are kept here.
_memory = ItemMemory()
_known: dict[int, tuple[tuple[int, int], dict[str, Any]]] = {}
_lock = Lock()


def texts_of(
    picks: Sequence[Pick], language: str, pictures: Mapping[int, Chosen] | None
) -> list[dict[str, Any]]:
    """The picks in the customer's language, with their reasons: the same ones while nothing changes."""
    return ItemTexts(items(item_ids_of({0: picks})), _memory, are_kept=True).of(picks, language, pictures)


def fragments() -> Fragments:
    """What templates have made of these dictionaries."""
    return _memory.fragments


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
    global _memory
    with _lock:
        _memory = ItemMemory()
        _known.clear()


def _keep(new: dict[int, tuple[tuple[int, int], dict[str, Any]]]) -> None:
    with _lock:
        for item in new:
            _known.pop(item, None)
        _known.update(new)
        for item in list(_known)[: max(len(_known) - MAX_ITEMS, 0)]:  # the oldest first
            del _known[item]
