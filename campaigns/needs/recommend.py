"""`{% recommend "for_you" count: 4, exclude: "bought", category: "Shoes" as picks %}`."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from campaigns.item_choice import MAX_COUNT, ItemChoice, wrong_count
from campaigns.items.picks import ItemTexts, Pick, items_of, pick_items, pictures_for
from campaigns.needs._base import Asked, Given, Provider, Scene
from personalization.catalog.selectors import ids_by_external
from personalization.content.errors import RenderError
from personalization.content.needs import Need
from recommender import selectors as recommender
from recommender.ranking.own_pictures import Chosen
from recommender.ranking.rules import ALLOW, EXCLUDE, ONLY, Rules, RulesError

COUNT = 4
FOR_YOU, BUY_AGAIN, POPULAR = "for_you", "buy_again", "popular"
BOUGHT = {"bought": EXCLUDE, "nothing": ALLOW}
LISTS = {"category": "categories", "not_category": "not_categories", "brand": "brands"}
PLAIN = {
    "price_min": "price_min", "price_max": "price_max", "max_per_category": "max_per_category",
    "not_in_last_messages": "not_in_last_messages",
}  # fmt: skip


def read_choice(name: str, arguments: Mapping[str, Any]) -> ItemChoice:
    """Raises RulesError with every problem, ValueError for what is no strategy or count."""
    count = arguments.get("count", COUNT)
    if type(count) is not int or not 1 <= count <= MAX_COUNT:
        raise ValueError(wrong_count())
    exclude = arguments.get("exclude", "bought")
    if exclude not in BOUGHT:
        raise ValueError(_("exclude is “bought” or “nothing”"))
    raw: dict[str, Any] = {} if BOUGHT[exclude] == EXCLUDE else {"bought": BOUGHT[exclude]}
    if name == BUY_AGAIN:
        raw["bought"] = ONLY
    raw |= {LISTS[key]: _names(arguments[key]) for key in LISTS if key in arguments}
    raw |= {PLAIN[key]: arguments[key] for key in PLAIN if key in arguments}
    if "variety" in arguments:
        raw["diversity"] = arguments["variety"]
    strategy = "" if name in (FOR_YOU, BUY_AGAIN) else name
    return ItemChoice(count, Rules.from_json(raw), strategy)


def _names(value: object) -> list[str]:
    if isinstance(value, tuple):
        return [str(one) for one in value]
    return [one.strip() for one in str(value).split(",") if one.strip()]


class RecommendProvider(Provider):
    name = "recommend"

    def problems(self, need: Need) -> Iterator[str]:
        known = [FOR_YOU, BUY_AGAIN, POPULAR, *recommender.trained_algorithms()]
        if need.name not in known:
            yield _("there is no such strategy; there are: %(names)s") % {"names": ", ".join(known)}
        try:
            read_choice(need.name, need.fixed())
        except RulesError as error:
            yield from (f"{one['pointer'].strip('/')}: {one['detail']}" for one in error.errors)
        except ValueError as error:
            yield str(error)

    def load(self, asked: Sequence[Asked], scene: Scene) -> Mapping[tuple[int, str], Given]:
        """Tag by tag, so that a later one does not repeat what an earlier one showed the same reader."""
        shown: dict[int, set[int]] = defaultdict(set)
        for delivery, some in scene.shown.items():
            shown[delivery] |= some
        found: dict[tuple[int, str], Given] = {}
        picked: dict[tuple[int, str], list[Pick]] = {}
        for several in _rounds(asked):
            choices: dict[int, ItemChoice] = {}
            left_out: dict[int, set[int]] = {}
            current = self._current(several)
            for one in several:
                try:
                    choices[one.customer_id] = read_choice(one.need.name, one.arguments)
                except ValueError as error:
                    found[one.key] = Given(RenderError(f"recommend: {error}"))
                    continue
                if not one.arguments.get("repeat"):
                    left_out[one.customer_id] = shown[one.delivery_id]
            picks = pick_items(choices, left_out=left_out, current=current)
            for one in several:
                if one.customer_id in picks and one.key not in found:
                    picked[one.key] = picks[one.customer_id]
                    shown[one.delivery_id].update(pick[0] for pick in picks[one.customer_id])
        texts, pictures = ItemTexts(items_of(picked), scene.memory), _pictures(asked, picked)
        for one in asked:
            if one.key in picked:
                language = str(one.profile.get("language") or "")
                items = texts.of(picked[one.key], language, pictures.get(one.customer_id))
                found[one.key] = Given(items, [list(pick) for pick in picked[one.key]])
        return found

    def _current(self, asked: Sequence[Asked]) -> dict[int, int]:
        """The item that the list is to go with, by customer."""
        named = {one.customer_id: str(one.arguments["item"]) for one in asked if "item" in one.arguments}
        known = ids_by_external(set(named.values())) if named else {}
        return {customer: known[item] for customer, item in named.items() if item in known}


def _pictures(
    asked: Sequence[Asked], picked: Mapping[tuple[int, str], Sequence[Pick]]
) -> dict[int, dict[int, Chosen]]:
    lists: dict[int, list[Pick]] = defaultdict(list)
    for one in asked:
        lists[one.customer_id] += picked.get(one.key, ())
    return pictures_for(lists)


def _rounds(asked: Sequence[Asked]) -> Iterator[list[Asked]]:
    """In the order of the tags, and no customer twice in one round."""
    rounds: dict[tuple[int, int], list[Asked]] = defaultdict(list)
    order: dict[str, int] = {}
    seen: dict[tuple[str, int], int] = defaultdict(int)
    for one in asked:
        place = order.setdefault(one.need.key, len(order))
        again = seen[one.need.key, one.customer_id]
        seen[one.need.key, one.customer_id] += 1
        rounds[again, place].append(one)
    return (rounds[key] for key in sorted(rounds))
