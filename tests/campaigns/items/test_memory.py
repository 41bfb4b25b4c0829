"""Items keep their dictionaries from chunk to chunk, as long as they are written the same."""

from typing import Any

import pytest

from campaigns.items.memory import MOST_SHOWN, ItemMemory
from campaigns.items.picks import ItemTexts, Pick

CUP: dict[str, Any] = {
    "id": 1,
    "name": "Cup",
    "attributes": {"size": 1},
    "translations": {"zh": {"name": "杯"}},
}
MUG: dict[str, Any] = {"id": 2, "name": "Mug", "attributes": {}, "translations": {}}
LIKED: Pick = (1, "similar", 2, "Order Line")


def test_an_item_that_is_the_same_is_the_same_dictionary_in_the_next_chunk() -> None:
    memory = ItemMemory()
    first = ItemTexts({1: dict(CUP), 2: dict(MUG)}, memory).of([LIKED], "en")
    second = ItemTexts({1: dict(CUP), 2: dict(MUG)}, memory).of([LIKED], "en")
    assert first[0] is second[0]
    assert ItemTexts({1: CUP, 2: MUG}, memory).of([LIKED], "zh")[0]["name"] == "杯"


@pytest.mark.parametrize("size", [1.0, True, "1", 2])
def test_an_item_that_prints_differently_is_another(size: object) -> None:
    memory = ItemMemory()
    ItemTexts({1: CUP, 2: MUG}, memory).of([LIKED], "en")
    changed = {**CUP, "attributes": {"size": size}}
    found = ItemTexts({1: changed, 2: MUG}, memory).of([LIKED], "en")
    assert repr(found[0]["attributes"]["size"]) == repr(size)


def test_the_reason_follows_the_other_item() -> None:
    memory = ItemMemory()
    before = ItemTexts({1: CUP, 2: MUG}, memory).of([LIKED], "en")[0]["reason"]
    renamed = ItemTexts({1: CUP, 2: {**MUG, "name": "Jug"}}, memory).of([LIKED], "en")[0]["reason"]
    gone = ItemTexts({1: CUP}, memory).of([LIKED], "en")[0]["reason"]
    assert "Mug" in before
    assert "Jug" in renamed
    assert "Mug" not in gone
    assert "Jug" not in gone


def test_memory_forgets_rather_than_grows() -> None:
    memory = ItemMemory()
    for number in range(MOST_SHOWN + 10):
        memory.get((CUP,), (number,), dict)
    assert len(memory._kept) <= MOST_SHOWN
