"""Items as they were shown before: what is still the same stays the same dictionary."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from personalization.content.remembering import Fragments

MOST_SHOWN = 16_384  # dictionaries of items


class ItemMemory:
    """A run's, from chunk to chunk, so that its templates know an item again (see `content.remembering`).
    Forgets everything when it is full."""

    def __init__(self) -> None:
        self.fragments = Fragments()
        self._items: dict[int, tuple[str, dict[str, Any]]] = {}
        self._kept: dict[tuple[Any, ...], tuple[Any, Any]] = {}

    def as_before(self, items: Mapping[int, dict[str, Any]]) -> dict[int, dict[str, Any]]:
        """The same items; those that have not changed as the dictionaries of before."""
        if len(self._items) > MOST_SHOWN:
            self._items = {}
        return {pk: self._as_before(pk, item) for pk, item in items.items()}

    def _as_before(self, pk: int, item: dict[str, Any]) -> dict[str, Any]:
        # By how it is written: 1, 1.0 and true are equal, and print differently.
        written = repr(item)
        known = self._items.get(pk)
        if known is None or known[0] != written:
            known = self._items[pk] = (written, item)
        return known[1]

    def get(self, made_of: Sequence[Any], key: tuple[Any, ...], make: Callable[[], Any]) -> Any:
        """What `make` makes of these very dictionaries, which are kept: no other has their `id` then."""
        whole = (*map(id, made_of), *key)
        found = self._kept.get(whole)
        if found is None:
            if len(self._kept) >= MOST_SHOWN:
                self._kept = {}
            found = self._kept[whole] = (made_of, make())
        return found[1]
