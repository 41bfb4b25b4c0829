"""What is recommended in messages: picked by each message's rules, put into each customer's language."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.utils import translation

from campaigns.item_choice import ItemChoice
from campaigns.items.last_messages import items_of_last_messages
from campaigns.items.memory import ItemMemory
from personalization.catalog import selectors as catalog
from recommender import selectors as recommender
from recommender.ranking.own_pictures import Chosen, choose_pictures
from recommender.ranking.reasons import say_reason

# Recommended item, reason kind, reason item and what the customer did with it. Messages sent before the last
# part existed are on record without it.
Pick = tuple[int, str, int | None, str]


def pick_items(
    choices: Mapping[int, ItemChoice],
    *,
    context: recommender.Moment | None = None,
    left_out: Mapping[int, Collection[int]] | None = None,
    current: Mapping[int, int] | None = None,
    max_age: float = 0.0,
) -> dict[int, list[Pick]]:
    """For each customer what the choice of their message allows, best first. Asks the recommender once for
    each different choice, and the ledger once. `context` is the moment of them all; `left_out` items must
    not come; `current` is the item that a customer's list is to go with; `max_age` as in
    `recommend_lists`.
    """
    depths = {
        customer: choice.rules.not_in_last_messages
        for customer, choice in choices.items()
        if choice.rules.not_in_last_messages
    }
    hidden = {customer: set(items) for customer, items in (left_out or {}).items()}
    for customer, items in items_of_last_messages(depths).items():
        hidden.setdefault(customer, set()).update(items)
    alike: dict[tuple[ItemChoice, int | None], list[int]] = defaultdict(list)
    for customer, choice in choices.items():
        alike[choice, (current or {}).get(customer)].append(customer)
    picks = {}
    for (choice, item), customers in alike.items():
        moment = context if item is None else recommender.Moment(current_item=item)
        found = recommender.recommend(
            customers,
            k=choice.count,
            rules=choice.rules,
            left_out=hidden,
            context=moment,
            by=choice.strategy,
            max_age=max_age,
        )
        picks.update({customer: [pick(one) for one in items] for customer, items in found.items()})
    return picks


def pick(found: recommender.Recommendation) -> Pick:
    return found.item_id, found.reason_kind, found.reason_item_id, found.reason_event


def items_of(picks: Mapping[Any, Sequence[Pick]]) -> dict[int, dict[str, Any]]:
    """Every item that the picks or their reasons name."""
    return catalog.items(item_ids_of(picks))


def item_ids_of(picks: Mapping[Any, Sequence[Pick]]) -> set[int]:
    return {pk for found in picks.values() for pick in found for pk in (pick[0], pick[2]) if pk}


def pictures_for(picks: Mapping[int, Sequence[Pick]]) -> dict[int, dict[int, Chosen]]:
    """By customer and item; only items with several pictures."""
    return choose_pictures({customer: [pick[0] for pick in found] for customer, found in picks.items()})


def _picture(chosen: Chosen) -> dict[str, str]:
    return {"image_url": chosen.url, "image_reason": chosen.why}


class ItemTexts:
    """Localized items with their reasons; each combination is made once."""

    def __init__(
        self,
        items: Mapping[int, dict[str, Any]],
        memory: ItemMemory | None = None,
        *,
        are_kept: bool = False,
    ) -> None:
        """`are_kept`: these are the dictionaries of before wherever nothing has changed."""
        self._memory = memory or ItemMemory()
        self._items = items if are_kept else self._memory.as_before(items)
        self._made: dict[tuple[str, Pick], dict[str, Any]] = {}

    def of(
        self, picks: Sequence[Pick], language: str, pictures: Mapping[int, Chosen] | None = None
    ) -> list[dict[str, Any]]:
        """`pictures`: those chosen for this customer, by item (see `choose_pictures`)."""
        found = [self._one(pick, language) for pick in picks if pick[0] in self._items]
        if not pictures:
            return found
        return [self._with_picture(one, pictures.get(one["id"])) for one in found]

    def _with_picture(self, one: dict[str, Any], chosen: Chosen | None) -> dict[str, Any]:
        if chosen is None:
            return one
        own = _picture(chosen)
        return self._memory.get((one,), tuple(own.values()), lambda: {**one, **own})

    def _one(self, pick: Pick, language: str) -> dict[str, Any]:
        """Templates cannot change what they get, so one dictionary serves all customers."""
        found = self._made.get((language, pick))
        if found is None:
            found = self._made[language, pick] = self._make(pick, language)
        return found

    def _make(self, pick: Pick, language: str) -> dict[str, Any]:
        item_id, kind, because, event = pick
        other = self._items.get(because) if because is not None else None

        def make() -> dict[str, Any]:
            said = self._memory.get(
                (other,),
                ("reason", kind, event, language),
                lambda: self._reason(kind, because, event, language),
            )
            return {**self._item(item_id, language), "reason": said}

        return self._memory.get((self._items[item_id], other), (kind, event, language), make)

    def _item(self, item_id: int, language: str) -> dict[str, Any]:
        item = self._items[item_id]
        return self._memory.get((item,), ("item", language), lambda: catalog.localized(item, language))

    def _reason(self, kind: str, because: int | None, event: str, language: str) -> str:
        known = because is not None and because in self._items
        name = self._item(because, language)["name"] if because is not None and known else ""
        with translation.override(ui_language(language)):
            return say_reason(kind, because=name, event=event)


def ui_language(language: str) -> str:
    """The language of our own sentences for a customer: Chinese of any kind, else English."""
    return "zh-hans" if language.lower().startswith("zh") else "en"
